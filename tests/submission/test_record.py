"""The record of a submission and its row of the ledger: how they are written and read."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from medfold.errors import UserError
from medfold.submission import LeaderboardResult, record
from medfold.submission.ledger import LedgerRow, add_row
from medfold.submission.record import (
    SubmissionRecord,
    ledger_row,
    read_record,
    record_result,
    record_versions,
    submission_paths,
)
from medfold.system import files, json_files
from medfold.system.hashes import sha256_of_text
from tests.support.helpers import an_oof_score

ROW = LedgerRow(file="submissions/small/one.csv", sha256="0123456789abcdef")


def test_the_score_in_a_record_of_an_earlier_version_is_read(small):
    former = {
        "value": 0.9,
        "units": 8,
        "optimistic": False,
        "also": {"auc": 0.8},
        "facts": {"score": {"also": ["auc"]}},
    }
    json_files.write({"mark": "x", "score": former}, submission_paths(small, ROW).record)
    score = read_record(small, ROW).score
    assert (score["num_units"], score["is_optimistic"], score["more_metrics"]) == (8, False, {"auc": 0.8})
    assert score["facts"] == {"score": {"more_metrics": ["auc"]}}


def test_damaged_record_is_named(small):
    json_files.write([1], submission_paths(small, ROW).record)
    with pytest.raises(
        UserError, match=r"submissions/small/one\.json: not what medfold writes\. Restore it from a backup"
    ):
        read_record(small, ROW)


def test_entries_are_added_to_a_record_and_kept_with_the_result(small):
    json_files.write({"score": {"value": 0.9}}, submission_paths(small, ROW).record)
    record_versions(submission_paths(small, ROW).file, {"version": 2})
    assert read_record(small, ROW).content() == {"score": {"value": 0.9}, "kaggle": {"version": 2}}
    record_result(small, ROW, LeaderboardResult("scored", public=0.8), SubmissionRecord(score={"value": 0.9}))
    found = read_record(small, ROW)
    assert (found.kaggle, found.public, found.status) == ({"version": 2}, 0.8, "scored")


def test_keys_of_other_versions_are_kept_when_the_result_is_written(small):
    content = {"runs": ["one"], "class_words": None, "gpu": "H200"}
    json_files.write(content, submission_paths(small, ROW).record)
    record_result(small, ROW, LeaderboardResult("pending", ref="7"), read_record(small, ROW))
    result = {"ref": "7", "public": None, "private": None, "status": "pending", "problem": ""}
    assert json_files.read(submission_paths(small, ROW).record) == {**content, **result}


@pytest.fixture
def new_row(small, monkeypatch):
    """Returns a function: the row of a new submission of the run `one`, on a fixed day."""
    monkeypatch.setattr(
        record, "datetime", SimpleNamespace(now=lambda zone: datetime(2026, 1, 2, 3, 4, 5, tzinfo=zone))
    )
    ensemble = SimpleNamespace(run_names=["one"], score=an_oof_score(trained_folds=[0]))

    def run(text: str = "id,target\n", same: LedgerRow | None = None) -> LedgerRow:
        draft = SimpleNamespace(sha256=sha256_of_text(text))
        return ledger_row(small, ensemble, draft, same)

    return run


def test_new_submission_is_named_by_time_and_runs(new_row):
    row = new_row()
    assert (row.time, row.file) == ("20260102-030405", "submissions/small/20260102-030405-one.csv")
    assert row.competition == "small"
    assert (row.runs, row.oof, row.trained_folds) == (("one",), 0.9, (0,))


def test_second_submission_within_a_second_gets_a_number(small, new_row):
    for number in ("", "-2"):
        files.write_text("other\n", small.paths.submissions / f"20260102-030405-one{number}.csv")
    assert new_row().file == "submissions/small/20260102-030405-one-3.csv"


def test_file_without_a_row_that_a_killed_command_left_is_used_again(small, new_row):
    left = small.paths.submissions / "20251231-235959-one.csv"
    files.write_text("id,target\n", left)
    row = new_row()
    assert (row.time, row.file) == ("20251231-235959", "submissions/small/20251231-235959-one.csv")
    assert new_row("other\n").time == "20260102-030405"
    add_row(small.project_paths, row)
    assert new_row().time == "20260102-030405"


def test_same_predictions_keep_time_and_file(new_row):
    same = LedgerRow(time="20250101-000000", file="submissions/small/before.csv")
    row = new_row(same=same)
    assert (row.time, row.file) == (same.time, same.file)
