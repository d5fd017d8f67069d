"""The official client: imported without any request, and without printing."""

import os
import subprocess
import sys

import pytest

from tests.support.helpers import REPOSITORY
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
def test_client_that_cannot_be_imported_is_reported(missing):
    code = f"import sys; sys.modules[{missing!r}] = None; from medfold.kaggle.client import official_client\n"
    code += "try: official_client()\nexcept Exception as error: print(type(error).__name__, error)"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("UserError the Kaggle client cannot be imported (")
    assert result.stdout.endswith("). Run: make setup, or pip install -r requirements.txt\n")
