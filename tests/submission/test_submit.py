"""A draft is in the ledger before its upload, and the same predictions are submitted once."""

import pytest
from filelock import Timeout

from medfold.data import make_dataset
from medfold.ensemble import ensemble_runs
from medfold.submission import LeaderboardResult, draft_submission, read_record, read_rows
from medfold.submission.submit import AlreadySubmitted, record_draft, submit_recorded
from medfold.system import locks
from medfold.system.hashes import sha256
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


@pytest.fixture
def record(folded):
    """Returns a function that records the draft of a run."""
    finished_run(folded, "good")
    finished_run(folded, "bad", quality=-1.0)
    dataset = make_dataset(folded)

    def run(name: str = "good", force: bool = False):
        ensemble = ensemble_runs(folded, [name], dataset)
        draft = draft_submission(folded, ensemble, dataset.test_groups)
        return record_draft(folded, ensemble, draft, force)

    return run


class Scored:
    """A leaderboard that scores every submission under its lock, and keeps the status that the ledger had then."""

    def __init__(self, competition):
        self.competition, self.submissions, self.statuses = competition, [], []

    def submission_lock(self, file, run_names):
        assert run_names == ["good"]
        return locks.lock(file)

    def submit(self, recorded, pack, resubmit):
        with pytest.raises(Timeout):
            locks.lock(recorded.file).acquire(blocking=False)
        self.submissions.append((recorded, resubmit))
        self.statuses.append(read_rows(self.competition.project_paths, "small")[-1].status)
        return LeaderboardResult("scored", public=0.75, ref="7")


def send(competition, recorded, resubmit=False):
    leaderboard = Scored(competition)
    result = submit_recorded(competition, recorded, leaderboard, pytest.fail, resubmit)
    return leaderboard, result


def test_recorded_submission_has_file_row_and_record(folded, record):
    recorded = record()
    (row,) = read_rows(folded.project_paths, "small")
    assert (row.status, row.runs, row.file) == ("written", ("good",), recorded.row.file)
    assert sha256(recorded.file) == row.sha256 == recorded.draft.sha256
    assert read_record(folded, row).content_id == recorded.draft.content_id
    assert recorded.num_scored_before == 0


def test_recorded_submission_that_was_not_submitted_is_used_again(folded, record):
    first, second = record(), record()
    assert second.row == first.row
    assert len(read_rows(folded.project_paths, "small")) == 1


def test_result_is_recorded_after_the_row(folded, record):
    recorded = record()
    leaderboard, result = send(folded, recorded, resubmit=True)
    ((submitted, resubmit),) = leaderboard.submissions
    assert (submitted is recorded, resubmit) == (True, True)
    assert leaderboard.statuses == ["written"]
    (row,) = read_rows(folded.project_paths, "small")
    assert (row.status, row.public, row.ref) == ("scored", 0.75, "7")
    assert (result.status, read_record(folded, row).status) == ("scored", "scored")


def test_submitted_predictions_are_found_and_only_recorded_again_with_force(folded, record):
    send(folded, record())
    (row,) = read_rows(folded.project_paths, "small")
    assert record() == AlreadySubmitted(row)
    again = record(force=True)
    assert again.row.file != row.file
    assert again.num_scored_before == 1
    assert [row.status for row in read_rows(folded.project_paths, "small")] == ["scored", "written"]


def test_score_at_chance_is_recorded_with_force_only(folded, record):
    with refused("is no better than chance"):
        record("bad")
    assert not list(folded.paths.submissions.glob("*.csv"))
    assert record("bad", force=True).row.status == "written"
