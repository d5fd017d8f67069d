"""Where credentials are found, and errors about bad ones, by the real client."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from medfold.kaggle import KaggleCompetitions, KaggleSession
from medfold.kaggle.credentials import Credentials
from tests.support.helpers import refused
from tests.support.kaggle_server import KEY, TOKEN, status


def test_token_in_the_environment_is_used(kaggle, monkeypatch):
    assert KaggleSession.connect().credentials == Credentials("alice", "token in KAGGLE_API_TOKEN")
    monkeypatch.setenv("KAGGLE_API_TOKEN", f"{TOKEN}\n")  # .env files may add a line break
    assert KaggleSession.connect().credentials.user == "alice"


def test_token_file_named_by_the_environment_is_used(kaggle, monkeypatch):
    (kaggle.home / "token.txt").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(kaggle.home / "token.txt"))
    assert KaggleSession.connect().credentials.user == "alice"
    (kaggle.home / "token.txt").write_text("")
    with refused("empty token in KAGGLE_API_TOKEN.*https://www.kaggle.com/settings/api"):
        KaggleSession.connect()


@pytest.mark.parametrize("name", ["access_token", "access_token.txt"])
def test_token_file_is_used(kaggle_json, name):
    kaggle_json.with_name(name).write_text(TOKEN)
    assert KaggleSession.connect().credentials.source == "token in ~/.kaggle/access_token"


def test_error_about_expired_token_names_its_source(kaggle, monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_gone")
    with refused("token in KAGGLE_API_TOKEN is expired.*kaggle.com/settings/api, and save it in"):
        KaggleSession.connect()
    kaggle.fault("IntrospectToken", status(404, "no such token"))
    with refused("the token in KAGGLE_API_TOKEN is expired"):
        KaggleSession.connect()


def test_long_token_is_not_taken_for_a_path_nor_shown(kaggle, monkeypatch):
    token = "eyJhbGciOi" * 50
    monkeypatch.setenv("KAGGLE_API_TOKEN", token)
    with refused("the token in KAGGLE_API_TOKEN is expired") as raised:
        KaggleSession.connect()
    assert token not in str(raised.value)
    kaggle.active_tokens[token] = "bob"
    assert KaggleSession.connect().credentials.user == "bob"


def test_busy_server_at_sign_in_is_reported(kaggle):
    kaggle.fault("IntrospectToken", *[status(503, "maintenance")] * 9)
    with refused("credentials: Kaggle answers 503: maintenance. Try again later"):
        KaggleSession.connect()


@pytest.mark.parametrize("token", ["two words", "tökén", "KGAT_a\nKGAT_b"])
def test_malformed_token_is_not_sent(kaggle, monkeypatch, token):
    monkeypatch.setenv("KAGGLE_API_TOKEN", token)
    with refused("a token with spaces or invalid characters in KAGGLE_API_TOKEN"):
        KaggleSession.connect()
    assert kaggle.log == []


def test_stale_token_error_offers_the_key_beside_it(kaggle_json, kaggle):
    kaggle_json.write_text(json.dumps({"username": "alice", "key": KEY}))
    kaggle_json.with_name("access_token").write_text("KGAT_stale")
    with refused(r"token in ~/.kaggle/access_token is expired.*remove the old one, to use ~/.kaggle/kaggle.json"):
        KaggleSession.connect()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_key_in_kaggle_json_is_used(kaggle_json, hosted, encoding):
    kaggle_json.write_text(json.dumps({"username": "alice", "key": KEY}), encoding=encoding)  # also as Windows saves it
    kaggle = KaggleSession.connect()
    assert kaggle.credentials == Credentials("alice", "key in ~/.kaggle/kaggle.json")
    assert KaggleCompetitions(kaggle).info("histology").has_joined


def test_key_in_the_environment_overrides_the_file(kaggle_json, hosted, monkeypatch):
    kaggle_json.write_text("{not json")
    monkeypatch.setenv("KAGGLE_USERNAME", "alice")
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    kaggle = KaggleSession.connect()
    assert kaggle.credentials.source == "key in KAGGLE_USERNAME and KAGGLE_KEY"
    assert KaggleCompetitions(kaggle).info("histology").has_joined


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{not json", r"~/.kaggle/kaggle.json: not readable as kaggle.json"),
        ("[]", r"not readable as kaggle.json: it is not JSON with username and key"),
        ('{"username": "alice"}', r"~/.kaggle/kaggle.json: 'key' is missing"),
        (json.dumps({"username": "alice", "key": TOKEN}), r"'key' holds an API token.*access_token instead"),
    ],
)
def test_malformed_kaggle_json_is_refused(kaggle_json, content, message):
    kaggle_json.write_text(content)
    with refused(message):
        KaggleSession.connect()


def test_wrong_key_raises_at_the_first_request(kaggle_json, hosted):
    kaggle_json.write_text(json.dumps({"username": "alice", "key": "wrong"}))
    with refused("histology: .*not accept the key in ~/.kaggle/kaggle.json. Create a new"):
        KaggleCompetitions(KaggleSession.connect()).info("histology")


def write_login(kaggle_json, refresh, expiration="2020-01-01T00:00:00+00:00"):
    content = {"refresh_token": refresh, "access_token": "old", "username": "alice", "scopes": []}
    kaggle_json.with_name("credentials.json").write_text(json.dumps({**content, "access_token_expiration": expiration}))


def test_expired_login_is_renewed(kaggle_json, hosted):
    write_login(kaggle_json, "good")
    kaggle = KaggleSession.connect()
    assert kaggle.credentials == Credentials("alice", "login in ~/.kaggle/credentials.json")
    assert KaggleCompetitions(kaggle).info("histology").has_joined


def test_unrenewable_or_malformed_login_is_refused(kaggle_json):
    write_login(kaggle_json, "bad")
    with refused("the login in ~/.kaggle/credentials.json is expired.*Run: kaggle auth login"):
        KaggleSession.connect()
    write_login(kaggle_json, "good", "yesterday")
    with refused("~/.kaggle/credentials.json: not readable.*Run: kaggle auth login"):
        KaggleSession.connect()
    assert kaggle_json.with_name("credentials.json").is_file()  # the official client would delete it
    kaggle_json.with_name("credentials.json").write_text("[]")
    with refused("~/.kaggle/credentials.json: not readable.*Run: kaggle auth login"):
        KaggleSession.connect()


def test_just_expired_login_is_renewed(kaggle_json, hosted):
    """The official client alone would use it for another half an hour."""
    write_login(kaggle_json, "good", (datetime.now(UTC) - timedelta(minutes=10)).isoformat())
    assert KaggleCompetitions(KaggleSession.connect()).info("histology").has_joined


def test_refused_login_raises_with_the_login_command(kaggle_json, hosted):
    write_login(kaggle_json, "good", "2099-01-01T00:00:00+00:00")
    with refused("histology: .*login in ~/.kaggle/credentials.json.*kaggle auth login"):
        KaggleCompetitions(KaggleSession.connect()).info("histology")


def test_token_of_a_kaggle_notebook_is_used(kaggle, monkeypatch):
    (kaggle.home / "notebook-token").write_text(TOKEN)
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    monkeypatch.setenv("KAGGLE_DATA_PROXY_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("KAGGLE_API_V1_TOKEN", str(kaggle.home / "notebook-token"))
    assert KaggleSession.connect().credentials.source == "token in KAGGLE_API_V1_TOKEN"


def test_missing_credentials_raise_unless_anonymous(kaggle_json):
    with refused("no Kaggle credentials found.*https://www.kaggle.com/settings/api"):
        KaggleSession.connect()
    assert KaggleSession.connect(anonymous=True).credentials is None
