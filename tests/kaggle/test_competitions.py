"""Competitions and submissions, by the real client against an imitated Kaggle on 127.0.0.1."""

import time

import pytest

from medfold.kaggle import KaggleSession, competitions
from medfold.kaggle.competitions import KaggleCompetitions
from medfold.system import http_download, waiting
from tests.support.helpers import refused
from tests.support.kaggle_server import lose, stall, status


def test_unknown_competition_of_kaggle_suggests_the_nearest(hosted):
    with refused("histolgy: no such competition on Kaggle .did you mean 'histology'"):
        KaggleCompetitions(KaggleSession.connect()).info("histolgy")


def test_forbidden_competition_shows_the_message_of_kaggle(hosted):
    hosted.fault("GetCompetition", status(403, "Permission 'competitions.get' was denied"))
    with refused("histology: .*Permission .* denied.*/histology/rules.*phone number"):
        KaggleCompetitions(KaggleSession.connect()).info("histology")


def test_unaccepted_rules_raise_with_the_page(hosted):
    hosted.competitions["histology"].entered = False
    with refused("not joined.*https://www.kaggle.com/competitions/histology/rules.*phone number"):
        KaggleCompetitions(KaggleSession.connect()).joined("histology")
    hosted.competitions["histology"].deadline = "2019-03-30T23:59:00Z"
    with refused("it ended on 2019-03-30; most still take late entries"):
        KaggleCompetitions(KaggleSession.connect()).joined("histology")


def test_submissions_are_listed_over_all_pages(hosted):
    """The server returns 20 rows a page, whatever page size is requested."""
    hosted.page_size = 20
    verdict = {"status": "COMPLETE", "publicScore": "0.5", "privateScore": "", "errorDescription": ""}
    for number in range(45):
        made = {"ref": 41000001 + number, "date": "2026-01-02T03:04:05Z", "description": f"file {number}"}
        hosted.submissions.append(
            {**made, "fileName": "a.csv", "competition": "histology", "polls": 0, "verdict": verdict}
        )
    listed = [each.ref for each in KaggleCompetitions(KaggleSession.connect()).submissions("histology", 1000)]
    assert listed == [41000045 - number for number in range(45)]
    assert KaggleCompetitions(KaggleSession.connect()).find_submission("histology", "file 14") == 41000015  # the 31st
    assert KaggleCompetitions(KaggleSession.connect()).find_submission("histology", "file 99") is None


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "submission.csv"
    path.write_text("id,label\n1,0.5\n")
    return path


def test_submission_arrives_with_its_message(hosted, file):
    kaggle = KaggleCompetitions(KaggleSession.connect())
    assert kaggle.limits("histology") == competitions.SubmissionLimits(5, False)
    ref = kaggle.submit("histology", file, "medfold baseline, file abc", "file abc")
    assert hosted.submissions[0]["text"] == file.read_bytes()
    found = kaggle.submission(ref)
    assert (found.kaggle_status, found.public, found.private) == ("complete", 0.87654, None)
    assert found.message == "medfold baseline, file abc"
    assert kaggle.find_submission("histology", "file abc") == ref
    assert kaggle.find_submission("histology", "file xyz") is None


def test_slow_submission_is_awaited_not_repeated(hosted, file, monkeypatch):
    """The answer times out, and the submission is listed only later."""
    monkeypatch.setattr(http_download, "TIMEOUT", (1, 0.2))

    def later(handler, answer):
        time.sleep(0.5)
        answer(limit=-1)

    hosted.fault("CreateSubmission", later)
    monkeypatch.setattr(waiting, "pause", lambda seconds: time.sleep(0.2))
    assert KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file abc", "file abc") == 41000001
    assert hosted.asked("CreateSubmission") == 1


def test_submission_of_unknown_state_is_not_repeated(hosted, file):
    hosted.fault("CreateSubmission", lambda handler, answer: handler.answer(200, b"", limit=-1))
    with refused("unknown whether Kaggle received .*submission.*same command again"):
        KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file abc", "file abc")
    assert hosted.asked("CreateSubmission") == 1
    assert sum(hosted.waits) > 60


def test_unreadable_answer_is_looked_up(hosted, file):
    def page(handler, answer):
        handler.say = lambda value, **how: handler.answer(200, b"<html>proxy</html>", {"Content-Type": "text/html"})
        answer()

    hosted.fault("CreateSubmission", page)
    assert KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file abc", "file abc") == 41000001
    assert len(hosted.submissions) == 1
    hosted.fault("StartSubmissionUpload", page)
    with refused("Kaggle sent an answer that cannot be read"):
        KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file xyz", "file xyz")


def test_missing_limits_are_none_not_zero(hosted):
    hosted.fault("GetSubmissionLimits", lambda handler, answer: handler.say({}))
    assert KaggleCompetitions(KaggleSession.connect()).limits("histology").num_left is None


@pytest.mark.parametrize("fault", [lose, status(500), status(502)])
def test_lost_answer_is_looked_up_not_repeated(hosted, file, fault):
    def done_but_unheard(handler, answer):
        if fault is lose:
            lose(handler, answer)
        else:
            original, handler.say = handler.say, lambda value, **how: None
            answer()
            handler.say = original
            fault(handler, answer)

    hosted.fault("CreateSubmission", done_but_unheard)
    assert KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file abc", "file abc") == 41000001
    assert len(hosted.submissions) == 1


def test_submission_refused_with_503_is_repeated(hosted, file):
    hosted.fault("CreateSubmission", status(503))
    assert KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file abc", "file abc") == 41000001
    assert len(hosted.submissions) == 1
    assert hosted.asked("CreateSubmission") == 2


def test_busy_server_raises_after_the_last_attempt(hosted, file):
    hosted.fault("CreateSubmission", *[status(503)] * 9)
    with refused("Kaggle is too busy to take submissions; nothing was submitted"):
        KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file abc", "file abc")
    assert hosted.asked("CreateSubmission") == competitions.MAX_ATTEMPTS


def test_refused_submission_raises_with_the_reason(hosted, file):
    hosted.fault("CreateSubmission", status(400, "Submission has 3 rows, 4 expected"))
    with refused("histology: Kaggle answers 400: Submission has 3 rows, 4 expected"):
        KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file abc", "file abc")
    assert hosted.asked("CreateSubmission") == 1


def test_submission_without_ref_is_reported(hosted, file):
    hosted.fault("CreateSubmission", lambda handler, answer: handler.say({"message": "Could not submit", "ref": 0}))
    with refused("no submission was made: Could not submit"):
        KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file abc", "file abc")


def test_failed_upload_submits_nothing(hosted, file):
    hosted.fault("upload", status(403))
    with refused("submission.csv: upload failed.*403.*Nothing was submitted"):
        KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file abc", "file abc")
    assert hosted.submissions == []


def test_interrupted_upload_is_repeated_whole(hosted, file):
    hosted.fault("upload", status(503), lose)
    KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file abc", "file abc")
    assert hosted.submissions[0]["text"] == file.read_bytes()


def test_hanging_upload_is_reported(hosted, file, monkeypatch):
    monkeypatch.setattr(http_download, "TIMEOUT", (1, 0.2))
    hosted.fault("upload", *[stall(1, after=-1)] * 9)
    with refused("upload failed: no answer for 0.2 s. Nothing was submitted"):
        KaggleCompetitions(KaggleSession.connect()).submit("histology", file, "m, file abc", "file abc")
