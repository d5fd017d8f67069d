"""Dataset shift: differences between the training and the test set.

A classifier should not be able to separate the two sets. If it can, the test images may come from another scanner than
the training images.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from medfold.audit.class_differences import value_codes

MAX_ROWS = 10_000  # rows sampled from each set
MIN_ROWS = 20  # rows of a set; with fewer the AUC is undefined
NUM_FOLDS = 5
MAX_COLUMNS = 5  # columns that are reported
RARE_SHARE = 0.005  # share of the rows; texts that are rarer become one category
NUM_BINS = 32  # quantile bins for the AUC of a single column


@dataclass(frozen=True)
class DatasetShift:
    """How well a classifier separates the test set from the training set.

    Args:
        auc: AUC of a classifier that uses all columns; 0.5 if both sets are alike, nan if it is undefined.
        columns: the most predictive columns, each with its AUC when used alone, in descending order.
    """

    auc: float
    columns: list[tuple[str, float]]


def adversarial_auc(train: pd.DataFrame, test: pd.DataFrame, groups: np.ndarray, seed: int = 0) -> DatasetShift:
    """Measures how well a quick classifier separates the test set from the training set ("adversarial validation").

    The AUC is the mean over folds; a group is never split between them. At most `MAX_ROWS` rows of each set
    are sampled.

    Args:
        train: columns of numbers and texts, missing values allowed; columns that `test` lacks are ignored.
        test: test samples, with the same columns as `train`.
        groups: (len(train) + len(test),), equal for rows that belong together.
        seed: seed of the sampling, the folds and the classifier. Defaults to 0.

    Returns:
        The AUC of all columns together, and of the most predictive ones alone.
    """
    shared = [column for column in train if column in test]
    rng = np.random.default_rng(seed)
    sampled = [np.sort(rng.permutation(len(part))[:MAX_ROWS]) for part in (train, test)]
    positions = np.concatenate([sampled[0], sampled[1] + len(train)])
    is_test = np.repeat([0, 1], [len(part) for part in sampled])
    groups = pd.factorize(np.asarray(groups)[positions])[0]
    table = pd.concat([train[shared].iloc[sampled[0]], test[shared].iloc[sampled[1]]], ignore_index=True)
    columns = {str(name): encoded for name in shared if (encoded := _encoded(table[name])) is not None}
    folds = _folds(is_test, groups, seed) if min(map(len, sampled)) >= MIN_ROWS else []
    if not columns or not folds:
        return DatasetShift(math.nan, [])
    with threadpool_limits(1):  # trees this small are slower with several threads
        auc = np.mean([_auc(pd.DataFrame(columns), is_test, fold, seed) for fold in folds])
    single_aucs = [
        (name, _auc_alone(value_codes(column, NUM_BINS), is_test, folds)) for name, column in columns.items()
    ]
    return DatasetShift(float(auc), sorted(single_aucs, key=lambda item: -item[1])[:MAX_COLUMNS])


def _encoded(column: pd.Series) -> pd.Series | None:
    """Returns numbers as float64, texts as categories with the rare ones merged; None for a constant column."""
    if pd.api.types.is_numeric_dtype(column):
        encoded = pd.Series(column.to_numpy(np.float64, na_value=np.nan)).replace([np.inf, -np.inf], np.nan)
    else:
        text = column.astype(object).where(column.notna(), None).map(str, na_action="ignore")
        count = text.map(text.value_counts())
        encoded = text.where((count >= max(2, RARE_SHARE * len(text))) | text.isna(), "(rare)").astype("category")
    return None if encoded.nunique(dropna=False) < 2 else encoded


def _folds(is_test: np.ndarray, groups: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns the rows to fit and the rows to score of each fold.

    Large groups can leave a fold with rows of one set only; these folds are dropped.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if groups.max() + 1 < NUM_FOLDS:
        return []
    splits = StratifiedGroupKFold(NUM_FOLDS, shuffle=True, random_state=seed).split(groups, is_test, groups)
    return [fold for fold in splits if all(len(np.unique(is_test[rows])) == 2 for rows in fold)]


def _auc(table: pd.DataFrame, is_test: np.ndarray, fold: tuple[np.ndarray, np.ndarray], seed: int) -> float:
    """Returns the AUC of gradient-boosted trees on the validation rows of a fold."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    fit, validation = fold
    trees = HistGradientBoostingClassifier(
        learning_rate=0.3,
        max_iter=20,
        max_leaf_nodes=8,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=seed,
    )
    trees.fit(table.iloc[fit], is_test[fit])
    return roc_auc_score(is_test[validation], trees.predict_proba(table.iloc[validation])[:, 1])


def _auc_alone(values: np.ndarray, is_test: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Returns the AUC of one column, each value encoded by its share of test rows among the rows to fit."""
    from sklearn.metrics import roc_auc_score

    aucs = []
    count = values.max() + 1
    for fit, validation in folds:
        row_counts = np.bincount(values[fit], minlength=count)
        test_counts = np.bincount(values[fit], weights=is_test[fit], minlength=count)
        encoding = (test_counts + is_test.mean()) / (row_counts + 1)
        aucs.append(roc_auc_score(is_test[validation], encoding[values[validation]]))
    return float(np.mean(aucs))
