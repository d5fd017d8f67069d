"""Failed requests to Kaggle, each converted into one `UserError`."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests

from medfold.errors import UnavailableError, UserError
from medfold.kaggle.client import SITE, TOKEN_PAGE
from medfold.system import http_download

TOKEN_FIX = f"Create a new token at {TOKEN_PAGE}, and save it in ~/.kaggle/access_token"
LOGIN_FIX = "Run: kaggle auth login"

# Exceptions of the official client for an answer in an unexpected format.
FORMAT_ERRORS = (KeyError, ValueError, TypeError, AttributeError)
REQUEST_ERRORS = (requests.RequestException, *FORMAT_ERRORS)


@contextmanager
def kaggle_errors(where: str, source: str, if_refused: str | None = None) -> Iterator[None]:
    """Converts the errors of requests to Kaggle inside the block into UserErrors.

    Args:
        where: name of what was requested, such as a competition.
        source: file or variable that the credentials are from.
        if_refused: advice for a refusal (403), for the error message. Defaults to none.
    """
    try:
        yield
    except requests.RequestException as error:
        if error.response is not None and "Service/" not in error.response.url:
            raise  # from the file storage, not from Kaggle itself: `http_download` handles it
        raise explain(error, where, source, if_refused) from None
    except FORMAT_ERRORS as error:
        fix = "Try again later; if it stays so, please report it"
        raise UserError(f"Kaggle sent an answer that cannot be read ({error})", where, fix) from error


def explain(error: requests.RequestException, where: str, source: str, if_refused: str | None = None) -> UserError:
    """Describes a failed request, without URLs: they may be signed.

    Args:
        error: exception that the request raised.
        where: name of what was requested.
        source: file or variable that the credentials are from; '' without credentials.
        if_refused: advice for a refusal (403), for the error message. Defaults to none.

    Returns:
        An error that names what was requested, the reason and what to do.
    """
    if error.response is None:
        fix = "Check the network; proxies are set by https_proxy, their certificates by REQUESTS_CA_BUNDLE"
        return UnavailableError(f"Kaggle cannot be reached: {http_download.failure_reason(error)}", where, fix)
    status = error.response.status_code
    message = str(error) if "url:" not in str(error) else error.response.reason
    if status == 401 and not source:
        return UserError("Kaggle asks for credentials", where, TOKEN_FIX)
    if status == 401:
        fix = LOGIN_FIX if source.startswith("login") else TOKEN_FIX
        return UserError(f"Kaggle does not accept the {source}", where, fix)
    if status == 403:
        fix = if_refused or f"Check on {SITE} what your account may see"
        return UserError(f"Kaggle refuses: {message}", where, fix)
    if status == 404:
        return UserError(
            f"not found on Kaggle: {message}", where, "Check the name, and whether your account may see it"
        )
    is_temporary = status == 429 or status >= 500
    fix = "Try again later" if is_temporary else "Open its page on Kaggle; if it works there, please report it"
    return UserError(f"Kaggle answers {status}: {message}", where, fix)


def status_of(error: Exception) -> int | None:
    """Returns the HTTP status of a failed request; None if there was no answer, or an unreadable one."""
    response = error.response if isinstance(error, requests.RequestException) else None
    return None if response is None else response.status_code


def reason_of(error: Exception) -> str:
    """Returns a short reason why a request failed, without URLs."""
    return (
        http_download.failure_reason(error) if isinstance(error, requests.RequestException) else "an unreadable answer"
    )


def is_final(error: Exception) -> bool:
    """Returns True if a retry cannot help."""
    status = status_of(error)
    return status is not None and status < 500 and status not in (408, 429)


def advice(problem: str) -> str | None:
    """Returns what to do about Kaggle's reason not to run a notebook; None if the reason is unknown."""
    problem = problem.lower()
    if "quota" in problem or "gpu hours" in problem:
        return f"See this week's remaining GPU hours: {SITE}/settings"
    if "phone" in problem or "verif" in problem:
        return f"Verify your phone number: {SITE}/settings"
    if "concurrent" in problem or "maximum" in problem:
        return f"Wait for other sessions to end, or stop them: {SITE}/code?active=true"
    return None
