"""Mean of predictions, joined by id."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.ensemble.fold_mean import mean_by_id, mean_of_arrays
from tests.support.helpers import refused


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
        (member("xyw", 1), "two: 2 ids differ from one: w, z"),
        (member("xyzw", 1), "two: 1 id differs from one: w"),
        (member("xyzz", 1), "two: duplicate ids: z"),
        (member("xyz", 1).assign(a=np.nan), "two: 3 of 3 predictions are not numbers: x, y, z. The weights overflowed"),
    ],
)
def test_members_with_other_ids_or_nan_are_refused(table, message):
    with refused(message):
        mean_by_id({"one": member("xyz", 0), "two": table}, ["a", "b"])


def test_mean_by_id_without_tables_is_refused():
    with refused("nothing to average"):
        mean_by_id({}, ["a"])


def test_mean_of_arrays_sums_shares_in_order():
    arrays = [np.random.default_rng(seed).random((50, 2)) for seed in range(3)]
    mean = mean_of_arrays(arrays)
    np.testing.assert_allclose(mean, np.mean(arrays, axis=0), rtol=0, atol=1e-12)
