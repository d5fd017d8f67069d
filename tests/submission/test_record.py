"""The record of a submission: how it is found again."""

import pandas as pd

from medfold.submission.leaderboards.entry import LeaderboardResult
from medfold.submission.ledger import COLUMNS
from medfold.submission.record import (
    add_to_record,
    content_id_of,
    find_same_submission,
    read_record,
    record_path,
    write_record,
)
from medfold.system import files

ROW = {"file": "submissions/small/one.csv", "sha256": "0123456789abcdef"}


def test_content_id_is_the_recorded_one_or_made_from_the_hash():
    assert content_id_of(ROW, {"content_id": "folds 12ab"}) == "folds 12ab"
    assert content_id_of(ROW, {}) == "file 0123456789ab"  # records of earlier versions have none


def test_last_row_with_the_content_id_is_found(small):
    rows = [{**ROW, "file": f"submissions/small/{name}.csv"} for name in ("one", "two", "three")]
    for row, content_id in zip(rows, ("x", "y", "y"), strict=True):
        files.write_json({"mark": content_id}, record_path(small, row))
    ledger = pd.DataFrame(rows)
    assert find_same_submission(small, ledger, "x") == rows[0]
    assert find_same_submission(small, ledger, "y") == rows[2]
    assert find_same_submission(small, ledger, "z") is None


def test_the_score_in_a_record_of_an_earlier_version_is_read(small):
    former = {
        "value": 0.9,
        "units": 8,
        "optimistic": False,
        "also": {"auc": 0.8},
        "facts": {"score": {"also": ["auc"]}},
    }
    files.write_json({"mark": "x", "score": former}, record_path(small, ROW))
    score = read_record(small, ROW)["score"]
    assert (score["num_units"], score["is_optimistic"], score["more_metrics"]) == (8, False, {"auc": 0.8})
    assert score["facts"] == {"score": {"more_metrics": ["auc"]}}


def test_entries_are_added_to_a_record_and_kept_with_the_result(small):
    row = {**ROW, "file": "submissions/small/one.csv"}
    files.write_json({"score": {"value": 0.9}}, record_path(small, row))
    add_to_record(small, row, {"kaggle": {"kit": 2}})
    assert read_record(small, row) == {"score": {"value": 0.9}, "kaggle": {"kit": 2}}
    row = {**dict.fromkeys(COLUMNS, ""), **row}
    write_record(small, row, LeaderboardResult("scored", public=0.8), {"score": {"value": 0.9}})
    record = read_record(small, row)
    assert (record["kaggle"], record["public"], record["status"]) == ({"kit": 2}, 0.8, "scored")
