"""The real client against a Kaggle on 127.0.0.1: credentials, facts, submissions."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from medfold import http_download
from medfold.competition.slugs import slug_of
from medfold.errors import UserError
from medfold.kaggle import client, session
from medfold.kaggle.session import KaggleSession
from tests.conftest import REPOSITORY
from tests.support.kaggle_server import KEY, TOKEN, HostedCompetition, lose, stall, status


@pytest.fixture
def hosted(kaggle):
    kaggle.competitions["histology"] = HostedCompetition(files={f"train/{n:02}.tif": b"x" for n in range(45)})
    return kaggle


@pytest.fixture
def config(kaggle, monkeypatch):
    """Where the client looks for kaggle.json: settled when it is imported, here anew; without a token."""
    path = kaggle.home / ".kaggle" / "kaggle.json"
    path.parent.mkdir()
    monkeypatch.setattr(client._client_class(), "config", str(path))
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    return path


def refused(match):
    return pytest.raises(UserError, match=match)


# Credentials


def test_a_token_in_the_environment(kaggle, monkeypatch):
    assert KaggleSession.connect().credentials == session.Credentials("alice", "token in KAGGLE_API_TOKEN")
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
    with refused("a token with blanks or odd characters in KAGGLE_API_TOKEN"):
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
    assert kaggle.credentials == session.Credentials("alice", "key in ~/.kaggle/kaggle.json")
    assert kaggle.facts("histology").joined


def test_a_key_in_the_environment_overrides_the_file(config, hosted, monkeypatch):
    config.write_text("{not json")
    monkeypatch.setenv("KAGGLE_USERNAME", "alice")
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    kaggle = KaggleSession.connect()
    assert kaggle.credentials.source == "key in KAGGLE_USERNAME and KAGGLE_KEY"
    assert kaggle.facts("histology").joined


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{not json", r"~/.kaggle/kaggle.json: not readable as kaggle.json"),
        ("[]", r"not readable as kaggle.json .no mapping"),
        ('{"username": "alice"}', r"~/.kaggle/kaggle.json: no 'key' in it"),
        (json.dumps({"username": "alice", "key": TOKEN}), r"'key' holds a token of the new kind.*access_token instead"),
    ],
)
def test_a_malformed_kaggle_json_is_told(config, content, message):
    config.write_text(content)
    with refused(message):
        KaggleSession.connect()


def test_a_wrong_key_is_known_by_the_first_answer(config, hosted):
    config.write_text(json.dumps({"username": "alice", "key": "wrong"}))
    with refused("histology: Kaggle does not accept the key in ~/.kaggle/kaggle.json. Create a new"):
        KaggleSession.connect().facts("histology")


def login(config, refresh, expiration="2020-01-01T00:00:00+00:00"):
    content = {"refresh_token": refresh, "access_token": "old", "username": "alice", "scopes": []}
    config.with_name("credentials.json").write_text(json.dumps({**content, "access_token_expiration": expiration}))


def test_a_login_is_renewed(config, hosted):
    login(config, "good")
    kaggle = KaggleSession.connect()
    assert kaggle.credentials == session.Credentials("alice", "login in ~/.kaggle/credentials.json")
    assert kaggle.facts("histology").joined


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
    assert KaggleSession.connect().facts("histology").joined


def test_a_login_that_is_refused_names_the_way_to_a_new_one(config, hosted):
    login(config, "good", "2099-01-01T00:00:00+00:00")
    with refused("histology: Kaggle does not accept the login in ~/.kaggle/credentials.json. Run: kaggle auth login"):
        KaggleSession.connect().facts("histology")


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


def test_importing_asks_nobody_and_prints_nothing(kaggle):
    """As `import kaggle` does: it authenticates over the network, and prints help or, if VERBOSE is set, the token."""
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


# Answers


@pytest.mark.parametrize(
    ("text", "folder", "slug"),
    [
        ("histology", "competitions", "histology"),
        ("https://www.kaggle.com/competitions/histology", "competitions", "histology"),
        ("https://www.kaggle.com/competitions/histology/data?select=train.csv", "competitions", "histology"),
        ("kaggle.com/c/histology/", "competitions", "histology"),
        ("alice/x-rays", "datasets", "alice/x-rays"),
        ("https://www.kaggle.com/datasets/alice/x-rays/data", "datasets", "alice/x-rays"),
    ],
)
def test_slugs_are_read_from_what_people_paste(text, folder, slug):
    assert slug_of(text, folder) == slug


@pytest.mark.parametrize(("text", "folder"), [("x-rays", "datasets"), ("a/b/c", "competitions"), ("", "competitions")])
def test_what_is_no_slug_is_refused(text, folder):
    with pytest.raises(ValueError, match="expected a slug"):
        slug_of(text, folder)


def test_an_unknown_competition_gets_the_nearest_name(hosted):
    with refused("histolgy: Kaggle knows no such competition .did you mean 'histology'"):
        KaggleSession.connect().facts("histolgy")


def test_a_competition_that_is_closed_to_one_tells_kaggles_words(hosted):
    hosted.fault("GetCompetition", status(403, "Permission 'competitions.get' was denied"))
    with refused("histology: Kaggle refuses: Permission .* denied. Look at .*/histology/rules: are they accepted"):
        KaggleSession.connect().facts("histology")


def test_rules_not_accepted_name_the_page(hosted):
    hosted.competitions["histology"].entered = False
    with refused("not joined.*https://www.kaggle.com/competitions/histology/rules, with a phone number verified"):
        KaggleSession.connect().joined("histology")
    hosted.competitions["histology"].deadline = "2019-03-30T23:59:00Z"
    with refused("it ended on 2019-03-30; most still take late entries"):
        KaggleSession.connect().joined("histology")


def test_listings_have_all_pages(hosted):
    assert KaggleSession.connect().competition_files("histology") == {f"train/{n:02}.tif": 1 for n in range(45)}


def test_the_token_of_a_page_says_whether_there_are_more_submissions(hosted):
    """A server that gives 20 rows a page, whatever is asked for."""
    hosted.page_size = 20
    verdict = {"status": "COMPLETE", "publicScore": "0.5", "privateScore": "", "errorDescription": ""}
    for number in range(45):
        made = {"ref": 41000001 + number, "date": "2026-01-02T03:04:05Z", "description": f"file {number}"}
        hosted.submissions.append(
            {**made, "fileName": "a.csv", "competition": "histology", "polls": 0, "verdict": verdict}
        )
    listed = [each.ref for each in KaggleSession.connect().submissions("histology", 1000)]
    assert listed == [41000045 - number for number in range(45)]
    assert KaggleSession.connect().ref_of("histology", "file 14") == 41000015  # the 31st
    assert KaggleSession.connect().ref_of("histology", "file 99") is None


@pytest.mark.parametrize("faults", [[status(429)], [status(503), status(503)], [lose]])
def test_a_busy_kaggle_is_asked_again(hosted, faults):
    hosted.fault("GetCompetition", *faults)
    assert KaggleSession.connect().facts("histology").joined
    assert hosted.asked("GetCompetition") == len(faults) + 1


def test_how_long_kaggle_asks_to_wait_is_kept(hosted):
    hosted.fault("GetCompetition", status(429, Retry_After="9"))
    KaggleSession.connect().facts("histology")
    assert hosted.waits == [9]
    assert "Kaggle answers 429; again in 9 s" in hosted.said()


def test_a_kaggle_that_stays_busy_is_told(hosted):
    hosted.fault("GetCompetition", *[status(503, "overloaded")] * 9)
    with refused("histology: Kaggle answers 503: overloaded. Try again later"):
        KaggleSession.connect().facts("histology")


def test_a_kaggle_that_is_silent_is_told(hosted, monkeypatch):
    monkeypatch.setattr(http_download, "TIMEOUT", (1, 0.2))
    hosted.fault("GetCompetition", *[stall(1, after=-1)] * 9)
    with refused("histology: Kaggle cannot be reached: no answer for 0.2 s. Check the network"):
        KaggleSession.connect().facts("histology")


def test_no_network_is_told(kaggle, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with refused("Kaggle cannot be reached: .*Check the network; proxies are set by https_proxy"):
        KaggleSession.connect()


def test_a_refused_download_tells_kaggles_words(hosted):
    hosted.fault("DownloadDataFiles", status(403, "You must verify your phone"))
    with refused("histology: Kaggle refuses: You must verify your phone. Accept the rules at .*histology/rules"):
        KaggleSession.connect().open_competition("histology")


def test_an_answer_that_makes_no_sense_is_told(hosted):
    hosted.fault("GetCompetition", lambda handler, answer: handler.answer(200, b"<html>", {}))
    with refused("histology: an answer of Kaggle that makes no sense .*Try later"):
        KaggleSession.connect().facts("histology")


# Submissions


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "submission.csv"
    path.write_text("id,label\n1,0.5\n")
    return path


def test_a_submission_arrives_with_its_message(hosted, file):
    kaggle = KaggleSession.connect()
    assert kaggle.limits("histology") == session.Limits(5, False)
    ref = kaggle.submit("histology", file, "medfold baseline, file abc", "file abc")
    assert hosted.submissions[0]["text"] == file.read_bytes()
    found = kaggle.submission(ref)
    assert (found.status, found.public, found.private) == ("complete", 0.87654, None)
    assert found.message == "medfold baseline, file abc"
    assert kaggle.ref_of("histology", "file abc") == ref
    assert kaggle.ref_of("histology", "file xyz") is None


def test_a_kaggle_that_is_slow_to_take_it_is_waited_for_and_not_asked_twice(hosted, file, monkeypatch):
    """The answer does not come in time, and the submission stands in the list only later."""
    monkeypatch.setattr(http_download, "TIMEOUT", (1, 0.2))

    def later(handler, answer):
        time.sleep(0.5)
        answer(limit=-1)

    hosted.fault("CreateSubmission", later)
    monkeypatch.setattr(session, "wait", lambda seconds: time.sleep(0.2))
    assert KaggleSession.connect().submit("histology", file, "m, file abc", "file abc") == 41000001
    assert hosted.asked("CreateSubmission") == 1


def test_a_submission_that_cannot_be_found_is_not_sent_again(hosted, file):
    hosted.fault("CreateSubmission", lambda handler, answer: handler.answer(200, b"", limit=-1))
    with refused("it is not known whether Kaggle took the submission. Run it again in some minutes: Kaggle's list is"):
        KaggleSession.connect().submit("histology", file, "m, file abc", "file abc")
    assert hosted.asked("CreateSubmission") == 1
    assert sum(hosted.waits) > 60


def test_an_answer_without_sense_is_looked_up(hosted, file):
    def page(handler, answer):
        handler.say = lambda value, **how: handler.answer(200, b"<html>proxy</html>", {"Content-Type": "text/html"})
        answer()

    hosted.fault("CreateSubmission", page)
    assert KaggleSession.connect().submit("histology", file, "m, file abc", "file abc") == 41000001
    assert len(hosted.submissions) == 1
    hosted.fault("StartSubmissionUpload", page)
    with refused("an answer of Kaggle that makes no sense"):
        KaggleSession.connect().submit("histology", file, "m, file xyz", "file xyz")


def test_limits_that_are_not_told_are_not_zero(hosted):
    hosted.fault("GetSubmissionLimits", lambda handler, answer: handler.say({}))
    assert KaggleSession.connect().limits("histology").left is None


@pytest.mark.parametrize("fault", [lose, status(500), status(502)])
def test_a_lost_answer_is_looked_up_not_repeated(hosted, file, fault):
    def done_but_unheard(handler, answer):
        if fault is lose:
            lose(handler, answer)
        else:
            original, handler.say = handler.say, lambda value, **how: None
            answer()
            handler.say = original
            fault(handler, answer)

    hosted.fault("CreateSubmission", done_but_unheard)
    assert KaggleSession.connect().submit("histology", file, "m, file abc", "file abc") == 41000001
    assert len(hosted.submissions) == 1


def test_a_request_that_never_arrived_is_repeated(hosted, file):
    hosted.fault("CreateSubmission", status(503))
    assert KaggleSession.connect().submit("histology", file, "m, file abc", "file abc") == 41000001
    assert len(hosted.submissions) == 1
    assert hosted.asked("CreateSubmission") == 2


def test_a_kaggle_that_takes_no_submission_is_told(hosted, file):
    hosted.fault("CreateSubmission", *[status(503)] * 9)
    with refused("Kaggle is too busy to take submissions; nothing was submitted"):
        KaggleSession.connect().submit("histology", file, "m, file abc", "file abc")
    assert hosted.asked("CreateSubmission") == session.ATTEMPTS


def test_a_refusal_is_told_with_its_reason(hosted, file):
    hosted.fault("CreateSubmission", status(400, "Submission has 3 rows, 4 expected"))
    with refused("histology: Kaggle answers 400: Submission has 3 rows, 4 expected"):
        KaggleSession.connect().submit("histology", file, "m, file abc", "file abc")
    assert hosted.asked("CreateSubmission") == 1


def test_a_submission_without_a_number_is_none(hosted, file):
    hosted.fault("CreateSubmission", lambda handler, answer: handler.say({"message": "Could not submit", "ref": 0}))
    with refused("Kaggle made no submission of it: Could not submit"):
        KaggleSession.connect().submit("histology", file, "m, file abc", "file abc")


def test_a_failed_upload_submits_nothing(hosted, file):
    hosted.fault("upload", status(403))
    with refused("submission.csv: upload failed: the storage answers 403 Forbidden. Nothing was submitted"):
        KaggleSession.connect().submit("histology", file, "m, file abc", "file abc")
    assert hosted.submissions == []


def test_a_shaky_upload_is_repeated_whole(hosted, file):
    hosted.fault("upload", status(503), lose)
    KaggleSession.connect().submit("histology", file, "m, file abc", "file abc")
    assert hosted.submissions[0]["text"] == file.read_bytes()


def test_an_upload_that_hangs_is_told(hosted, file, monkeypatch):
    monkeypatch.setattr(http_download, "TIMEOUT", (1, 0.2))
    hosted.fault("upload", *[stall(1, after=-1)] * 9)
    with refused("upload failed: no answer for 0.2 s. Nothing was submitted"):
        KaggleSession.connect().submit("histology", file, "m, file abc", "file abc")
