"""New folds, and the former ones."""

import pandas as pd

from medfold.commands.folds import make_folds
from medfold.folds import LeakReport, folds_fingerprint
from medfold.folds.new_folds import restore_folds_metadata, save_new_folds
from medfold.system import json_files
from medfold.tables import read_csv


def test_remade_equal_folds_are_not_archived(two_runs):
    make_folds(two_runs, force=True)
    assert [path.name for path in two_runs.paths.folds_table.parent.glob("small*.csv")] == ["small.csv"]


LEAKS = LeakReport(split_groups=[], duplicates=[["a", "b"]], contradicting_duplicates=[], duplicates_in_test=[])


def table(*folds: int) -> pd.DataFrame:
    return pd.DataFrame({"id": list("abcdef"), "group": [0, 0, 1, 2, 3, 4], "fold": folds})


def test_new_folds_are_written_with_settings_and_counts(small, capsys):
    save_new_folds(small, table(0, 0, 1, 2, 0, 1), LEAKS)
    assert read_csv(small.paths.folds_table)["fold"].tolist() == [0, 0, 1, 2, 0, 1]
    assert json_files.read(small.paths.folds_metadata) == {
        "folds": small.facts.folds.model_dump(),
        "num_samples": 6,
        "num_groups": 5,
        "leak_counts": {"split_groups": 0, "duplicates": 1, "contradicting_duplicates": 0, "duplicates_in_test": 0},
    }
    text = "folds      made: 3 folds, stratified_group, seed 7, 5 groups -> folds/small.csv\n"
    assert capsys.readouterr().out == text


def test_different_earlier_folds_stay_under_another_name(small, capsys):
    save_new_folds(small, table(0, 0, 1, 2, 0, 1), LEAKS)
    fingerprint = folds_fingerprint(small.paths)
    capsys.readouterr()
    save_new_folds(small, table(1, 1, 0, 2, 0, 1), LEAKS)
    kept = small.paths.older_folds(fingerprint)
    assert read_csv(kept)["fold"].tolist() == [0, 0, 1, 2, 0, 1]
    text = f"the earlier folds are kept as folds/{kept.name}; the scores of runs on them stay valid"
    assert text in capsys.readouterr().out


def test_damaged_folds_stay_under_another_name(small, capsys):
    small.paths.folds_table.parent.mkdir(exist_ok=True)
    small.paths.folds_table.write_text("id,grupp,fold\n")
    save_new_folds(small, table(0, 0, 1, 2, 0, 1), LEAKS)
    assert "the damaged folds table is kept as folds/small-damaged.csv" in capsys.readouterr().out


def test_lost_record_is_made_again_and_an_existing_one_kept(small, capsys):
    train = table(0, 0, 1, 2, 0, 1)
    save_new_folds(small, train, LEAKS)
    before = small.paths.folds_metadata.read_bytes()
    capsys.readouterr()
    restore_folds_metadata(small, train.iloc[:3], LEAKS)
    assert small.paths.folds_metadata.read_bytes() == before
    assert capsys.readouterr().out == ""
    small.paths.folds_metadata.unlink()
    restore_folds_metadata(small, train, LEAKS)
    assert small.paths.folds_metadata.read_bytes() == before
    assert "small.json was missing: made again from competition.yaml, which may" in capsys.readouterr().out
