"""Folds: a number 0..K-1 for each training sample, made once, kept in `folds/<competition>.csv`.

Groups are never split. What decides the folds is competition.yaml alone, and the order of the samples does not matter.
"""

import warnings

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from medfold.competition import FoldFacts
from medfold.errors import UserError


def merge_groups(groups: np.ndarray, *shared: np.ndarray) -> np.ndarray:
    """Groups that share something, such as an image, become one; chains of such groups too.

    Args:
        groups: int (n,), the group of each sample.
        shared: (n,) each, equal where samples share something: pixel hashes, clusters of near-duplicates.

    Returns:
        int64 (n,): the smallest group number of each joined cluster.
    """
    group_node, groups_seen = pd.factorize(groups, sort=True)
    nodes, total = [], len(groups_seen)
    for column in shared:
        node, seen = pd.factorize(column)
        nodes.append(node + total)
        total += len(seen)
    begin, end = np.tile(group_node, len(shared)), np.concatenate(nodes)
    graph = coo_array((np.ones(len(begin), bool), (begin, end)), shape=(total, total))
    _, cluster = connected_components(graph, directed=False)
    cluster = cluster[: len(groups_seen)]
    smallest = pd.Series(np.asarray(groups_seen)).groupby(cluster).min()
    return smallest.loc[cluster[group_node]].to_numpy(np.int64)


def assign_folds(ids: pd.Series, targets: np.ndarray, groups: np.ndarray, options: FoldFacts) -> np.ndarray:
    """The fold of each sample.

    Single-label folds are scikit-learn's StratifiedKFold, GroupKFold and StratifiedGroupKFold; multi-label ones are
    the iterative stratification of Sechidis et al. 2011, over one row per group that has every label of its samples.

    Args:
        ids: text (n,), unique.
        targets: int (n,) classes, or int (n, labels) of 0 and 1.
        groups: int (n,), duplicates joined.
        options: K, seed and method.

    Returns:
        int64 (n,), values 0..K-1.

    Raises:
        UserError: fewer groups than folds.
    """
    order = np.argsort(ids.to_numpy(), kind="stable")
    fold = np.empty(len(ids), np.int64)
    fold[order] = _assign(targets[order], pd.factorize(groups[order])[0], options)
    return fold


def _assign(targets: np.ndarray, groups: np.ndarray, options: FoldFacts) -> np.ndarray:
    # Here and in other modules scikit-learn is imported where it is needed: it takes longer than most commands.
    from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

    count = int(groups.max()) + 1
    if count < options.k:
        alone = "All images are of one group: look at labels.group, or whether they are copies of each other"
        fix = f"Set it to {count} or less" if count >= SMALLEST_K else alone
        raise UserError(f"{count} group{'s' * (count > 1)} cannot make {options.k} folds", "folds.k", fix)
    choices = {"n_splits": options.k, "shuffle": True, "random_state": options.seed}
    first = np.unique(groups, return_index=True)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes with fewer members than folds: `scarce` names them
        if options.method == "group":
            splits = GroupKFold(**choices).split(groups, groups=groups)
        elif targets.ndim == 2:
            any_label = pd.DataFrame(targets).groupby(groups).max().to_numpy()
            return _expand(MultilabelStratifiedKFold(**choices).split(any_label, any_label), count)[groups]
        elif options.method == "stratified":
            # Groups are single samples here, or duplicates of one.
            return _expand(_stratified(StratifiedKFold, targets[first], np.arange(count), choices), count)[groups]
        else:
            splits = _stratified(StratifiedGroupKFold, targets, groups, choices)
        return _expand(splits, len(groups))


def _stratified(splitter: type, classes: np.ndarray, groups: np.ndarray, choices: dict) -> list:
    from sklearn.model_selection import GroupKFold

    try:
        return list(splitter(**choices).split(classes, classes, groups))
    except ValueError:  # every class has fewer members than there are folds: nothing to stratify by
        return list(GroupKFold(**choices).split(classes, groups=groups))


def _expand(splits, count: int) -> np.ndarray:
    fold = np.full(count, -1, np.int64)
    for number, (_, held_out) in enumerate(splits):
        fold[held_out] = number
    return fold


SMALLEST_K = 2
MOST_MOVES = 1000  # of groups, until a hold-out has the share asked for


def choose_holdout(ids: pd.Series, targets: np.ndarray, groups: np.ndarray, share: float, seed: int) -> np.ndarray:
    """A share of the samples in whole groups, with all classes (or labels) in proportion.

    Groups are drawn systematically, from an order by what labels they have and then by lot; then single groups change
    sides as long as that brings the counts nearer to the share.

    Args:
        ids: text (n,), unique.
        targets: int (n,) classes, or int (n, labels) of 0 and 1.
        groups: int (n,), duplicates joined.
        share: of the samples, above 0.
        seed: of the lot.

    Returns:
        bool (n,): True for those set aside.

    Raises:
        UserError: the groups are too few or too large for such a share.
    """
    by_id = np.argsort(ids.to_numpy(), kind="stable")
    group, ordered = pd.factorize(groups[by_id])[0], targets[by_id]
    members = ordered if targets.ndim == 2 else ordered[:, None] == np.arange(targets.max() + 1)
    counted = np.column_stack([members, np.ones(len(group), bool)]).astype(np.float64)
    counts = np.zeros((group.max() + 1, counted.shape[1]))
    np.add.at(counts, group, counted)
    lot = np.random.default_rng(seed).permutation(len(counts))
    order = lot[np.lexsort((counts[lot, :-1] > 0).T)]
    drawn = np.zeros(len(counts), bool)
    drawn[order] = np.diff(np.floor(np.arange(len(counts) + 1) * share + 0.5)) > 0
    total = counts.sum(axis=0)
    excess = counts[drawn].sum(axis=0) - share * total
    weight = 1 / np.maximum(total, 1)
    for _ in range(MOST_MOVES):
        moved = excess + np.where(drawn[:, None], -1, 1) * counts
        distance = (moved**2 * weight).sum(axis=1)
        best = int(distance.argmin())
        if distance[best] >= (excess**2 * weight).sum() - 1e-9:
            break
        excess, drawn[best] = moved[best], not drawn[best]
    if drawn.all() or not drawn.any():
        what = (
            f"{len(counts)} groups of up to {counts[:, -1].max():.0f} samples, {counts.shape[1] - 1} classes or labels:"
        )
        what += f" no share near {share:g} of them keeps these in proportion"
        raise UserError(what, "labels.holdout", "Set another share, or look at labels.group and folds.duplicates")
    found = np.empty(len(ids), bool)
    found[by_id] = drawn[group]
    return found


def scarce_classes(targets: np.ndarray, groups: np.ndarray, names: list[str], k: int) -> dict[str, int]:
    """The classes (or labels) found in fewer groups than there are folds, with the number of those groups."""
    members = targets.T == 1 if targets.ndim == 2 else targets == np.arange(len(names))[:, None]
    found = {name: len(np.unique(groups[rows])) for name, rows in zip(names, members, strict=True)}
    return {name: count for name, count in found.items() if count < k}


def fold_balance(targets: np.ndarray, groups: np.ndarray, fold: np.ndarray, names: list[str]) -> pd.DataFrame:
    """A row per fold: samples, groups, and how many samples each class (or label) has in it."""
    rows = []
    for number in np.unique(fold):
        here = fold == number
        members = targets[here] == 1 if targets.ndim == 2 else targets[here, None] == np.arange(len(names))
        rows.append([number, here.sum(), len(np.unique(groups[here])), *members.sum(axis=0)])
    return pd.DataFrame(rows, columns=["fold", "samples", "groups", *names])
