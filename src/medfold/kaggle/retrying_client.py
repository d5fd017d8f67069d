"""The official client's class, with time-outs and retries added.

It is imported by `client` only, which has then loaded the package `kaggle` without signing in.
"""

from pathlib import Path
from typing import Any

import requests
from kaggle.api.kaggle_api_extended import KaggleApi, ResumableUploadResult
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from medfold.errors import UserError
from medfold.system import http_download, waiting
from medfold.system.http_session import GuardedSession
from medfold.terminal.console import warn

# Requests that must not be retried: Kaggle cannot distinguish a retry from a new request.
NOT_RETRIED = [
    ("competitions.CompetitionApiService", "CreateSubmission"),
    ("competitions.CompetitionApiService", "CreateCodeSubmission"),
    ("datasets.DatasetApiService", "CreateDataset"),
    ("datasets.DatasetApiService", "CreateDatasetVersion"),
    ("kernels.KernelsApiService", "SaveKernel"),
]


class Client(KaggleApi):
    """The official client with time-outs and retries.

    Attributes:
        uploaded: True after an upload: a submission may have been made.
    """

    uploaded = False

    def build_kaggle_client(self) -> Any:
        """Returns the client of Kaggle's services, whose requests have time-outs, and most of them retries."""
        client = super().build_kaggle_client()
        http = client.http_client()
        http._init_session()
        http._session = _guarded(http._session)
        for service, method in NOT_RETRIED:
            address = http._get_request_url(service, method)
            http._session.mount(address, _TimeoutAdapter(max_retries=0))
        return client

    def get_response_processor(self) -> None:
        """Returns None: the official method returns a function that prints that a newer version exists."""

    def upload_complete(self, path: str, url: str, quiet: bool, resume: bool = False) -> Any:
        """Uploads a file; the official method has no time-outs, and prints the signed URL if it fails."""
        name = Path(path).name
        with GuardedSession() as session, Path(path).open("rb") as file:
            _mount(session)
            try:
                answer = session.put(url, data=file)
            except requests.RequestException as error:
                reason = http_download.failure_reason(error)
                raise UserError(
                    f"upload failed: {reason}", name, "Nothing was submitted. Run the same command again"
                ) from None
        if answer.status_code not in (200, 201):
            reason = f"the storage answers {answer.status_code} {answer.reason}"
            raise UserError(f"upload failed: {reason}", name, "Nothing was submitted. Run the same command again")
        self.uploaded = True
        return ResumableUploadResult.COMPLETE


class _WarningRetry(Retry):
    """Waits as long as the server asks, within limits, and warns the user."""

    def sleep(self, response: Any = None) -> None:
        requested = self.get_retry_after(response) if response is not None else None
        seconds = min(requested or self.get_backoff_time(), http_download.MAX_WAIT_SECONDS)
        if seconds >= 1:
            reason = f"answers {response.status}" if response is not None else "does not answer"
            warn("kaggle", f"Kaggle {reason}; next attempt in {seconds:.0f} s")
        waiting.pause(seconds)


class _TimeoutAdapter(HTTPAdapter):
    """Sets a time-out on every request."""

    def send(self, request: Any, timeout: Any = None, **options: Any) -> requests.Response:
        return super().send(request, timeout=timeout or http_download.TIMEOUT, **options)


def _guarded(session: requests.Session) -> GuardedSession:
    """Returns a session with the headers and credentials of another, time-outs and retries; it stays on Kaggle."""
    guarded = GuardedSession(same_host=True)
    guarded.headers = session.headers
    guarded.auth = session.auth or guarded.auth
    _mount(guarded)
    return guarded


def _mount(session: requests.Session) -> None:
    # All calls are POST requests, so POST is retried, too; NOT_RETRIED lists the exceptions.
    retry = _WarningRetry(
        total=5,
        connect=2,
        read=2,
        allowed_methods=None,
        status_forcelist=(429, 500, 502, 503, 504),
        backoff_factor=1,
        raise_on_status=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, _TimeoutAdapter(max_retries=retry))
