"""Splitters, which give each training sample its fold, a number from 0 to k - 1.

Groups are never split. The folds depend on ids, labels, groups and the keys of `folds`, not on the order of samples.
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
    of its samples. Where every class has fewer members than there are folds, the folds are not stratified.

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

    num_groups = int(groups.max()) + 1
    if num_groups < fold_facts.k:
        single_group_fix = (
            "All images are in one group: check labels.group or labels.group_pattern, and whether the images are copies"
        )
        fix = f"Set it to {num_groups} or less" if num_groups >= MIN_K else single_group_fix
        raise SettingError(f"{count_of(num_groups, 'group')} cannot make {fold_facts.k} folds", "folds.k", fix)
    method = fold_facts.method
    options = {"n_splits": fold_facts.k, "shuffle": True, "random_state": fold_facts.seed}
    group_numbers, first_rows = np.unique(groups, return_index=True)
    # `stratified` is for data without groups: each group is then a single sample, or duplicates of one.
    classes = targets[first_rows] if method == "stratified" else targets
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes with fewer members than folds: `scarce_classes` reports them
        if targets.ndim == 2 and method != "group":
            group_labels = pd.DataFrame(targets).groupby(groups).max().to_numpy()
            fold_of_group = _fold_numbers(MultilabelStratifiedKFold(**options).split(group_labels, group_labels))
        elif method == "group" or np.bincount(classes).max() < fold_facts.k:  # every class is too small to stratify
            fold_of_group = _fold_numbers(GroupKFold(**options).split(group_numbers, groups=group_numbers))
        elif method == "stratified":
            fold_of_group = _fold_numbers(StratifiedKFold(**options).split(classes, classes))
        else:
            fold_of_group = _fold_numbers(StratifiedGroupKFold(**options).split(classes, classes, groups))[first_rows]
    return fold_of_group[groups]


def _fold_numbers(splits: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Returns the fold number of each row, int64, from splits (rows of the other folds, rows of the fold)."""
    parts = [validation for _, validation in splits]
    fold = np.empty(sum(map(len, parts)), np.int64)
    for number, validation in enumerate(parts):
        fold[validation] = number
    return fold
