"""Checks of samples: ids, counts, training and test set, units."""

from pathlib import Path

import pandas as pd
import pytest

from medfold.data.sample_checks import check_group_pattern, check_ids, check_train_and_test, check_units
from medfold.paths import CompetitionPaths
from tests.support.helpers import competition_facts, refused


@pytest.fixture
def paths(tmp_path: Path) -> CompetitionPaths:
    return CompetitionPaths(tmp_path, "small", "small")


def samples(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"id": list(ids)}, dtype=str)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ([], ["c"], "no training sample. Check the labels there, and whether labels.map"),
        (["a", "a"], ["c"], "1 id appears more than once in the training set: a"),
        (["a", "b"], ["c", "c"], "1 id appears more than once in the test set: c"),
        (["a", "b"], ["b", "c"], "1 id is in train and in test: b"),
        (["a"], ["c"], "expected 2 train samples, found 1"),
    ],
)
def test_faulty_ids_and_counts_are_refused(paths, train, test, message):
    labels = {"targets": ["target"], "file": "train.csv", "expected_counts": {"train": 2} if train else None}
    with refused(message):
        check_train_and_test(competition_facts(labels=labels), paths, samples(*train), samples(*test))


def test_sets_with_unique_ids_are_not_refused(paths):
    check_train_and_test(competition_facts(), paths, samples("a", "b"), samples("c"))
    check_ids(samples(), "test set")


@pytest.mark.parametrize(
    ("labels", "told", "fix"),
    [
        ("0101", r" \('target' of b is 1 and 0\)", "Correct the labels, or set it to max or majority"),
        ("0110", r" \(their labels are equal\)", "Set it to same"),
    ],
)
def test_labels_of_a_repeated_id_are_compared(labels, told, fix):
    table = samples("a", "b", "b", "c").assign(target=list(labels))
    with refused(rf"^labels\.repeated: 1 id appears more than once in the training set: b{told}\. {fix}$"):
        check_ids(table, "training set", ["target"])


def patients(*found: str | None) -> pd.DataFrame:
    return samples(*(f"x{number}" for number in range(len(found)))).assign(patient=list(found))


def test_group_pattern_that_matches_no_training_id_is_refused():
    facts = competition_facts(labels={"targets": ["target"], "group_pattern": "p(\\d+)"})
    with refused(r"^labels.group_pattern: matches none of the 2 training ids: x0, x1. Correct it: it must match from"):
        check_group_pattern(facts, patients(None, None), patients("1"))


def test_group_pattern_that_matches_no_test_id_is_reported(capsys):
    facts = competition_facts(labels={"targets": ["target"], "group_pattern": "p(\\d+)"})
    check_group_pattern(facts, patients("1", None), patients(None, None, None))
    assert "labels.group_pattern matches none of the 3 test ids: each is a separate group" in capsys.readouterr().out
    check_group_pattern(facts, patients("1", None), patients())
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("group", "part", "message"),
    [
        ([0, 1, 2], ["train"] * 3, "1 unit is in two groups: u. Change score.unit or labels.group"),
        ([0, 0, 2], ["train", "test", "test"], "1 unit is in train and in test: u. Change score.unit"),
    ],
)
def test_unit_in_two_groups_or_in_train_and_test_is_refused(paths, group, part, message):
    table = pd.DataFrame({"unit": ["u", "u", "v"], "group": group, "part": part})
    with refused(message):
        check_units(table, paths)
    check_units(table[1:], paths)
