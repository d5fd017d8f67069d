"""The official client: imported without any request, and retried while the server is busy."""

import importlib.util
import os
import subprocess
import sys

import pytest

from medfold.kaggle.client import _client_class, official_client
from medfold.kaggle.competitions import Competitions
from medfold.kaggle.session import KaggleSession
from tests.support.helpers import REPOSITORY, refused
from tests.support.kaggle_server import TOKEN, lose, status


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
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else find_spec(name))
    if missing == "kagglesdk":
        monkeypatch.setitem(sys.modules, "kagglesdk", None)  # its import fails
    with refused(r"^the Kaggle client cannot be imported \(.*Run: make setup, or pip install -r requirements.txt$"):
        official_client()


@pytest.mark.parametrize("faults", [[status(429)], [status(503), status(503)], [lose]])
def test_request_is_repeated_while_kaggle_is_busy(hosted, faults):
    hosted.fault("GetCompetition", *faults)
    assert Competitions(KaggleSession.connect()).info("histology").has_joined
    assert hosted.asked("GetCompetition") == len(faults) + 1


def test_retry_after_is_respected(hosted):
    hosted.fault("GetCompetition", status(429, Retry_After="9"))
    Competitions(KaggleSession.connect()).info("histology")
    assert hosted.waits == [9]
    assert "Kaggle answers 429; next attempt in 9 s" in hosted.said()
