"""The official client: imported without any request, and without printing."""

import importlib.util
import os
import subprocess
import sys

import pytest

from medfold.kaggle.client import _client_class, official_client
from tests.support.helpers import REPOSITORY, refused
from tests.support.kaggle_server import TOKEN


def test_import_sends_no_request_and_prints_nothing(kaggle):
    """Unlike `import kaggle`, which signs in, and prints help or, if VERBOSE is set, the token."""
    code = "from medfold.kaggle.client import official_client; official_client(); print('imported')"
    environment = {**os.environ, "VERBOSE": "1", "PYTHONPATH": str(REPOSITORY / "src")}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == "imported\n"
    assert result.stderr == ""
    assert kaggle.log == []


def test_verbose_does_not_print_the_token(kaggle):
    code = "from medfold.kaggle.session import KaggleSession; print(KaggleSession.connect().credentials)"
    environment = {**os.environ, "VERBOSE": "1", "VERBOSE_OUTPUT": "true", "PYTHONPATH": str(REPOSITORY / "src")}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == "Credentials(user='alice', source='token in KAGGLE_API_TOKEN')\n"
    assert TOKEN not in result.stderr


@pytest.mark.parametrize("missing", ["kaggle", "kagglesdk"])
def test_client_that_cannot_be_imported_is_told(monkeypatch, missing):
    _client_class.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("kaggle", "kagglesdk")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "medfold.kaggle.client_class", raising=False)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else find_spec(name))
    if missing == "kagglesdk":
        monkeypatch.setitem(sys.modules, "kagglesdk", None)  # its import fails
    with refused(r"^the Kaggle client cannot be imported \(.*Run: make setup, or pip install -r requirements.txt$"):
        official_client()
