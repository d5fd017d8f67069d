"""Rows of the ledger: their cells, and how they are added and read."""

from dataclasses import replace

import pytest

from medfold.paths import ProjectPaths
from medfold.submission.ledger import (
    COLUMNS,
    LedgerRow,
    add_row,
    read_ledger,
    read_rows,
)
from tests.support.helpers import refused

ROW = LedgerRow(
    file="a.csv", status="scored", runs=("a", "b"), metric="auc", oof=0.9, oof_low=0.8, trained_folds=(0, 2)
)


def test_cells_of_a_row_are_text():
    expected = {
        "file": "a.csv",
        "status": "scored",
        "runs": "a b",
        "metric": "auc",
        "oof": "0.900000",
        "oof_low": "0.800000",
        "oof_high": "",
        "trained_folds": "0 2",
    }
    unknown = dict.fromkeys(set(COLUMNS) - set(expected), "")
    assert ROW.cells() == expected | unknown
    assert list(ROW.cells()) == COLUMNS
    assert LedgerRow.from_cells(ROW.cells()) == ROW


def test_rows_of_a_competition_are_read_in_their_order(project_folder):
    project_paths = ProjectPaths.find()
    rows = [
        LedgerRow(time=time, competition=name, file=f"{time}.csv", runs=("a", "b"), status="written")
        for time, name in (("2", "small"), ("3", "other"), ("1", "small"))
    ]
    for row in rows:
        add_row(project_paths, row)
    assert read_rows(project_paths, "small") == [rows[0], rows[2]]
    assert read_rows(project_paths, "none") == []


def test_ledger_keeps_every_row(project_folder):
    project_paths = ProjectPaths.find()
    assert read_ledger(project_paths).empty
    add_row(project_paths, LedgerRow(time="1", competition="small", file="a.csv", public=0.5))
    add_row(project_paths, LedgerRow(time="2", competition="small", file="b.csv", runs=("a", "b")))
    ledger = read_ledger(project_paths)
    assert list(ledger.columns) == COLUMNS
    assert ledger["time"].tolist() == ["1", "2"]
    assert ledger.loc[1, "public"] == ""


def test_add_row_replaces_the_row_of_the_same_competition_and_file(project_folder):
    project_paths = ProjectPaths.find()
    for competition, name in (("small", "a.csv"), ("small", "b.csv"), ("other", "a.csv")):
        add_row(project_paths, LedgerRow(time="1", competition=competition, file=name, status="written"))
    add_row(project_paths, replace(read_rows(project_paths, "small")[0], status="scored", public=0.5))
    ledger = read_ledger(project_paths)
    assert ledger[["time", "competition", "file", "status", "public"]].to_numpy().tolist() == [
        ["1", "small", "a.csv", "scored", "0.500000"],
        ["1", "small", "b.csv", "written", ""],
        ["1", "other", "a.csv", "written", ""],
    ]


def test_column_of_the_user_stays(project_folder):
    project_paths = ProjectPaths.find()
    add_row(project_paths, LedgerRow(time="1", competition="small", file="a.csv"))
    read_ledger(project_paths).assign(note="mine").to_csv(project_paths.ledger, index=False)
    add_row(project_paths, LedgerRow(time="2", competition="small", file="a.csv"))
    add_row(project_paths, LedgerRow(time="3", competition="small", file="b.csv"))
    ledger = read_ledger(project_paths)
    assert ledger[["time", "note"]].to_numpy().tolist() == [["2", "mine"], ["3", ""]]


def test_ledger_of_an_earlier_version_is_read_and_gets_the_current_columns_with_the_next_row(project_folder):
    project_paths = ProjectPaths.find()
    add_row(project_paths, replace(ROW, time="1", competition="small"))
    text = project_paths.ledger.read_text()
    former = text.replace("time,", "when,").replace("oof_low,oof_high,trained_folds", "low,high,folds")
    assert former.startswith("when,competition,runs,file,sha256,metric,oof,low,high,folds,ref,")
    project_paths.ledger.write_text(former)
    assert read_rows(project_paths, "small") == [replace(ROW, time="1", competition="small")]
    assert project_paths.ledger.read_text() == former
    add_row(project_paths, replace(ROW, time="2", competition="small", file="b.csv"))
    assert project_paths.ledger.read_text().startswith(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"not the ledger \(No columns to parse from file\)"),
        ("when,file\n1,a.csv\n", "no column 'competition'"),
        ("{columns}\n1,small,a", r"damaged in line 2 \(no file\)"),
        ("{columns}\n1,small,a,a.csv,0f,auc,0.9,", r"damaged in line 2 \(unknown status ''\)"),
        ("{columns}\n1,small,a,a.csv,0f,auc,0.9x,,,0,,,,scored\n", "damaged in line 2 .*'0.9x'"),
        ("{columns}\n1,small,a,a.csv,0f,auc,0.9,,,0 x,,,,scored\n", "damaged in line 2 .*'x'"),
    ],
    ids=["empty", "no column", "cut off", "no status", "no score", "no fold"],
)
def test_damaged_ledger_is_named_with_the_line(project_folder, text, message):
    project_paths = ProjectPaths.find()
    project_paths.ledger.parent.mkdir(exist_ok=True)
    project_paths.ledger.write_text(text.replace("{columns}", ",".join(COLUMNS)))
    with refused(rf"submissions/ledger\.csv: {message}.*\. Restore it from a backup: "):
        read_rows(project_paths, "small")
