"""Submissions to Kaggle, from trained folds to the ledger, through the official client and a local server."""

import json
import subprocess

import pandas as pd
import pytest

from medfold.commands.scores import scores
from medfold.commands.submit import submit
from medfold.competition import Competition, kaggle_slug
from medfold.submission.leaderboards import kaggle as kaggle_leaderboard
from medfold.submission.ledger import LedgerRow, add_row
from medfold.system import json_files
from medfold.system.git import git_commit
from medfold.system.hashes import sha256
from medfold.tables import read_csv, write_csv
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused, slow_but_first, zipped
from tests.support.histology import HISTOLOGY, auc_of
from tests.support.kaggle_server import HostedCompetition, lose, stall, status
from tests.support.processes import finish, kill_when, start
from tests.support.small_project import add_competition, copy_project
from tests.support.submissions import ledger


@pytest.fixture
def hosted(kaggle, files_and_truth, histology_once, tmp_path, monkeypatch):
    """A competition on the local Kaggle server, and a project with its data and a finished run."""
    content, truth = files_and_truth
    kaggle.competitions["histology"] = HostedCompetition(archive=zipped(content), judge=auc_of(truth))
    copy_project(histology_once("csv"), tmp_path, monkeypatch)
    return kaggle


@pytest.fixture
def scored(hosted, competition):
    """The row of the ledger of a submission that Kaggle scored after two requests for its score."""
    hosted.competitions["histology"].polls = 2
    submit(competition)
    (row,) = ledger(competition)
    return row


def test_file_in_the_ledger_is_uploaded(hosted, competition, scored):
    (received,) = hosted.submissions
    assert received["text"] == (competition.project_paths.root / scored["file"]).read_bytes()


def test_score_is_recorded_in_ledger_and_record(hosted, competition, scored):
    (received,) = hosted.submissions
    assert (scored["ref"], scored["status"]) == ("41000001", "scored")
    assert scored["public"] == f"{float(received['verdict']['publicScore']):.6f}"
    assert scored["private"] == ""
    metadata = json.loads((competition.project_paths.root / scored["file"]).with_suffix(".json").read_text())
    assert (metadata["ref"], metadata["public"], metadata["status"]) == ("41000001", float(scored["public"]), "scored")


def test_score_is_awaited_and_the_submission_counted(hosted, scored):
    output = hosted.said()
    assert "5 left today" in output
    assert "uploaded as 41000001" in output
    assert "scored submission 1 of this leaderboard" in output
    assert hosted.asked("GetSubmission") == 3


def test_message_contains_run_score_and_commit(hosted, competition):
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", "-C", str(competition.project_paths.root), *identity, *command], check=True)
    commit = git_commit(competition.project_paths.root)
    submit(competition)
    (row,) = ledger(competition)
    message = hosted.submissions[0]["description"]
    assert message.startswith(f"medfold baseline, OOF AUC {float(row['oof']):.4f}, 2 of 2 folds, commit {commit}")
    assert row["sha256"][:12] in message


def test_same_file_is_submitted_again_only_with_force(hosted, competition):
    submit(competition)
    submit(competition)
    assert len(hosted.submissions) == 1
    assert "the same predictions are already in" in hosted.said()
    submit(competition, force=True)
    assert len(hosted.submissions) == 2
    assert [row["ref"] for row in ledger(competition)] == ["41000001", "41000002"]


def test_lost_ledger_does_not_cause_second_submission(hosted, competition):
    submit(competition)
    competition.project_paths.ledger.unlink()
    submit(competition)
    assert len(hosted.submissions) == 1
    assert "this file is on Kaggle already, as 41000001" in hosted.said()
    assert ledger(competition)[0]["status"] == "scored"


def test_dry_run_does_not_upload(hosted, competition):
    submit(competition, dry_run=True)
    assert hosted.asked("StartSubmissionUpload") == hosted.asked("CreateSubmission") == 0
    assert hosted.asked("GetSubmissionLimits") == 1
    (row,) = ledger(competition)
    assert row["status"] == "written"
    assert (competition.project_paths.root / row["file"]).is_file()
    submit(competition)
    assert [row["status"] for row in ledger(competition)] == ["scored"]  # the same row is updated
    assert len(list(competition.paths.submissions.glob("*.csv"))) == 1


@pytest.mark.parametrize("reason", slow_but_first("no Kaggle credentials found", "Kaggle cannot be reached"))
def test_dry_run_works_without_kaggle_access(hosted, competition, monkeypatch, reason):
    if reason.startswith("no"):
        monkeypatch.delenv("KAGGLE_API_TOKEN")
    else:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    submit(competition, dry_run=True)
    output = hosted.said()
    assert "nothing was submitted, and Kaggle was not asked" in output
    assert reason in output
    assert [row["status"] for row in ledger(competition)] == ["written"]
    with refused(reason):
        submit(competition)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entered": False}, "Accept its rules at https://www.kaggle.com/competitions/histology/rules"),
        ({"notebooks_only": True}, "accepts notebooks only, no files; nothing was uploaded. Set 'upload: notebook'"),
        ({"disabled": True}, "accepts no more submissions; nothing was uploaded"),
        (
            {"allowed": 0},
            r"today's submissions are used up; nothing was uploaded. .*midnight UTC, in .*the file is kept",
        ),
    ],
)
@pytest.mark.parametrize("dry_run", slow_but_first(False, True))
def test_submission_obstacles_raise_before_upload(hosted, competition, change, message, dry_run):
    vars(hosted.competitions["histology"]).update(change)
    with refused(message):
        submit(competition, dry_run=dry_run)
    assert hosted.asked("StartSubmissionUpload") == 0
    (row,) = ledger(competition)
    assert row["status"] == "written"


