"""Searches among earlier submissions: by their content id, by their score, and where the ledger is lost."""

import json
from dataclasses import replace

import pytest

from medfold.paths import ProjectPaths
from medfold.submission.earlier_submissions import (
    content_id_of,
    find_same_submission,
    find_scored_row,
    find_unlisted_submission,
)
from medfold.submission.ledger import LedgerRow, add_row
from medfold.submission.record import SubmissionRecord, submission_paths
from medfold.system import json_files
from tests.support.helpers import an_oof_score

ROW = LedgerRow(file="submissions/small/one.csv", sha256="0123456789abcdef")
SCORE = an_oof_score(value=0.9, low=0.8, high=None, trained_folds=[0, 2])


def test_content_id_is_the_recorded_one_or_made_from_the_hash():
    assert content_id_of(ROW, SubmissionRecord(content_id="folds 12ab")) == "folds 12ab"
    for record in (None, SubmissionRecord(sha256="0")):  # records of earlier versions have none
        assert content_id_of(ROW, record) == "file 0123456789ab"


def test_last_row_with_the_content_id_is_found(small):
    rows = [replace(ROW, file=f"submissions/small/{name}.csv") for name in ("one", "two", "three")]
    for row, content_id in zip(rows, ("x", "y", "y"), strict=True):
        json_files.write({"mark": content_id}, submission_paths(small, row).record)
    assert find_same_submission(small, rows, "x") == rows[0]
    assert find_same_submission(small, rows, "y") == rows[2]
    assert find_same_submission(small, rows, "z") is None


def test_last_scored_row_of_the_same_runs_folds_and_score_is_found():
    row = replace(ROW, status="scored", runs=("a",), oof=0.9, trained_folds=(0, 2))
    others = [{"status": "pending"}, {"runs": ("a", "b")}, {"trained_folds": (0,)}, {"oof": 0.900001}]
    rows = [replace(row, time="1"), replace(row, time="2"), *(replace(row, **other, time="3") for other in others)]
    assert find_scored_row(rows, ["a"], SCORE) == rows[1]
    assert find_scored_row(rows[2:], ["a"], SCORE) is None


@pytest.mark.parametrize(
    ("status", "is_found"), [("scored", True), ("pending", True), ("error", True), ("written", False)]
)
def test_submission_that_was_sent_is_found_if_the_ledger_is_lost(project_folder, status, is_found):
    project_paths = ProjectPaths.find()
    folder = project_paths.ledger.parent / "small"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text("{")  # damaged
    (folder / "b.json").write_text(json.dumps({"status": status}))
    assert find_unlisted_submission(project_paths) == (folder / "b.csv" if is_found else None)
    add_row(project_paths, LedgerRow(time="1", competition="small", file="b.csv"))
    assert find_unlisted_submission(project_paths) is None
