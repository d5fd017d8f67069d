"""What sets two parts of the data, or the classes, apart though it should not: the test images come from another
scanner than the training images, or one class from another site than the rest.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

ROWS = 10_000  # drawn from each part
LEAST = 20  # rows of a part; with fewer nothing is said
SPLITS = 5
NAMED = 5  # columns
RARE = 0.005  # share of the rows; rarer texts are joined
STRENGTH, CHANCE = 0.1, 0.001  # what a header must exceed, and the chance that any does by accident
SCARCE, EXPECTED = 1, 5  # rows expected in a cell, for it to be looked at and for the chi-square test (Cochran 1954)
MANY = 10  # different numbers; a column with more is cut into parts with equally many rows
PARTS = 32  # for a column on its own; for the classes, quartiles


@dataclass(frozen=True)
class Shift:
    """How well the test part can be told from the training part.

    Args:
        auc: of a classifier that sees all columns; 0.5 if both are alike, nan if it cannot be said.
        columns: the columns that tell most, each with the AUC that it has alone, falling.
    """

    auc: float
    columns: list[tuple[str, float]]


def adversarial_auc(train: pd.DataFrame, test: pd.DataFrame, groups: np.ndarray, seed: int = 0) -> Shift:
    """How well a quick classifier tells the test part from the training part ("adversarial validation").

    The AUC is the mean over held-out folds; a group is never split between them. At most `ROWS` rows of each part are
    drawn.

    Args:
        train: columns of numbers and texts, missing values allowed; those that `test` lacks are left out.
        test: the same columns.
        groups: (len(train) + len(test),), equal for rows that belong together.
        seed: of draw, folds and classifier.
    """
    shared = [column for column in train if column in test]
    rng = np.random.default_rng(seed)
    rows = [np.sort(rng.permutation(len(part))[:ROWS]) for part in (train, test)]
    taken = np.concatenate([rows[0], rows[1] + len(train)])
    is_test = np.repeat([0, 1], [len(part) for part in rows])
    groups = pd.factorize(np.asarray(groups)[taken])[0]
    table = pd.concat([train[shared].iloc[rows[0]], test[shared].iloc[rows[1]]], ignore_index=True)
    columns = {str(name): encoded for name in shared if (encoded := _encoded(table[name])) is not None}
    folds = _folds(is_test, groups, seed) if min(map(len, rows)) >= LEAST else []
    if not columns or not folds:
        return Shift(math.nan, [])
    with threadpool_limits(1):  # for trees as small as these, threads that wait for one another cost more than they do
        together = np.mean([_auc(pd.DataFrame(columns), is_test, fold, seed) for fold in folds])
    alone = [(name, _auc_alone(_values(column, PARTS), is_test, folds)) for name, column in columns.items()]
    return Shift(float(together), sorted(alone, key=lambda item: -item[1])[:NAMED])


def _encoded(column: pd.Series) -> pd.Series | None:
    """Numbers as float64, texts as categories of which the rare ones are one; None for a column of one value only."""
    if pd.api.types.is_numeric_dtype(column):
        encoded = pd.Series(column.to_numpy(np.float64, na_value=np.nan)).replace([np.inf, -np.inf], np.nan)
    else:
        text = column.astype(object).where(column.notna(), None).map(str, na_action="ignore")
        count = text.map(text.value_counts())
        encoded = text.where((count >= max(2, RARE * len(text))) | text.isna(), "(rare)").astype("category")
    return None if encoded.nunique(dropna=False) < 2 else encoded


def _folds(is_test: np.ndarray, groups: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to fit and rows to judge. Large groups leave folds with rows of one part only: these are left out."""
    from sklearn.model_selection import StratifiedGroupKFold

    if groups.max() + 1 < SPLITS:
        return []
    splits = StratifiedGroupKFold(SPLITS, shuffle=True, random_state=seed).split(groups, is_test, groups)
    return [fold for fold in splits if all(len(np.unique(is_test[rows])) == 2 for rows in fold)]


