"""The record of a submission: how it is found again."""

import pandas as pd

from medfold import files
from medfold.submission.record import content_id_of, find_same_submission, record_path

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
