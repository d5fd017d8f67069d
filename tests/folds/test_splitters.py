"""Folds: whole groups and balanced classes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.competition import FoldFacts
from medfold.folds import fold_balance
from medfold.folds.splitters import assign_folds
from tests.support.helpers import refused
from tests.support.sample_tables import sample_tables


@given(sample_tables())
def test_every_sample_has_one_fold_and_no_group_is_split(table):
    ids, targets, groups, options = table
    fold = assign_folds(ids, targets, groups, options)
    assert ((fold >= 0) & (fold < options.k)).all()
    assert pd.Series(fold).groupby(groups).nunique().max() == 1


@given(sample_tables(), st.randoms(use_true_random=False))
def test_folds_do_not_depend_on_the_order_of_rows(table, random):
    ids, targets, groups, options = table
    order = list(range(len(ids)))
    random.shuffle(order)
    fold = assign_folds(ids, targets, groups, options)
    shuffled = assign_folds(ids.iloc[order].reset_index(drop=True), targets[order], groups[order], options)
    assert (shuffled == fold[order]).all()


@pytest.mark.parametrize(
    "targets",
    [np.arange(60) % 2, np.stack([np.arange(60) % 2, np.arange(60) % 3 // 2], axis=1)],
    ids=["classes", "labels"],
)
@pytest.mark.parametrize("method", ["stratified", "group", "stratified_group"])
def test_another_seed_makes_other_folds(method, targets):
    ids, groups = pd.Series([f"{number:02d}" for number in range(60)]), np.arange(60)
    first, again, other = (
        assign_folds(ids, targets, groups, FoldFacts(k=3, seed=seed, method=method)) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


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
    fold = assign_folds(ids, targets, groups, FoldFacts(k=5, seed=0, method="stratified_group"))
    rate = pd.Series(targets).groupby(fold).mean()
    assert (rate - targets.mean()).abs().max() < 0.03


def test_multilabel_folds_balance_labels_and_keep_groups_whole():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(300), 2)
    targets = np.repeat((rng.random((300, 4)) < [0.5, 0.3, 0.1, 0.05]).astype(int), 2, axis=0)
    ids = pd.Series([f"{n:04d}" for n in range(600)])
    fold = assign_folds(ids, targets, groups, FoldFacts(k=5, seed=0, method="stratified_group"))
    assert pd.Series(fold).groupby(groups).nunique().max() == 1
    table = fold_balance(targets, groups, fold, ["a", "b", "c", "d"])
    expected = targets.sum(axis=0) / 5
    assert (np.abs(table[["a", "b", "c", "d"]].to_numpy() - expected) <= np.maximum(4, 0.15 * expected)).all()


def test_multilabel_group_counts_with_the_labels_of_all_its_images():
    groups = np.repeat(np.arange(100), 2)
    targets = np.zeros((200, 2), int)
    targets[1:40:2, 0] = 1  # only on the second image of each of 20 groups
    targets[0::4, 1] = 1
    fold = assign_folds(pd.Series(map(str, range(200))), targets, groups, FoldFacts(k=5, method="stratified_group"))
    assert pd.Series(targets[:, 0]).groupby(fold).sum().tolist() == [4] * 5


@pytest.mark.parametrize("method", ["stratified", "stratified_group"])
def test_classes_with_fewer_members_than_folds_are_not_stratified(method):
    ids, targets, groups = pd.Series([f"{n}" for n in range(9)]), np.repeat([0, 1, 2], 3), np.arange(9)
    fold = assign_folds(ids, targets, groups, FoldFacts(k=4, method=method))
    assert (fold == assign_folds(ids, targets, groups, FoldFacts(k=4, method="group"))).all()


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([0, 1, 2, 2], "3 groups cannot make 5 folds. Set it to 3 or less"),
        ([7, 7, 7, 7], "folds.k: 1 group cannot make 5 folds. All images are in one group: check labels.group"),
    ],
)
def test_too_few_groups_are_refused(groups, message):
    with refused(message):
        assign_folds(pd.Series(list("abcd")), np.zeros(4, int), np.array(groups), FoldFacts(k=5))