def test_ended_competition_accepts_late_submission(hosted, competition):
    hosted.competitions["histology"].deadline = "2019-03-30T23:59:00Z"
    submit(competition)
    assert "ended: a late submission" in hosted.said()


def test_competition_without_deadline_accepts_submission(hosted, competition):
    hosted.competitions["histology"].deadline = None
    submit(competition)
    assert "no deadline, 5 left today" in hosted.said()
    assert ledger(competition)[0]["status"] == "scored"


def test_faulty_submission_is_not_uploaded(hosted, competition):
    path = competition.paths.run("baseline").fold(0).test
    write_csv(read_csv(path).assign(label=1.5), path)
    done = competition.paths.run("baseline").fold(0).trained_marker
    json_files.write({**json_files.read(done), "test.csv": sha256(path)}, done)
    with refused("is not a probability from 0 to 1"):
        submit(competition)
    assert hosted.log == []
    assert ledger(competition) == []


def test_refused_submission_raises_and_can_be_retried(hosted, competition):
    hosted.fault("CreateSubmission", status(400, "Submission not allowed: team is merging"))
    with refused("Kaggle answers 400: Submission not allowed: team is merging"):
        submit(competition)
    assert ledger(competition)[0]["status"] == "written"
    submit(competition)
    assert [row["status"] for row in ledger(competition)] == ["scored"]


def test_failed_upload_raises_and_can_be_retried(hosted, competition):
    hosted.fault("upload", status(403))
    with refused("upload failed"):
        submit(competition)
    assert hosted.submissions == []
    submit(competition)
    assert [row["status"] for row in ledger(competition)] == ["scored"]


def test_scoring_error_raises_and_is_recorded(hosted, competition):
    verdict = {"status": "ERROR", "errorDescription": "Evaluation Exception: id 7 is missing"}
    hosted.competitions["histology"].judge = lambda text: verdict
    with refused("the submission was refused: Evaluation Exception: id 7 is missing"):
        submit(competition)
    assert (ledger(competition)[0]["status"], ledger(competition)[0]["ref"]) == ("error", "41000001")
    submit(competition)
    assert len(hosted.submissions) == 1


def test_lost_answer_does_not_cause_second_submission(hosted, competition):
    hosted.fault("CreateSubmission", lose)
    submit(competition)
    assert len(hosted.submissions) == 1
    assert ledger(competition)[0]["status"] == "scored"


@pytest.fixture
def pending(hosted, competition, monkeypatch):
    """A submission whose score was not there in time."""
    monkeypatch.setattr(kaggle_leaderboard, "MAX_WAIT_SECONDS", 0)
    hosted.competitions["histology"].polls = 3
    submit(competition)


def test_pending_submission_is_not_repeated(hosted, competition, pending):
    assert ledger(competition)[0]["status"] == "pending"
    assert "run make scores later" in hosted.said()
    submit(competition)
    assert "the same predictions are already in" in hosted.said()
    assert len(hosted.submissions) == 1


def test_pending_score_is_fetched_by_scores(hosted, competition, pending):
    submit(competition)
    scores(competition.project_paths)
    assert ledger(competition)[0]["public"] == ""
    scores(competition.project_paths)
    scores(competition.project_paths)
    (row,) = ledger(competition)
    assert row["status"] == "scored"
    assert float(row["public"]) == float(hosted.submissions[0]["verdict"]["publicScore"])
    assert row["public"] in hosted.said()
    assert len(hosted.submissions) == 1


def test_failed_score_request_keeps_submission_pending(hosted, competition):
    hosted.fault("GetSubmission", *[status(500)] * 9)
    submit(competition)
    assert (ledger(competition)[0]["status"], ledger(competition)[0]["ref"]) == ("pending", "41000001")
    scores(competition.project_paths)
    assert ledger(competition)[0]["status"] == "scored"


@pytest.mark.slow
def test_submission_killed_after_upload_is_found_again(hosted, competition):
    hosted.fault("CreateSubmission", stall(30, after=-1))
    kill_when(start(competition.project_paths.root, "submit -c histology"), lambda: hosted.submissions)
    assert ledger(competition)[0]["status"] == "written"
    assert "this file is on Kaggle already, as 41000001" in finish(
        competition.project_paths.root, "submit -c histology"
    )
    assert len(hosted.submissions) == 1
    assert [row["status"] for row in ledger(competition)] == ["scored"]


