"""Dataset shift: adversarial AUC of train and test."""

import numpy as np
import pandas as pd
import pytest

from medfold.audit import dataset_shift
from medfold.audit.dataset_shift import adversarial_auc
from tests.support.helpers import slow_but_first

SEEDS = range(10)


def part(rng, count=400, mean=0.0, sites=("a", "b", "c")):
    """A table as the audit makes it: image statistics and columns of the label table, with missing values."""
    return pd.DataFrame(
        {
            "mean": rng.normal(mean, 1, count),
            "age": np.where(rng.random(count) < 0.2, np.nan, rng.integers(20, 90, count)),
            "flag": rng.random(count) < 0.5,
            "site": rng.choice([*sites, None], count),
            "id": [f"x{number:08x}" for number in rng.integers(0, 2**32, count)],
            "unit": "mm",
        }
    )


def separate_groups(*parts):
    return np.arange(sum(map(len, parts)))


@pytest.mark.parametrize("seed", slow_but_first(*range(3)))
def test_equal_parts_have_an_auc_of_one_half(seed):
    rng = np.random.default_rng(seed)
    train, test = part(rng, 1000), part(rng, 1000)
    found = adversarial_auc(train, test, separate_groups(train, test))
    assert found.auc == pytest.approx(0.5, abs=0.05)
    assert {name for name, _ in found.columns} == {"mean", "age", "flag", "site"}  # ids and constants are left out
    assert all(auc == pytest.approx(0.5, abs=0.05) for _, auc in found.columns)


@pytest.mark.parametrize(
    ("changes", "column"),
    [({"mean": 3.0}, "mean"), ({"sites": ("d", "e", "a")}, "site")],
)
def test_shifted_column_is_listed_first(changes, column):
    rng = np.random.default_rng(0)
    train, test = part(rng), part(rng, **changes)
    found = adversarial_auc(train, test, separate_groups(train, test))
    assert found.auc > (0.9 if column == "mean" else 0.75)
    assert found.columns[0][0] == column
    assert found.columns[0][1] > found.columns[1][1] + 0.2


def test_column_empty_in_one_part_is_detected():
    rng = np.random.default_rng(0)
    train, test = part(rng), part(rng).assign(age=np.nan, site=None)
    found = adversarial_auc(train, test, separate_groups(train, test))
    assert found.auc > 0.9
    assert {name for name, _ in found.columns[:2]} == {"age", "site"}


def test_different_spread_is_detected():
    rng = np.random.default_rng(0)
    train, test = (pd.DataFrame({"x": rng.normal(0, width, 1000)}) for width in (1, 8))  # both around zero
    assert adversarial_auc(train, test, separate_groups(train, test)).auc > 0.8


def test_columns_missing_in_one_part_are_left_out():
    rng = np.random.default_rng(0)
    train, test = part(rng).assign(target=np.arange(400), leak=1.5), part(rng).assign(more="x")
    found = adversarial_auc(train, test, separate_groups(train, test))
    assert found.auc < 0.6
    assert {name for name, _ in found.columns} == {"mean", "age", "flag", "site"}


def test_adversarial_auc_keeps_groups_whole():
    # A number per patient predicts the part only if images of the patient were seen in training.
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(200), 10)
    column = pd.DataFrame({"patient": rng.random(200)[patients]})
    train, test = column[patients % 2 == 0], column[patients % 2 == 1]
    groups = np.concatenate([patients[patients % 2 == 0], patients[patients % 2 == 1]])
    assert adversarial_auc(train, test, groups).auc < 0.6
    assert adversarial_auc(train, test, separate_groups(train, test)).auc > 0.8


@pytest.mark.slow
def test_strongest_columns_are_listed_and_results_are_reproducible(monkeypatch):
    monkeypatch.setattr(dataset_shift, "MAX_ROWS", 200)
    rng, apart = np.random.default_rng(0), [0, 0.3, 0.8, 1.4, 2.2, 3.2]
    train, test = (
        pd.DataFrame({f"c{number}": rng.normal(far * is_test, 1, 400) for number, far in enumerate(apart)})
        for is_test in (0, 1)
    )
    found = [adversarial_auc(train, test, separate_groups(train, test), seed) for seed in (1, 1, 2)]
    assert [name for name, _ in found[0].columns] == ["c5", "c4", "c3", "c2", "c1"]
    assert found[0] == found[1]
    assert found[0] != found[2]  # other rows are drawn


@pytest.mark.parametrize(
    ("train", "test", "groups"),
    [
        (100, 10, "own"),  # too few rows
        (10, 100, "own"),
        (100, 100, "two"),  # fewer groups than folds
        (100, 100, "large"),  # all of the test set is one group
    ],
)
def test_too_few_rows_or_groups_give_nan(train, test, groups):
    rng = np.random.default_rng(0)
    numbers = {
        "own": np.arange(train + test),
        "two": np.repeat([0, 1], [train, test]),
        "large": np.minimum(np.arange(train + test), train),
    }
    found = adversarial_auc(part(rng, train), part(rng, test), numbers[groups])
    assert np.isnan(found.auc)
    assert found.columns == []


def test_at_most_max_rows_are_used(monkeypatch):
    rng = np.random.default_rng(0)
    train, test = part(rng, 100), part(rng, 100)
    monkeypatch.setattr(dataset_shift, "MAX_ROWS", dataset_shift.MIN_ROWS - 1)
    assert np.isnan(adversarial_auc(train, test, separate_groups(train, test)).auc)


def test_constant_or_unshared_columns_give_nan():
    constant = pd.DataFrame({"unit": ["mm"] * 50})
    assert np.isnan(adversarial_auc(constant, constant, np.arange(100)).auc)
    assert np.isnan(adversarial_auc(constant, constant.rename(columns={"unit": "other"}), np.arange(100)).auc)
