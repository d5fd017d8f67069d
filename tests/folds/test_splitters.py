"""Folds and hold-outs: whole groups and balanced classes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.competition.facts_sections import FoldFacts
from medfold.errors import UserError
from medfold.folds.splitters import assign_folds, choose_holdout, fold_balance, merge_groups, scarce_classes


@st.composite
def tables(draw):
    """Ids, targets, groups and options of any small table with at least K groups."""
    k = draw(st.integers(2, 5))
    groups = np.array(draw(st.lists(st.integers(0, 30), min_size=k, max_size=80)))
    groups[:k] = np.arange(k) + 100  # at least K groups
    n = len(groups)
    if draw(st.booleans()):
        targets = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    else:
        targets = np.array(draw(st.lists(st.lists(st.integers(0, 1), min_size=3, max_size=3), min_size=n, max_size=n)))
    ids = pd.Series([f"{number:04d}" for number in draw(st.permutations(range(n)))])
    method = draw(st.sampled_from(["stratified", "group", "stratified-group"]))
    return ids, targets, groups, FoldFacts(k=k, seed=draw(st.integers(0, 3)), method=method)


@given(tables())
def test_every_sample_has_one_fold_and_no_group_is_split(table):
    ids, targets, groups, options = table
    fold = assign_folds(ids, targets, groups, options)
    assert ((fold >= 0) & (fold < options.k)).all()
    assert pd.Series(fold).groupby(groups).nunique().max() == 1


@given(tables(), st.randoms(use_true_random=False))
def test_folds_do_not_depend_on_the_order_of_rows(table, random):
    ids, targets, groups, options = table
    order = list(range(len(ids)))
    random.shuffle(order)
    fold = assign_folds(ids, targets, groups, options)
    shuffled = assign_folds(ids.iloc[order].reset_index(drop=True), targets[order], groups[order], options)
    assert (shuffled == fold[order]).all()


def test_stratified_folds_have_equal_shares():
    targets = np.repeat([0, 1, 2], [500, 300, 50])
    ids = pd.Series([f"{n}" for n in range(850)])
    fold = assign_folds(ids, targets, np.arange(850), FoldFacts(k=5, seed=0, method="stratified"))
    shares = fold_balance(targets, np.arange(850), fold, ["a", "b", "c"])
    assert shares[["a", "b", "c"]].to_numpy().tolist() == [[100, 60, 10]] * 5


def test_grouped_folds_have_nearly_equal_shares():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 400, 1000)
    targets = (rng.random(400) < 0.3).astype(int)[groups]
    ids = pd.Series([f"{n:04d}" for n in range(1000)])
    fold = assign_folds(ids, targets, groups, FoldFacts(k=5, seed=0, method="stratified-group"))
    rate = pd.Series(targets).groupby(fold).mean()
    assert (rate - targets.mean()).abs().max() < 0.03


def test_multilabel_folds_balance_labels_and_keep_groups_whole():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(300), 2)
    targets = np.repeat((rng.random((300, 4)) < [0.5, 0.3, 0.1, 0.05]).astype(int), 2, axis=0)
    ids = pd.Series([f"{n:04d}" for n in range(600)])
    fold = assign_folds(ids, targets, groups, FoldFacts(k=5, seed=0, method="stratified-group"))
    assert pd.Series(fold).groupby(groups).nunique().max() == 1
    table = fold_balance(targets, groups, fold, ["a", "b", "c", "d"])
    expected = targets.sum(axis=0) / 5
    assert (np.abs(table[["a", "b", "c", "d"]].to_numpy() - expected) <= np.maximum(4, 0.15 * expected)).all()


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([0, 1, 2, 2], "3 groups cannot make 5 folds. Set it to 3 or less"),
        ([7, 7, 7, 7], "folds.k: 1 group cannot make 5 folds. All images are in one group: check labels.group"),
    ],
)
def test_too_few_groups_are_refused(groups, message):
    with pytest.raises(UserError, match=message):
        assign_folds(pd.Series(list("abcd")), np.zeros(4, int), np.array(groups), FoldFacts(k=5))


@given(tables(), st.floats(0.1, 0.5), st.randoms())
def test_holdout_keeps_groups_whole_in_any_order(table, share, random):
    ids, targets, groups, options = table
    try:
        held_out = choose_holdout(ids, targets, groups, share, options.seed)
    except UserError:
        return
    assert 0 < held_out.sum() < len(ids)
    assert pd.Series(held_out).groupby(groups).nunique().max() == 1
    assert abs(held_out.mean() - share) <= pd.Series(groups).value_counts(normalize=True).max() + 1e-9
    order = list(range(len(ids)))
    random.shuffle(order)
    again = choose_holdout(ids.iloc[order].reset_index(drop=True), targets[order], groups[order], share, options.seed)
    assert (again == held_out[order]).all()


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.4, 0.5])
def test_holdout_has_the_requested_share_of_each_class(share):
    rng = np.random.default_rng(0)
    groups = np.sort(rng.integers(0, 150, 600))
    targets = np.where(rng.random(150) < 0.2, 1, 0)[groups]
    ids = pd.Series([f"{number:04d}" for number in range(600)])
    drawn = [choose_holdout(ids, targets, groups, share, seed) for seed in range(5)]
    for held_out in drawn:
        assert abs(held_out.mean() - share) < 0.005
        assert abs(held_out[targets == 1].mean() - share) < 0.02
    assert len({held_out.tobytes() for held_out in drawn}) == 5


def test_holdout_balances_labels_and_refuses_too_few_groups():
    rng = np.random.default_rng(0)
    ids, labels = pd.Series([f"{number:02d}" for number in range(60)]), rng.integers(0, 2, (60, 10))
    held_out = choose_holdout(ids, labels, np.arange(60), 0.2, 0)
    assert abs(held_out.sum() - 12) <= 1
    assert (np.abs(labels[held_out].sum(axis=0) - 0.2 * labels.sum(axis=0)) < 2).all()
    with pytest.raises(UserError, match="labels.holdout: 2 groups of up to 30 samples, 10 .*: no share near 0.1"):
        choose_holdout(ids, labels, np.arange(60) % 2, 0.1, 0)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40))
def test_merge_groups_equals_a_slow_search(rows):
    groups, hashes = (np.array(column) for column in zip(*rows, strict=True))
    joined = groups.copy()
    while True:  # the smallest group reachable over shared groups or shared images
        before = joined.copy()
        for key in (groups, hashes):
            for value in np.unique(key):
                joined[key == value] = joined[key == value].min()
        if (joined == before).all():
            break
    assert (merge_groups(groups, hashes) == joined).all()


def test_scarce_classes_are_those_in_too_few_groups():
    targets, groups = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 2, 3, 3, 4])
    assert scarce_classes(targets, groups, ["a", "b", "c"], 3) == {"b": 1, "c": 1}
    labels = np.array([[1, 0], [1, 0], [1, 1]])
    assert scarce_classes(labels, np.arange(3), ["x", "y"], 2) == {"y": 1}
