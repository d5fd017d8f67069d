"""Mean of the folds of a run, joined by id; runs combined by id and unit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.ensemble import mean_of
from medfold.ensemble.combination import combine_runs, mean_by_id, mean_of_arrays
from medfold.scoring import FittedTransform
from tests.support.helpers import competition_facts, refused

MEAN = FittedTransform.from_function(mean_of)
FACTS = competition_facts()


def member(ids, seed):
    values = np.random.default_rng(seed).random((len(ids), 2))
    return pd.DataFrame(values, columns=["a", "b"]).assign(id=list(ids))[["id", "a", "b"]]


@given(st.integers(1, 30), st.integers(1, 5), st.randoms(use_true_random=False))
def test_mean_by_id_joins_rows_in_any_order(n, members, random):
    ids = [f"i{k}" for k in range(n)]
    tables = {f"m{k}": member(ids, k) for k in range(members)}
    shuffled = {name: table.sample(frac=1, random_state=random.randrange(99)) for name, table in tables.items()}
    blended = mean_by_id(shuffled, ["a", "b"]).set_index("id").loc[ids]
    expected = np.mean([table[["a", "b"]].to_numpy() for table in tables.values()], axis=0)
    np.testing.assert_allclose(blended.to_numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (member("xyw", 1), "two: 2 ids differ from one: w, z. Train again"),
        (member("xyzw", 1), "two: 1 id differs from one: w"),
        (member("xyzz", 1), "two: duplicate ids: z. Train again"),
        (member("xyz", 1).assign(a=np.nan), "two: 3 of 3 predictions are not numbers: x, y, z. The weights overflowed"),
    ],
)
def test_members_with_other_ids_or_nan_are_refused(table, message):
    with refused(message):
        mean_by_id({"one": member("xyz", 0), "two": table}, ["a", "b"], "Train again")


def test_mean_of_arrays_sums_shares_in_order():
    arrays = [np.random.default_rng(seed).random((50, 2)) for seed in range(3)]
    mean = mean_of_arrays(arrays)
    np.testing.assert_allclose(mean, np.mean(arrays, axis=0), rtol=0, atol=1e-12)
    first, second, third = (1 / 3 * array for array in arrays)
    np.testing.assert_array_equal(mean, first + second + third)
    assert (mean != third + second + first).any()  # another order gives other last digits


def table(**predictions: float) -> pd.DataFrame:
    return pd.DataFrame({"id": list(predictions), "target": list(predictions.values())})


def units(*ids: str, **unit_of: str) -> pd.Series:
    return pd.Series({id: unit_of.get(id, id) for id in ids}, dtype=object)


def test_runs_are_joined_by_id_in_the_order_of_the_first():
    runs = {"one": table(b=0.2, a=0.4), "two": table(a=0.6, b=0.0)}
    combined = combine_runs(FACTS, runs, units("a", "b"), MEAN)
    assert combined["id"].tolist() == ["b", "a"]
    assert combined["target"].tolist() == pytest.approx([0.1, 0.5])


@pytest.mark.parametrize(("aggregate", "expected"), [("mean", [0.3, 0.8]), ("max", [0.5, 0.8])])
def test_images_of_a_unit_are_aggregated_before_runs_are_combined(aggregate, expected):
    runs = {"one": table(a1=0.2, a2=0.4, b=0.9), "two": table(a1=0.6, a2=0.0, b=0.7)}
    unit = units("a1", "a2", "b", a1="a", a2="a")
    facts = competition_facts(score={"metric": "auc", "unit": "patient", "aggregate": aggregate})
    combined = combine_runs(facts, runs, unit, MEAN)
    assert combined["id"].tolist() == ["a", "b"]
    assert combined["target"].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("second", "differing"),
    [(table(a=0.6, c=0.0), "2 test units differ from one: b, c"), (table(a=0.6), "1 test unit differs from one: b")],
    ids=["another image", "an image less"],
)
def test_runs_of_different_images_are_refused(second, differing):
    runs = {"one": table(a=0.2, b=0.4), "two": second}
    with refused(rf"^two: {differing}\. Runs must predict the same images: leave it out"):
        combine_runs(FACTS, runs, units("a", "b", "c"), MEAN)


def test_no_image_gives_an_empty_table():
    combined = combine_runs(FACTS, {"one": table(), "two": table()}, units(), MEAN)
    assert list(combined.columns) == ["id", "target"]
    assert len(combined) == 0
