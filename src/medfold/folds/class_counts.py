"""Counts of the classes, or labels, in groups and folds."""

import numpy as np
import pandas as pd


def scarce_classes(targets: np.ndarray, groups: np.ndarray, names: list[str], num_folds: int) -> dict[str, int]:
    """Returns the classes (or labels) that occur in fewer groups than there are folds, with that number of groups.

    Args:
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        groups: group numbers, int (n,).
        names: names of the classes or labels, in the order of their numbers or columns.
        num_folds: number of folds.
    """
    is_of_class = targets.T == 1 if targets.ndim == 2 else targets == np.arange(len(names))[:, None]
    group_counts = {name: len(np.unique(groups[rows])) for name, rows in zip(names, is_of_class, strict=True)}
    return {name: count for name, count in group_counts.items() if count < num_folds}


def fold_balance(targets: np.ndarray, groups: np.ndarray, folds: np.ndarray, names: list[str]) -> pd.DataFrame:
    """Returns a row per fold: the number of samples, of groups, and of samples with each class (or label).

    Args:
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        groups: group numbers, int (n,).
        folds: int (n,), the fold of each sample.
        names: names of the classes or labels, in the order of their numbers or columns.
    """
    rows = []
    for number in np.unique(folds):
        in_fold = folds == number
        is_of_class = targets[in_fold] == 1 if targets.ndim == 2 else targets[in_fold, None] == np.arange(len(names))
        rows.append([number, in_fold.sum(), len(np.unique(groups[in_fold])), *is_of_class.sum(axis=0)])
    return pd.DataFrame(rows, columns=["fold", "samples", "groups", *names])
