"""Dataset shift: differences between the training and the test part, and columns that predict the class.

A classifier should not be able to separate the two parts. If it can, the test images may come from another scanner than
the training images. A column that predicts the class, such as the site, is a shortcut that a net may learn.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

MAX_ROWS = 10_000  # rows sampled from each part
MIN_ROWS = 20  # rows of a part; with fewer the AUC is undefined
NUM_FOLDS = 5
MAX_COLUMNS = 5  # columns that are reported
RARE_SHARE = 0.005  # share of the rows; texts that are rarer become one category
MIN_STRENGTH = 0.1  # Cramér's V that a predictive column must exceed
SIGNIFICANCE = 0.001  # the probability that any column is reported by chance, after Bonferroni
MIN_EXPECTED = 1  # expected count per cell below which rare values are merged
COCHRAN_EXPECTED = 5  # expected count per cell that the chi-square test needs (Cochran 1954)
MAX_DISTINCT = 10  # distinct numbers; a column with more is cut into quantile bins
NUM_BINS = 32  # quantile bins for the AUC of a single column; the classes are compared by quartiles


@dataclass(frozen=True)
class DatasetShift:
    """How well a classifier separates the test part from the training part.

    Args:
        auc: AUC of a classifier that uses all columns; 0.5 if both parts are alike, nan if it is undefined.
        columns: the most predictive columns, each with its AUC when used alone, in descending order.
    """

    auc: float
    columns: list[tuple[str, float]]


def adversarial_auc(train: pd.DataFrame, test: pd.DataFrame, groups: np.ndarray, seed: int = 0) -> DatasetShift:
    """Measures how well a quick classifier separates the test part from the training part ("adversarial validation").

    The AUC is the mean over held-out folds; a group is never split between them. At most `MAX_ROWS` rows of each part
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
    single_aucs = [(name, _auc_alone(_values(column, NUM_BINS), is_test, folds)) for name, column in columns.items()]
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

    Large groups can leave a fold with rows of one part only; these folds are dropped.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if groups.max() + 1 < NUM_FOLDS:
        return []
    splits = StratifiedGroupKFold(NUM_FOLDS, shuffle=True, random_state=seed).split(groups, is_test, groups)
    return [fold for fold in splits if all(len(np.unique(is_test[rows])) == 2 for rows in fold)]


def _auc(table: pd.DataFrame, is_test: np.ndarray, fold: tuple[np.ndarray, np.ndarray], seed: int) -> float:
    """Returns the AUC of gradient-boosted trees on the held-out rows of a fold."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    fit, held_out = fold
    trees = HistGradientBoostingClassifier(
        learning_rate=0.3,
        max_iter=20,
        max_leaf_nodes=8,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=seed,
    )
    trees.fit(table.iloc[fit], is_test[fit])
    return roc_auc_score(is_test[held_out], trees.predict_proba(table.iloc[held_out])[:, 1])


def _auc_alone(values: np.ndarray, is_test: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Returns the AUC of one column, each value encoded by its share of test rows among the rows to fit."""
    from sklearn.metrics import roc_auc_score

    aucs = []
    count = values.max() + 1
    for fit, held_out in folds:
        row_counts = np.bincount(values[fit], minlength=count)
        test_counts = np.bincount(values[fit], weights=is_test[fit], minlength=count)
        encoding = (test_counts + is_test.mean()) / (row_counts + 1)
        aucs.append(roc_auc_score(is_test[held_out], encoding[values[held_out]]))
    return float(np.mean(aucs))


def predictive_columns(headers: pd.DataFrame, targets: np.ndarray, groups: np.ndarray) -> list[tuple[str, int, float]]:
    """Finds columns that differ between the classes, such as the scanner or the site: a net may learn these instead.

    For each class (or label) against the rest, the strength is the bias-corrected Cramér's V: 0 for independent
    columns, 1 for a column that determines the class. Every group counts as one row, so that its many images are not
    counted as more evidence; a group with several values or classes is divided between them. Columns with many distinct
    numbers are cut at their quartiles, a missing value counts as a value, and values too rare to test are merged.

    Args:
        headers: columns of texts (n rows); numbers may be given as texts.
        targets: int (n,) of classes, or int (n, labels) of 0 and 1.
        groups: (n,), equal for rows that belong together.

    Returns:
        Column, class number (1 of two classes; the column of `targets` for labels) and strength, the strongest first.
        Only columns stronger than `MIN_STRENGTH` whose p-value, corrected for the number of tests (Bonferroni), is
        below `SIGNIFICANCE`.
    """
    if targets.ndim == 2:
        members = {label: targets[:, label] == 1 for label in range(targets.shape[1])}
    else:
        classes = np.unique(targets)
        shown = classes[1:] if len(classes) == 2 else classes
        members = {int(number): targets == number for number in shown}
    group = pd.factorize(np.asarray(groups))[0]
    weights = 1 / np.bincount(group)[group]
    tests = []
    for name in headers:
        values = _values(headers[name], 4)
        for number, member in members.items():
            table = np.zeros((values.max() + 1, 2))
            np.add.at(table, (values, member.astype(int)), weights)
            table = _merge_rare(table)
            if len(table) > 1 and table.any(axis=0).all():
                tests.append((str(name), number, *_strength(table)))
    significant = [
        (name, number, v) for name, number, v, p in tests if v > MIN_STRENGTH and p * len(tests) < SIGNIFICANCE
    ]
    return sorted(significant, key=lambda item: -item[2])


def _values(column: pd.Series, num_bins: int) -> np.ndarray:
    """Returns value codes, int (n,): many distinct numbers are cut into quantile bins, missing is a value."""
    column = column.astype(object)
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64).replace([np.inf, -np.inf], np.nan)
    if numbers.notna().equals(column.notna()) and numbers.nunique() > MAX_DISTINCT:
        cuts = np.unique(numbers.quantile(np.arange(1, num_bins) / num_bins))
        column = pd.Series(np.searchsorted(cuts, numbers)).where(numbers.notna().to_numpy())
    return pd.factorize(column, use_na_sentinel=False)[0]


def _merge_rare(table: np.ndarray) -> np.ndarray:
    """Merges the rare values of a table (values, 2) into one row, which is dropped if it is still rare."""
    smaller_share = table.sum(axis=0).min() / table.sum()
    common = table.sum(axis=1) * smaller_share >= MIN_EXPECTED
    rest = table[~common].sum(axis=0, keepdims=True)
    return np.concatenate([table[common], rest]) if rest.sum() * smaller_share >= MIN_EXPECTED else table[common]


def _strength(table: np.ndarray) -> tuple[float, float]:
    """Returns the bias-corrected Cramér's V of a table (Bergsma 2013, J Korean Stat Soc 42) and the p-value.

    The p-value is from the chi-square test. Where the expected counts are too small for it, it is from Fisher's exact
    test of the most significant value against all others, times the number of values.
    """
    from scipy.stats import chi2_contingency, fisher_exact

    chi2, p, _, expected = chi2_contingency(table, correction=False)
    if expected.min() < COCHRAN_EXPECTED:
        one_against_rest = (np.rint([row, table.sum(axis=0) - row]).astype(int) for row in table)
        p = min(1.0, len(table) * min(fisher_exact(cells).pvalue for cells in one_against_rest))
    n = table.sum()
    rows, columns = table.shape
    phi2 = max(0.0, chi2 / n - (rows - 1) * (columns - 1) / (n - 1))
    rows, columns = (size - (size - 1) ** 2 / (n - 1) for size in (rows, columns))
    return float(np.sqrt(phi2 / (min(rows, columns) - 1))), float(p)
