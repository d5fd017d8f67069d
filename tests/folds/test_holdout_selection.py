"""Holdout: whole groups and balanced classes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.errors import UserError
from medfold.folds.holdout_selection import select_holdout
from tests.support.helpers import refused
from tests.support.sample_tables import sample_tables


@given(sample_tables(), st.floats(0.1, 0.5), st.randoms())
def test_holdout_keeps_groups_whole_in_any_order(table, share, random):
    ids, targets, groups, options = table
    try:
        in_holdout = select_holdout(ids, targets, groups, share, options.seed)
    except UserError:
        return
    assert 0 < in_holdout.sum() < len(ids)
    assert pd.Series(in_holdout).groupby(groups).nunique().max() == 1
    assert abs(in_holdout.mean() - share) <= pd.Series(groups).value_counts(normalize=True).max() + 1e-9
    order = list(range(len(ids)))
    random.shuffle(order)
    again = select_holdout(ids.iloc[order].reset_index(drop=True), targets[order], groups[order], share, options.seed)
    assert (again == in_holdout[order]).all()


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.4, 0.5])
def test_holdout_has_the_requested_share_of_each_class(share):
    rng = np.random.default_rng(0)
    groups = np.sort(rng.integers(0, 150, 600))
    targets = np.where(rng.random(150) < 0.2, 1, 0)[groups]
    ids = pd.Series([f"{number:04d}" for number in range(600)])
    drawn = [select_holdout(ids, targets, groups, share, seed) for seed in range(5)]
    for in_holdout in drawn:
        assert abs(in_holdout.mean() - share) < 0.005
        assert abs(in_holdout[targets == 1].mean() - share) < 0.02
    assert len({in_holdout.tobytes() for in_holdout in drawn}) == 5


SIXTY_IDS = pd.Series([f"{number:02d}" for number in range(60)])
LABELS = np.random.default_rng(0).integers(0, 2, (60, 10))


def test_holdout_balances_labels():
    in_holdout = select_holdout(SIXTY_IDS, LABELS, np.arange(60), 0.2, 0)
    assert abs(in_holdout.sum() - 12) <= 1
    assert (np.abs(LABELS[in_holdout].sum(axis=0) - 0.2 * LABELS.sum(axis=0)) < 2).all()


@pytest.mark.parametrize(("share", "chosen"), [(0.1, "none"), (0.9, "all")])
def test_holdout_of_too_few_groups_is_refused(share, chosen):
    message = f"groups are not split, so a share of {share} would be {chosen} of the samples: "
    message += "2 groups, the largest with 30 samples"
    with refused(f"^labels.holdout: {message}"):
        select_holdout(SIXTY_IDS, LABELS, np.arange(60) % 2, share, 0)
