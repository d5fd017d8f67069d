"""Rows of the ledger: cells of an OOF score, and the search for a scored submission."""

import json

import pandas as pd
import pytest

from medfold.paths import ProjectPaths
from medfold.submission.ledger import COLUMNS, add_row, find_scored_row, read_ledger, score_cells, warn_of_lost_ledger

SCORE = {"metric": "auc", "value": 0.9, "low": 0.8, "high": None, "trained_folds": [0, 2]}


def test_cells_of_a_score_are_text():
    expected = {"runs": "a b", "metric": "auc", "oof": "0.900000", "low": "0.800000", "high": "", "folds": "0 2"}
    assert score_cells(["a", "b"], SCORE) == expected


def test_last_scored_row_of_the_same_runs_folds_and_score_is_found():
    row = {"competition": "small", "status": "scored", **score_cells(["a"], SCORE)}
    others = [
        {"status": "pending"},
        {"competition": "other"},
        {"runs": "a b"},
        {"folds": "0"},
        {"oof": "0.900001"},
    ]
    rows = [row | {"when": "1"}, row | {"when": "2"}, *(row | other | {"when": "3"} for other in others)]
    found = find_scored_row(pd.DataFrame(rows), "small", ["a"], SCORE)
    assert found == row | {"when": "2"}
    assert find_scored_row(pd.DataFrame(rows[2:]), "small", ["a"], SCORE) is None


def test_ledger_keeps_every_row(project_folder):
    project_paths = ProjectPaths.find()
    assert read_ledger(project_paths).empty
    add_row(project_paths, {"when": "1", "competition": "small", "file": "a.csv", "public": "0.5"})
    add_row(project_paths, {"when": "2", "competition": "small", "file": "b.csv", "runs": "a b"})
    ledger = read_ledger(project_paths)
    assert list(ledger.columns) == COLUMNS
    assert ledger["when"].tolist() == ["1", "2"]
    assert ledger.loc[1, "public"] == ""


def test_add_row_updates_row_of_same_file(project_folder):
    project_paths = ProjectPaths.find()
    for name in ("a.csv", "b.csv"):
        add_row(project_paths, {"when": "1", "competition": "small", "file": name, "status": "written"})
    add_row(project_paths, {"competition": "small", "file": "a.csv", "status": "scored", "public": "0.5"})
    ledger = read_ledger(project_paths)
    assert ledger[["when", "file", "status", "public"]].to_numpy().tolist() == [
        ["1", "a.csv", "scored", "0.5"],
        ["1", "b.csv", "written", ""],
    ]


@pytest.mark.parametrize(
    ("status", "is_named"), [("scored", True), ("pending", True), ("error", True), ("written", False)]
)
def test_lost_ledger_is_named_if_a_submission_was_sent(project_folder, capsys, status, is_named):
    project_paths = ProjectPaths.find()
    folder = project_paths.ledger.parent / "small"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text("{")  # damaged
    (folder / "b.json").write_text(json.dumps({"status": status}))
    warn_of_lost_ledger(project_paths)
    text = "ledger     ledger.csv is missing, although b.csv was submitted: a new one is started. "
    assert (text in capsys.readouterr().out) is is_named
    add_row(project_paths, {"when": "1", "competition": "small", "file": "b.csv"})
    warn_of_lost_ledger(project_paths)
    assert capsys.readouterr().out == ""
