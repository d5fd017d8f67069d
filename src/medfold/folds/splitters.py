"""Splitters, which give each training sample its fold, a number from 0 to k - 1.

Groups are never split. The folds depend on competition.yaml alone, not on the order of the samples.
"""

import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd

from medfold.competition import FoldFacts
from medfold.errors import SettingError
from medfold.text import count_of

MIN_K = 2


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
            fold_of_group = _fold_numbers(GroupKFold(**splitter_options).split(groups, groups=groups))[first_rows]
        elif targets.ndim == 2:
            group_labels = pd.DataFrame(targets).groupby(groups).max().to_numpy()
            splitter = MultilabelStratifiedKFold(**splitter_options)
            fold_of_group = _fold_numbers(splitter.split(group_labels, group_labels))
        elif fold_facts.method == "stratified":  # each group is a single sample here, or duplicates of one
            splits = _stratified(StratifiedKFold, targets[first_rows], np.arange(count), splitter_options)
            fold_of_group = _fold_numbers(splits)
        else:
            splits = _stratified(StratifiedGroupKFold, targets, groups, splitter_options)
            fold_of_group = _fold_numbers(splits)[first_rows]
    return fold_of_group[groups]


def _stratified(splitter: type, classes: np.ndarray, groups: np.ndarray, splitter_options: dict) -> list:
    """Splits by a stratified splitter; by groups alone if no class is large enough to stratify."""
    from sklearn.model_selection import GroupKFold

    try:
        return list(splitter(**splitter_options).split(classes, classes, groups))
    except ValueError:  # every class has fewer members than there are folds: stratification is impossible
        return list(GroupKFold(**splitter_options).split(classes, groups=groups))


def _fold_numbers(splits: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Returns the fold number of each row, int64, from splits (rows of the other folds, rows of the fold)."""
    parts = [held_out for _, held_out in splits]
    fold = np.empty(sum(map(len, parts)), np.int64)
    for number, held_out in enumerate(parts):
        fold[held_out] = number
    return fold
