"""Where credentials are found, and what is said of bad ones, by the real client."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from medfold.errors import UserError
from medfold.kaggle.competitions import Competitions
from medfold.kaggle.credentials import Credentials
from medfold.kaggle.session import KaggleSession
from tests.support.helpers import refused
from tests.support.kaggle_server import KEY, TOKEN, status


def test_a_token_in_the_environment(kaggle, monkeypatch):
    assert KaggleSession.connect().credentials == Credentials("alice", "token in KAGGLE_API_TOKEN")
    monkeypatch.setenv("KAGGLE_API_TOKEN", f"{TOKEN}\n")  # what `export X="$(cat file)"` does not do, but .env files do
    assert KaggleSession.connect().credentials.user == "alice"


def test_a_token_in_a_file_that_the_environment_names(kaggle, tmp_path, monkeypatch):
    (kaggle.home / "token.txt").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(kaggle.home / "token.txt"))
    assert KaggleSession.connect().credentials.user == "alice"
    (kaggle.home / "token.txt").write_text("")
    with refused("an empty token in KAGGLE_API_TOKEN. Create a new token at https://www.kaggle.com/settings/api"):
        KaggleSession.connect()


@pytest.mark.parametrize("name", ["access_token", "access_token.txt"])
def test_a_token_file(config, name):
    config.with_name(name).write_text(TOKEN)
    assert KaggleSession.connect().credentials.source == "token in ~/.kaggle/access_token"


def test_an_expired_or_wrong_token_is_named_by_its_source(kaggle, monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_gone")
    with refused("the token in KAGGLE_API_TOKEN is expired, revoked or mistyped. .*kaggle.com/settings/api$"):
        KaggleSession.connect()
    kaggle.fault("IntrospectToken", status(404, "no such token"))
    with refused("the token in KAGGLE_API_TOKEN is expired"):
        KaggleSession.connect()


def test_a_very_long_token_is_not_taken_for_a_path_and_shown(kaggle, monkeypatch):
    token = "eyJhbGciOi" * 50
    monkeypatch.setenv("KAGGLE_API_TOKEN", token)
    with pytest.raises(UserError, match="the token in KAGGLE_API_TOKEN is expired") as raised:
        KaggleSession.connect()
    assert token not in str(raised.value)
    kaggle.active_tokens[token] = "bob"
    assert KaggleSession.connect().credentials.user == "bob"


def test_a_kaggle_that_is_busy_at_sign_in_is_told(kaggle):
    kaggle.fault("IntrospectToken", *[status(503, "maintenance")] * 9)
    with refused("credentials: Kaggle answers 503: maintenance. Try again later"):
        KaggleSession.connect()


@pytest.mark.parametrize("token", ["two words", "tökén", "KGAT_a\nKGAT_b"])
def test_a_malformed_token_never_leaves(kaggle, monkeypatch, token):
    monkeypatch.setenv("KAGGLE_API_TOKEN", token)
    with refused("a token with spaces or invalid characters in KAGGLE_API_TOKEN"):
        KaggleSession.connect()
    assert kaggle.log == []


def test_a_stale_token_beside_a_good_key_says_that_it_wins(config, kaggle):
    config.write_text(json.dumps({"username": "alice", "key": KEY}))
    config.with_name("access_token").write_text("KGAT_stale")
    with refused(r"token in ~/.kaggle/access_token is expired.* or remove it to use ~/.kaggle/kaggle.json"):
        KaggleSession.connect()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_key_in_kaggle_json(config, hosted, encoding):
    config.write_text(json.dumps({"username": "alice", "key": KEY}), encoding=encoding)  # as Windows saves it, too
    kaggle = KaggleSession.connect()
    assert kaggle.credentials == Credentials("alice", "key in ~/.kaggle/kaggle.json")
    assert Competitions(kaggle).info("histology").has_joined


def test_a_key_in_the_environment_overrides_the_file(config, hosted, monkeypatch):
    config.write_text("{not json")
    monkeypatch.setenv("KAGGLE_USERNAME", "alice")
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    kaggle = KaggleSession.connect()
    assert kaggle.credentials.source == "key in KAGGLE_USERNAME and KAGGLE_KEY"
    assert Competitions(kaggle).info("histology").has_joined


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{not json", r"~/.kaggle/kaggle.json: not readable as kaggle.json"),
        ("[]", r"not readable as kaggle.json .not a mapping"),
        ('{"username": "alice"}', r"~/.kaggle/kaggle.json: 'key' is missing"),
        (json.dumps({"username": "alice", "key": TOKEN}), r"'key' holds an API token.*access_token instead"),
    ],
)
def test_a_malformed_kaggle_json_is_told(config, content, message):
    config.write_text(content)
    with refused(message):
        KaggleSession.connect()


def test_a_wrong_key_is_known_by_the_first_answer(config, hosted):
    config.write_text(json.dumps({"username": "alice", "key": "wrong"}))
    with refused("histology: Kaggle does not accept the key in ~/.kaggle/kaggle.json. Create a new"):
        Competitions(KaggleSession.connect()).info("histology")


def login(config, refresh, expiration="2020-01-01T00:00:00+00:00"):
    content = {"refresh_token": refresh, "access_token": "old", "username": "alice", "scopes": []}
    config.with_name("credentials.json").write_text(json.dumps({**content, "access_token_expiration": expiration}))


def test_a_login_is_renewed(config, hosted):
    login(config, "good")
    kaggle = KaggleSession.connect()
    assert kaggle.credentials == Credentials("alice", "login in ~/.kaggle/credentials.json")
    assert Competitions(kaggle).info("histology").has_joined


def test_an_expired_or_malformed_login_is_told(config):
    login(config, "bad")
    with refused("the login in ~/.kaggle/credentials.json is expired.*Run: kaggle auth login"):
        KaggleSession.connect()
    login(config, "good", "yesterday")
    with refused("~/.kaggle/credentials.json: not readable.*Run: kaggle auth login"):
        KaggleSession.connect()
    assert config.with_name("credentials.json").is_file()  # the official client deletes it
    config.with_name("credentials.json").write_text("[]")
    with refused("~/.kaggle/credentials.json: not readable.*Run: kaggle auth login"):
        KaggleSession.connect()


def test_a_login_that_has_just_expired_is_renewed(config, hosted):
    """The official client goes on using it for half an hour."""
    login(config, "good", (datetime.now(UTC) - timedelta(minutes=10)).isoformat())
    assert Competitions(KaggleSession.connect()).info("histology").has_joined


def test_a_login_that_is_refused_names_the_way_to_a_new_one(config, hosted):
    login(config, "good", "2099-01-01T00:00:00+00:00")
    with refused("histology: Kaggle does not accept the login in ~/.kaggle/credentials.json. Run: kaggle auth login"):
        Competitions(KaggleSession.connect()).info("histology")


def test_a_kaggle_notebook_has_its_own_token(kaggle, monkeypatch, tmp_path):
    (kaggle.home / "notebook-token").write_text(TOKEN)
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    monkeypatch.setenv("KAGGLE_DATA_PROXY_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("KAGGLE_API_V1_TOKEN", str(kaggle.home / "notebook-token"))
    assert KaggleSession.connect().credentials.source == "token in KAGGLE_API_V1_TOKEN"


def test_no_credentials_name_the_page_and_the_places(config):
    with refused("no Kaggle credentials found. Create a token at https://www.kaggle.com/settings/api and put it into"):
        KaggleSession.connect()
    assert KaggleSession.connect(anonymous=True).credentials is None
