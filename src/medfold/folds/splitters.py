"""Splitters: the fold number 0..K-1 of each training sample, and the holdout.

Groups are never split. The folds depend on competition.yaml alone, not on the order of the samples.
"""

import warnings

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from medfold.competition import FoldFacts
from medfold.errors import SettingError, count_of


def merge_groups(groups: np.ndarray, *shared: np.ndarray) -> np.ndarray:
    """Merges groups that share something, such as an identical image; chains of such groups become one group, too.

    Args:
        groups: int (n,), the group of each sample.
        shared: (n,) each, equal where samples share something: pixel hashes, clusters of near-duplicates.

    Returns:
        int64 (n,): the smallest group number of each merged cluster.
    """
    group_node, unique_groups = pd.factorize(groups, sort=True)
    nodes = []
    total = len(unique_groups)
    for column in shared:
        node, unique_values = pd.factorize(column)
        nodes.append(node + total)
        total += len(unique_values)
    rows, columns = np.tile(group_node, len(shared)), np.concatenate(nodes)
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(total, total))
    _, cluster = connected_components(graph, directed=False)
    cluster = cluster[: len(unique_groups)]
    smallest = pd.Series(np.asarray(unique_groups)).groupby(cluster).min()
    return smallest.loc[cluster[group_node]].to_numpy(np.int64)


def assign_folds(ids: pd.Series, targets: np.ndarray, groups: np.ndarray, fold_facts: FoldFacts) -> np.ndarray:
    """Assigns each sample to a fold.

    Single-label folds are made by scikit-learn's StratifiedKFold, GroupKFold and StratifiedGroupKFold. Multi-label
    folds are made by the iterative stratification of Sechidis et al. 2011, over one row per group that has every label
    of its samples.

    Args:
        ids: ids of the samples, text (n,), unique.
        targets: int (n,) classes, or int (n, labels) of 0 and 1.
        groups: group numbers, int (n,), with duplicates joined.
        fold_facts: number of folds, seed and method.

    Returns:
        int64 (n,), values 0..K-1.

    Raises:
        UserError: fewer groups than folds.
    """
    order = np.argsort(ids.to_numpy(), kind="stable")
    fold = np.empty(len(ids), np.int64)
    fold[order] = _assign(targets[order], pd.factorize(groups[order])[0], fold_facts)
    return fold


def _assign(targets: np.ndarray, groups: np.ndarray, fold_facts: FoldFacts) -> np.ndarray:
    """Assigns folds as `assign_folds`, to samples that are sorted by id; groups are numbered from 0."""
    # Here and in other modules scikit-learn is imported inside functions: its import takes longer than most commands.
    from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

    count = int(groups.max()) + 1
    if count < fold_facts.k:
        single_group_fix = "All images are in one group: check labels.group, and whether they are copies of each other"
        fix = f"Set it to {count} or less" if count >= MIN_K else single_group_fix
        raise SettingError(f"{count_of(count, 'group')} cannot make {fold_facts.k} folds", "folds.k", fix)
    splitter_options = {"n_splits": fold_facts.k, "shuffle": True, "random_state": fold_facts.seed}
    first_rows = np.unique(groups, return_index=True)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes with fewer members than folds: `scarce_classes` reports them
        if fold_facts.method == "group":
            splits = GroupKFold(**splitter_options).split(groups, groups=groups)
        elif targets.ndim == 2:
            group_labels = pd.DataFrame(targets).groupby(groups).max().to_numpy()
            return _expand(MultilabelStratifiedKFold(**splitter_options).split(group_labels, group_labels), count)[
                groups
            ]
        elif fold_facts.method == "stratified":
            # Each group is a single sample here, or duplicates of one.
            return _expand(
                _stratified(StratifiedKFold, targets[first_rows], np.arange(count), splitter_options), count
            )[groups]
        else:
            splits = _stratified(StratifiedGroupKFold, targets, groups, splitter_options)
        return _expand(splits, len(groups))


def _stratified(splitter: type, classes: np.ndarray, groups: np.ndarray, splitter_options: dict) -> list:
    """Splits by a stratified splitter; by groups alone if no class is large enough to stratify."""
    from sklearn.model_selection import GroupKFold

    try:
        return list(splitter(**splitter_options).split(classes, classes, groups))
    except ValueError:  # every class has fewer members than there are folds: stratification is impossible
        return list(GroupKFold(**splitter_options).split(classes, groups=groups))