@pytest.mark.slow
def test_submission_killed_before_upload_is_sent_once(hosted, competition):
    hosted.fault("StartSubmissionUpload", stall(30, after=-1))
    kill_when(
        start(competition.project_paths.root, "submit -c histology"), lambda: hosted.asked("StartSubmissionUpload")
    )
    finish(competition.project_paths.root, "submit -c histology")
    assert len(hosted.submissions) == 1
    assert [row["status"] for row in ledger(competition)] == ["scored"]


@pytest.mark.slow
def test_scores_show_rank_correlation_with_leaderboard(hosted, competition):
    for name, quality in (("strong", 3.0), ("weak", 0.6), ("middling", 1.0)):
        finished_run(competition, name, quality)
        submit(competition, run_names=[name])
    rows = pd.DataFrame(ledger(competition))
    expected = rows["oof"].astype(float).corr(rows["public"].astype(float), method="spearman")
    hosted.said()
    scores(competition.project_paths, "histology")
    output = hosted.said()
    assert f"rank correlation (Spearman) of OOF and public: {expected:.2f} over 3 submissions" in output
    for name in ("strong", "weak", "middling"):
        assert name in output


def test_scores_keep_ref_of_each_row(hosted, competition, monkeypatch):
    monkeypatch.setattr(kaggle_leaderboard, "MAX_WAIT_SECONDS", 0)
    hosted.competitions["histology"].polls = 1
    submit(competition)
    submit(competition, force=True)
    scores(competition.project_paths)
    assert [row["ref"] for row in ledger(competition)] == ["41000001", "41000002"]


def test_late_scoring_error_is_shown_with_reason(hosted, competition, monkeypatch):
    monkeypatch.setattr(kaggle_leaderboard, "MAX_WAIT_SECONDS", 0)
    hosted.competitions["histology"].polls = 1
    hosted.competitions["histology"].judge = lambda text: {"status": "ERROR", "errorDescription": "id 7 is missing"}
    submit(competition)
    scores(competition.project_paths)
    assert "was refused: id 7 is missing" in hosted.said()
    submit(competition)
    assert "refused as 41000001: id 7 is missing; FORCE=1 submits it again" in hosted.said()


@pytest.mark.parametrize("score", ["NaN", "", "soon"])
def test_non_numeric_score_is_requested_again(hosted, competition, score):
    hosted.competitions["histology"].judge = lambda text: {"status": "COMPLETE", "publicScore": score}
    submit(competition)
    assert (ledger(competition)[0]["status"], ledger(competition)[0]["public"]) == ("scored", "")
    hosted.submissions[0]["verdict"]["publicScore"] = "0.75"
    scores(competition.project_paths)
    assert ledger(competition)[0]["public"] == "0.750000"


def test_missing_submission_limits_do_not_block(hosted, competition):
    hosted.fault("GetSubmissionLimits", lambda handler, answer: handler.say({}))
    submit(competition)
    assert "submissions left today: unknown" in hosted.said()
    assert ledger(competition)[0]["status"] == "scored"


def test_exhausted_total_limit_does_not_mention_midnight(hosted, competition):
    used_up = {"numToday": 0, "numTotal": 100, "numAllowedNow": 0, "limitedByTotal": True}
    hosted.fault("GetSubmissionLimits", lambda handler, answer: handler.say(used_up))
    with refused("all submissions .*are used up; nothing was") as caught:
        submit(competition)
    assert "midnight" not in str(caught.value)


def test_scores_find_manual_upload(hosted, competition):
    submit(competition, dry_run=True)
    (row,) = ledger(competition)
    submit(competition)
    hosted.submissions[0] |= {"description": "by hand", "fileName": row["file"].rpartition("/")[2]}
    add_row(competition.project_paths, LedgerRow.from_cells({**row, "ref": "", "public": "", "status": "written"}))
    scores(competition.project_paths)
    assert ledger(competition)[0]["ref"] == "41000001"
    assert ledger(competition)[0]["status"] == "scored"


def test_scores_without_network_show_ledger(hosted, competition, monkeypatch):
    submit(competition, dry_run=True)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    scores(competition.project_paths)
    output = hosted.said()
    assert "not refreshed: " in output
    assert "baseline" in output


def test_scores_without_submission_report_it(project_folder, kaggle):
    add_competition(project_folder, "histology", HISTOLOGY)
    scores(Competition.open("histology").project_paths)
    assert "no submission yet" in kaggle.said()


def test_kaggle_slug_is_read_from_source_or_url(competition):
    facts = competition.facts
    assert kaggle_slug(facts) == "histology"
    elsewhere = facts.model_copy(update={"source": {"kind": "url"}, "url": "https://www.kaggle.com/c/other"})
    assert kaggle_slug(elsewhere) == "other"


def test_competition_without_kaggle_slug_is_refused(competition):
    without = competition.facts.model_copy(update={"source": {"kind": "url"}, "url": None})
    with refused("upload: csv needs a Kaggle competition, and neither 'source' nor 'url' names one. Set url: "):
        kaggle_slug(without)
