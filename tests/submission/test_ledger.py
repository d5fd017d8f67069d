"""Rows of the ledger: cells of an OOF score, and the search for a scored submission."""

import json
from dataclasses import replace

import pytest

from medfold.paths import ProjectPaths
from medfold.submission.ledger import (
    COLUMNS,
    LedgerRow,
    add_row,
    find_scored_row,
    find_unlisted_submission,
    read_ledger,
    read_rows,
    score_cells,
)

SCORE = {"metric": "auc", "value": 0.9, "low": 0.8, "high": None, "trained_folds": [0, 2]}


def test_cells_of_a_score_are_text():
    expected = {"runs": "a b", "metric": "auc", "oof": "0.900000", "low": "0.800000", "high": "", "folds": "0 2"}
    assert score_cells(["a", "b"], SCORE) == expected


def test_last_scored_row_of_the_same_runs_folds_and_score_is_found():
    row = LedgerRow(competition="small", status="scored", **score_cells(["a"], SCORE))
    others = [{"status": "pending"}, {"runs": "a b"}, {"folds": "0"}, {"oof": "0.900001"}]
    rows = [replace(row, when="1"), replace(row, when="2"), *(replace(row, **other, when="3") for other in others)]
    assert find_scored_row(rows, ["a"], SCORE) == rows[1]
    assert find_scored_row(rows[2:], ["a"], SCORE) is None


def test_rows_of_a_competition_are_read_in_their_order(project_folder):
    project_paths = ProjectPaths.find()
    rows = [
        LedgerRow(when=when, competition=name, file=f"{when}.csv", runs="a b")
        for when, name in (("2", "small"), ("3", "other"), ("1", "small"))
    ]
    for row in rows:
        add_row(project_paths, row)
    assert read_rows(project_paths, "small") == [rows[0], rows[2]]
    assert rows[0].run_names == ["a", "b"]
    assert read_rows(project_paths, "none") == []


def test_ledger_keeps_every_row(project_folder):
    project_paths = ProjectPaths.find()
    assert read_ledger(project_paths).empty
    add_row(project_paths, LedgerRow(when="1", competition="small", file="a.csv", public="0.5"))
    add_row(project_paths, LedgerRow(when="2", competition="small", file="b.csv", runs="a b"))
    ledger = read_ledger(project_paths)
    assert list(ledger.columns) == COLUMNS
    assert ledger["when"].tolist() == ["1", "2"]
    assert ledger.loc[1, "public"] == ""


def test_add_row_replaces_row_of_same_file(project_folder):
    project_paths = ProjectPaths.find()
    for name in ("a.csv", "b.csv"):
        add_row(project_paths, LedgerRow(when="1", competition="small", file=name, status="written"))
    add_row(project_paths, replace(read_rows(project_paths, "small")[0], status="scored", public="0.5"))
    ledger = read_ledger(project_paths)
    assert ledger[["when", "file", "status", "public"]].to_numpy().tolist() == [
        ["1", "a.csv", "scored", "0.5"],
        ["1", "b.csv", "written", ""],
    ]


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
    add_row(project_paths, LedgerRow(when="1", competition="small", file="b.csv"))
    assert find_unlisted_submission(project_paths) is None