def _expand(splits, count: int) -> np.ndarray:
    """Converts splits into the fold number of each row, int64 (count,)."""
    fold = np.full(count, -1, np.int64)
    for number, (_, held_out) in enumerate(splits):
        fold[held_out] = number
    return fold


MIN_K = 2
MAX_MOVES = 1000  # groups moved in or out of the holdout to approach the requested share


def choose_holdout(ids: pd.Series, targets: np.ndarray, groups: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Selects a share of the samples in whole groups, with all classes (or labels) in proportion.

    Groups are sorted by the labels they contain, in random order within equal ones, and sampled systematically from
    that order. Then single groups change sides as long as this brings the counts nearer to the share.

    Args:
        ids: ids of the samples, text (n,), unique.
        targets: int (n,) classes, or int (n, labels) of 0 and 1.
        groups: group numbers, int (n,), with duplicates joined.
        share: share of the samples to hold out, above 0 and below 1.
        seed: seed of the random order of the groups.

    Returns:
        bool (n,): True for the holdout.

    Raises:
        UserError: the groups are too few or too large for this share.
    """
    by_id = np.argsort(ids.to_numpy(), kind="stable")
    group = pd.factorize(groups[by_id])[0]
    ordered = targets[by_id]
    members = ordered if targets.ndim == 2 else ordered[:, None] == np.arange(targets.max() + 1)
    indicators = np.column_stack([members, np.ones(len(group), bool)]).astype(np.float64)
    counts = np.zeros((group.max() + 1, indicators.shape[1]))
    np.add.at(counts, group, indicators)
    shuffled = np.random.default_rng(seed).permutation(len(counts))
    order = shuffled[np.lexsort((counts[shuffled, :-1] > 0).T)]
    selected = np.zeros(len(counts), bool)
    selected[order] = np.diff(np.floor(np.arange(len(counts) + 1) * share + 0.5)) > 0
    total = counts.sum(axis=0)
    excess = counts[selected].sum(axis=0) - share * total
    weight = 1 / np.maximum(total, 1)
    for _ in range(MAX_MOVES):
        new_excess = excess + np.where(selected[:, None], -1, 1) * counts
        distance = (new_excess**2 * weight).sum(axis=1)
        best = int(distance.argmin())
        if distance[best] >= (excess**2 * weight).sum() - 1e-9:
            break
        excess = new_excess[best]
        selected[best] = not selected[best]
    if selected.all() or not selected.any():
        what = (
            f"{count_of(len(counts), 'group')} of up to {count_of(round(counts[:, -1].max()), 'sample')}, "
            f"{counts.shape[1] - 1} classes or labels:"
        )
        what += f" no share near {share:g} of them keeps these in proportion"
        raise SettingError(what, "labels.holdout", "Set another share, or check labels.group and folds.duplicates")
    holdout = np.empty(len(ids), bool)
    holdout[by_id] = selected[group]
    return holdout


def scarce_classes(targets: np.ndarray, groups: np.ndarray, names: list[str], k: int) -> dict[str, int]:
    """Returns the classes (or labels) that occur in fewer groups than there are folds, with that number of groups."""
    members = targets.T == 1 if targets.ndim == 2 else targets == np.arange(len(names))[:, None]
    group_counts = {name: len(np.unique(groups[rows])) for name, rows in zip(names, members, strict=True)}
    return {name: count for name, count in group_counts.items() if count < k}


def fold_balance(targets: np.ndarray, groups: np.ndarray, fold: np.ndarray, names: list[str]) -> pd.DataFrame:
    """Returns a row per fold: the number of samples, of groups, and of samples with each class (or label)."""
    rows = []
    for number in np.unique(fold):
        in_fold = fold == number
        members = targets[in_fold] == 1 if targets.ndim == 2 else targets[in_fold, None] == np.arange(len(names))
        rows.append([number, in_fold.sum(), len(np.unique(groups[in_fold])), *members.sum(axis=0)])
    return pd.DataFrame(rows, columns=["fold", "samples", "groups", *names])
