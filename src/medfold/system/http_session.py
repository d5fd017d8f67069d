"""HTTP sessions that give no secret away: no password from .netrc, and no redirect that could carry one elsewhere."""

from urllib.parse import urlsplit

import requests
from requests.auth import HTTPBasicAuth
from requests.utils import get_auth_from_url


class UnsafeRedirectError(requests.RequestException):
    """A redirect that is not followed; its text says where it leads."""


class GuardedSession(requests.Session):
    """Session that sends only its own credentials, or those in the address, and these to no other host.

    Other than a plain session it reads no `.netrc`: an address in a competition.yaml of others must not get a password
    that is there. A redirect from https to http is an error.

    Args:
        same_host: whether a redirect to another host is an error; otherwise it is followed without credentials.
            Defaults to False.
    """

    def __init__(self, same_host: bool = False):
        super().__init__()
        self.auth = _credentials_in_address  # with a value here, requests does not look into .netrc
        self.same_host = same_host

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Checks a redirect, and removes the credentials if it leads to another host; requests calls it.

        Raises:
            UnsafeRedirectError: a redirect leads from https to http, or to a different host although `same_host` is
                set.
        """
        before, after = response.request.url, prepared_request.url
        check_stays_encrypted(before, after)
        if self.should_strip_auth(before, after):
            if self.same_host:
                raise UnsafeRedirectError(f"redirected to another host ({urlsplit(after).hostname})")
            prepared_request.headers.pop("Authorization", None)


def check_stays_encrypted(before: str, after: str) -> None:
    """Checks a redirect.

    Args:
        before: address that was requested.
        after: address that the server names instead.

    Raises:
        UnsafeRedirectError: a redirect leads from https to http.
    """
    if urlsplit(before).scheme == "https" and urlsplit(after).scheme == "http":
        raise UnsafeRedirectError(f"redirected from https to http ({urlsplit(after).hostname})")


def _credentials_in_address(request: requests.PreparedRequest) -> requests.PreparedRequest:
    user, password = get_auth_from_url(request.url)
    return HTTPBasicAuth(user, password)(request) if user or password else request
