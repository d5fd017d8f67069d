"""The official client, with time-outs and patience, and its errors in words."""

import functools
import importlib.util
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from medfold import http_download
from medfold.console import warn
from medfold.errors import UnreachableError, UserError

SITE = "https://www.kaggle.com"
TOKEN_PAGE = f"{SITE}/settings/api"
TOKEN_FIX = f"Create a new token at {TOKEN_PAGE}"
LOGIN_FIX = "Run: kaggle auth login"

# They have no idempotency key: repeated, they would do twice what was asked.
ONCE = [
    ("competitions.CompetitionApiService", "CreateSubmission"),
    ("competitions.CompetitionApiService", "CreateCodeSubmission"),
    ("datasets.DatasetApiService", "CreateDataset"),
    ("datasets.DatasetApiService", "CreateDatasetVersion"),
    ("kernels.KernelsApiService", "SaveKernel"),
]

wait = time.sleep

# It warns of repeated requests with their addresses, which may be signed.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


def official_client() -> Any:
    """A `KaggleApi` that nobody has signed in to yet."""
    api = _client_class()()
    api.args = ["--local"] if os.environ.get("KAGGLE_API_ENVIRONMENT") == "LOCALHOST" else []
    api.config_values = {}
    return api


@contextmanager
def asking(where: str, source: str, refused: str | None = None) -> Iterator[None]:
    """Turns what may go wrong within the block into a UserError.

    Args:
        where: what was asked for.
        source: where the credentials come from.
        refused: what to do about a refusal (403).
    """
    try:
        yield
    except requests.RequestException as error:
        if error.response is not None and "Service/" not in error.response.url:
            raise  # storage, not Kaggle itself: for `transfer` to judge
        raise explained(error, where, source, refused) from None
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"an answer of Kaggle that makes no sense ({error})", where, "Try later") from None


def explained(error: requests.RequestException, where: str, source: str, refused: str | None = None) -> UserError:
    """A failed request in words, without addresses: they may be signed."""
    if error.response is None:
        fix = "Check the network; proxies are set by https_proxy, their certificates by REQUESTS_CA_BUNDLE"
        return UnreachableError(f"Kaggle cannot be reached: {http_download.reason(error)}", where, fix)
    status = error.response.status_code
    told = str(error) if "url:" not in str(error) else error.response.reason
    if status == 401:
        fix = LOGIN_FIX if source.startswith("login") else TOKEN_FIX
        return UserError(f"Kaggle does not accept the {source}", where, fix)
    if status == 403:
        return UserError(f"Kaggle refuses: {told}", where, refused)
    if status == 404:
        return UserError(f"Kaggle has no such thing: {told}", where)
    later = "Try again later" if status == 429 or status >= 500 else None
    return UserError(f"Kaggle answers {status}: {told}", where, later)


class _Patience(Retry):
    """Waits as long as the server asks, within limits, and says so."""

    def sleep(self, response: Any = None) -> None:
        asked = self.get_retry_after(response) if response is not None else None
        seconds = min(asked or self.get_backoff_time(), http_download.LONGEST_WAIT)
        if seconds >= 1:
            why = f"answers {response.status}" if response is not None else "does not answer"
            warn("kaggle", f"Kaggle {why}; again in {seconds:.0f} s")
        wait(seconds)


class _TimedAdapter(HTTPAdapter):
    """Never waits forever."""

    def send(self, request: Any, timeout: Any = None, **options: Any) -> requests.Response:
        return super().send(request, timeout=timeout or http_download.TIMEOUT, **options)


def _mount(session: requests.Session) -> None:
    # Every call of Kaggle's is a POST. Those that only read, or whose repetition is harmless, are repeated.
    patience = _Patience(
        total=5,
        connect=2,
        read=2,
        allowed_methods=None,
        status_forcelist=(429, 500, 502, 503, 504),
        backoff_factor=1,
        raise_on_status=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, _TimedAdapter(max_retries=patience))


@functools.cache
def _client_class() -> type:
    """The official client with time-outs and patience.

    `import kaggle` would authenticate at once: over the network, without time-outs, with a page of help on the standard
    output if it fails. So the package's own module is loaded without its `__init__`.
    """
    for name in ("VERBOSE", "VERBOSE_OUTPUT"):
        os.environ.pop(name, None)  # they make the client print its token
    if "kaggle" not in sys.modules:
        package = importlib.util.module_from_spec(importlib.util.find_spec("kaggle"))
        package.__version__ = version("kaggle")
        sys.modules["kaggle"] = package
    try:
        from kaggle.api.kaggle_api_extended import KaggleApi, ResumableUploadResult
    except OSError as error:  # it makes a folder of its own
        fix = "Set KAGGLE_CONFIG_DIR to a folder that can be written"
        raise UserError(f"the Kaggle client cannot start ({error})", None, fix) from None

    class Client(KaggleApi):
        uploaded = False  # True from the end of an upload on: a submission may have been made

        def build_kaggle_client(self) -> Any:
            client = super().build_kaggle_client()
            http = client.http_client()
            http._init_session()
            _mount(http._session)
            for service, method in ONCE:
                once = http._get_request_url(service, method)
                http._session.mount(once, _TimedAdapter(max_retries=0))
            return client

        def get_response_processor(self) -> None:
            return None  # the official one prints that a newer version exists

        def upload_complete(self, path: str, url: str, quiet: bool, resume: bool = False) -> Any:
            """The upload itself; the official one has no time-outs, and prints the signed address if it fails."""
            name = Path(path).name
            with requests.Session() as session, Path(path).open("rb") as file:
                _mount(session)
                try:
                    answer = session.put(url, data=file)
                except requests.RequestException as error:
                    why = http_download.reason(error)
                    raise UserError(f"upload failed: {why}", name, "Nothing was submitted; run it again") from None
            if answer.status_code not in (200, 201):
                why = f"the storage answers {answer.status_code} {answer.reason}"
                raise UserError(f"upload failed: {why}", name, "Nothing was submitted; run it again")
            self.uploaded = True
            return ResumableUploadResult.COMPLETE

    return Client
