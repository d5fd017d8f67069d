"""The folds table: kept, and checked against data and settings."""

import pandas as pd
import pytest

from medfold.folds.folds_table import check_folds, folds_fingerprint, write_folds
from medfold.system import json_files
from tests.support.helpers import refused


@pytest.fixture
def kept(small):
    table = pd.DataFrame({"id": list("abcdef"), "group": range(6), "fold": [0, 1, 2, 0, 1, 2]})
    write_folds(small.paths, table, {"folds": small.facts.folds.model_dump()})
    return small, table


def test_check_folds_returns_the_kept_folds(kept):
    small, table = kept
    assert check_folds(small.paths, table["id"], small.facts.folds).equals(table)


@pytest.mark.parametrize(
    ("ids", "changes", "message"),
    [
        (
            list("abcdxy"),
            {},
            r"4 ids differ from the data \(2 new: x, y; 2 missing: e, f\)\. .*make folds COMPETITION=small FORCE=1",
        ),
        (list("abcdef"), {"k": 5}, "made with k=3, competition.yaml has k=5"),
        (list("abcdef"), {"seed": 1}, "made with seed=7, competition.yaml has seed=1"),
        (list("abcdef"), {"method": "group"}, "made with method=stratified_group"),
    ],
)
def test_kept_folds_of_other_data_or_settings_are_refused(kept, ids, changes, message):
    small, _ = kept
    with refused(message):
        check_folds(small.paths, pd.Series(ids), small.facts.folds.model_copy(update=changes))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "damaged or edited .the file is empty.. Restore it from a backup, or remove it"),
        ("id,group,fold\n", "the table has no rows. Restore the file, or make new folds"),
        ("id,fold\na,0\n", "no column 'group'"),
        ("id,group,fold\na,0,0\na,0,1\n", "duplicate ids: a"),
        ("id,group,fold\na,0,x\n", "must hold whole numbers"),
        ("id,group,fold\na,0,0\nb,0,1\n", "the table has 2 folds, competition.yaml has 3"),
    ],
)
def test_invalid_folds_made_by_the_user_are_refused(small, text, message):
    small.paths.folds_table.parent.mkdir()
    small.paths.folds_table.write_text(text)
    with refused(message):
        check_folds(small.paths, pd.Series(["a", "b"]), small.facts.folds)


def test_edited_fold_is_named_with_its_id(kept):
    small, table = kept
    small.paths.folds_table.write_text(small.paths.folds_table.read_text().replace("f,5,2", "f,5,9"))
    with refused(r"small\.csv: f is in fold 9, expected 0 to 2\. Restore the file, or make new folds: make folds"):
        check_folds(small.paths, table["id"], small.facts.folds)


def test_damaged_folds_are_set_aside(kept):
    small, table = kept
    damaged = small.paths.folds_table.read_text().replace("group", "grupp")
    small.paths.folds_table.write_text(damaged)
    renamed = write_folds(small.paths, table, {})
    assert renamed == small.paths.folds_table.with_name("small-damaged.csv")
    assert renamed.read_text() == damaged
    assert check_folds(small.paths, table["id"], small.facts.folds).equals(table)


def test_fingerprint_depends_neither_on_the_order_of_rows_nor_on_line_ends(kept):
    small, table = kept
    before = folds_fingerprint(small.paths)
    lines = table.iloc[::-1].to_csv(index=False, lineterminator="\r\n")
    small.paths.folds_table.write_bytes(lines.encode())
    assert folds_fingerprint(small.paths) == before
    small.paths.folds_table.write_text(lines.replace("f,5,2", "f,5,1"))
    assert folds_fingerprint(small.paths) != before


def test_other_folds_are_set_aside_and_equal_ones_replaced(kept):
    small, table = kept
    assert write_folds(small.paths, table.iloc[::-1], {}) is None
    before, text = folds_fingerprint(small.paths), small.paths.folds_table.read_text()
    renamed = write_folds(small.paths, table.assign(fold=[2, 1, 0, 2, 1, 0]), {"new": True})
    assert renamed == small.paths.older_folds(before)
    assert renamed.read_text() == text
    assert json_files.read(small.paths.older_folds(before, "json")) == {}
    assert json_files.read(small.paths.folds_metadata) == {"new": True}
