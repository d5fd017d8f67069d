"""Sessions that send no password from .netrc, and whose redirects carry no credentials elsewhere."""

import base64

import pytest
import requests
from requests.adapters import BaseAdapter

from medfold.system.http_session import GuardedSession, UnsafeRedirectError, check_stays_encrypted
from tests.support.loopback_server import LoopbackServer


@pytest.fixture(autouse=True)
def netrc(tmp_path, monkeypatch):
    """A .netrc with a password for every host; no proxies."""
    path = tmp_path / "netrc"
    path.write_text("machine 127.0.0.1 login a password secret\ndefault login b password secret\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


@pytest.fixture
def servers():
    """Two servers, on two ports."""
    with LoopbackServer() as first, LoopbackServer() as second:
        yield first, second


def authorizations(server):
    return [headers.get("Authorization") for _, headers, _ in server.requests]


def test_plain_session_would_send_the_password_of_netrc(servers):
    first, _ = servers
    requests.get(first.address("/a"), timeout=5)
    assert authorizations(first)[0].startswith("Basic ")


def test_password_of_netrc_is_not_sent(servers):
    first, second = servers
    first.redirects["/a"] = second.address("/b", host="localhost")
    assert GuardedSession().get(first.address("/a"), timeout=5).content == b"content"
    assert authorizations(first) == authorizations(second) == [None]


def test_credentials_in_the_address_are_sent_to_its_host_only(servers):
    first, second = servers
    first.redirects["/a"] = second.address("/b", host="localhost")
    GuardedSession().get(first.address("/a", user="ann:pass@"), timeout=5)
    assert authorizations(first) == [f"Basic {base64.b64encode(b'ann:pass').decode()}"]
    assert authorizations(second) == [None]


def test_own_credentials_stay_on_their_host(servers):
    first, second = servers
    first.redirects = {"/a": second.address("/b"), "/same": first.address("/b")}
    session = GuardedSession()
    session.auth = ("ann", "pass")
    session.get(first.address("/a"), timeout=5)
    session.get(first.address("/same"), timeout=5)
    assert None not in authorizations(first)
    assert authorizations(second) == [None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_session_for_one_host_follows_no_redirect_to_another(servers, status, host):
    first, second = servers
    first.redirects["/a"], first.status = second.address("/b", host), status
    with pytest.raises(UnsafeRedirectError, match=rf"redirected to another host \({host}\)"):
        GuardedSession(same_host=True).post(first.address("/a"), data=b"token", timeout=5)
    assert second.requests == []


class EncryptedServer(BaseAdapter):
    """Answers https requests with a redirect."""

    def __init__(self, location: str):
        super().__init__()
        self.location = location

    def send(self, request, **options):
        response = requests.Response()
        response.status_code, response.url, response.request = 302, request.url, request
        response.headers["Location"] = self.location
        response._content = b""
        response.raw = type("Raw", (), {"_original_response": None})()
        return response

    def close(self):
        """Has nothing to close."""


def test_redirect_from_https_to_http_is_an_error(servers):
    first, _ = servers
    session = GuardedSession()
    session.mount("https://", EncryptedServer(first.address("/a")))
    with pytest.raises(UnsafeRedirectError, match=r"redirected from https to http \(127\.0\.0\.1\)"):
        session.get("https://127.0.0.1/a", timeout=5)
    assert first.requests == []


@pytest.mark.parametrize(
    ("before", "after"), [("https://a/x", "https://b/x"), ("http://a/x", "http://b/x"), ("http://a/x", "https://a/x")]
)
def test_other_redirects_stay_encrypted(before, after):
    check_stays_encrypted(before, after)