def _auc(table: pd.DataFrame, is_test: np.ndarray, fold: tuple[np.ndarray, np.ndarray], seed: int) -> float:
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
    """The AUC of a column whose every value stands for the share of test rows that it had in the rows to fit."""
    from sklearn.metrics import roc_auc_score

    found, count = [], values.max() + 1
    for fit, held_out in folds:
        rows = np.bincount(values[fit], minlength=count)
        tests = np.bincount(values[fit], weights=is_test[fit], minlength=count)
        share = (tests + is_test.mean()) / (rows + 1)
        found.append(roc_auc_score(is_test[held_out], share[values[held_out]]))
    return float(np.mean(found))


def predictive_columns(headers: pd.DataFrame, targets: np.ndarray, groups: np.ndarray) -> list[tuple[str, int, float]]:
    """Columns that differ between the classes, such as the scanner or the site: a net may learn these instead.

    For each class (or label) against the rest the strength is Cramér's V, corrected for its bias: 0 for independent
    columns, 1 for one that gives the class away. Every group counts as one row, so that its many images are no further
    evidence; one with several values or classes is shared out among them. Numbers of many values are cut at their
    quartiles, a missing value is a value, and values too rare to be judged are joined.

    Args:
        headers: columns of texts (n rows); numbers may stand as texts.
        targets: int (n,) of classes, or int (n, labels) of 0 and 1.
        groups: (n,), equal for rows that belong together.

    Returns:
        Column, class number (1 of two classes; the column of `targets` for labels) and strength, the strongest first.
        Only those stronger than `STRENGTH` which stand there with a chance below `CHANCE` if no column differs
        (Bonferroni).
    """
    if targets.ndim == 2:
        members = {label: targets[:, label] == 1 for label in range(targets.shape[1])}
    else:
        classes = np.unique(targets)
        members = {int(k): targets == k for k in (classes[1:] if len(classes) == 2 else classes)}
    group = pd.factorize(np.asarray(groups))[0]
    weights = 1 / np.bincount(group)[group]
    tests = []
    for name in headers:
        values = _values(headers[name], 4)
        for number, member in members.items():
            table = np.zeros((values.max() + 1, 2))
            np.add.at(table, (values, member.astype(int)), weights)
            table = _joined(table)
            if len(table) > 1 and table.any(axis=0).all():
                tests.append((str(name), number, *_strength(table)))
    telling = [(name, number, v) for name, number, v, p in tests if v > STRENGTH and p * len(tests) < CHANCE]
    return sorted(telling, key=lambda item: -item[2])


def _values(column: pd.Series, parts: int) -> np.ndarray:
    """Value numbers, int (n,): many numbers are cut into equal parts, a missing value is a value."""
    column = column.astype(object)
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64).replace([np.inf, -np.inf], np.nan)
    if numbers.notna().equals(column.notna()) and numbers.nunique() > MANY:
        cuts = np.unique(numbers.quantile(np.arange(1, parts) / parts))
        column = pd.Series(np.searchsorted(cuts, numbers)).where(numbers.notna().to_numpy())
    return pd.factorize(column, use_na_sentinel=False)[0]


def _joined(table: np.ndarray) -> np.ndarray:
    """The table (values, 2) with its rare values joined to one, and that left out if it is still rare."""
    smaller = table.sum(axis=0).min() / table.sum()
    often = table.sum(axis=1) * smaller >= SCARCE
    rest = table[~often].sum(axis=0, keepdims=True)
    return np.concatenate([table[often], rest]) if rest.sum() * smaller >= SCARCE else table[often]


def _strength(table: np.ndarray) -> tuple[float, float]:
    """Cramér's V of a table, corrected for its bias (Bergsma 2013, J Korean Stat Soc 42), and p.

    It is that of the chi-square test; where fewer rows are expected than this needs, that of Fisher's test of the most
    telling value against the others, times the number of values.
    """
    from scipy.stats import chi2_contingency, fisher_exact

    chi2, p, _, expected = chi2_contingency(table, correction=False)
    if expected.min() < EXPECTED:
        against = (np.rint([row, table.sum(axis=0) - row]).astype(int) for row in table)
        p = min(1.0, len(table) * min(fisher_exact(cells).pvalue for cells in against))
    n = table.sum()
    rows, columns = table.shape
    phi2 = max(0.0, chi2 / n - (rows - 1) * (columns - 1) / (n - 1))
    rows, columns = (size - (size - 1) ** 2 / (n - 1) for size in (rows, columns))
    return float(np.sqrt(phi2 / (min(rows, columns) - 1))), float(p)
