"""Scores of subgroups: by sex, age band, site, scanner or any other kept column or DICOM header."""

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd

from medfold.scoring import Metric, bootstrap_interval

MAX_VALUES = 8  # distinct values of a column that is shown value by value
NUM_BANDS = 4  # quantile bands of other numeric columns
MIN_UNITS = 20  # units below which a subgroup is not scored
NUM_RESAMPLES = 300  # bootstrap resamples of an interval


class Subgroup(NamedTuple):
    """A subgroup of the units.

    Args:
        column: name of the column.
        value: the value, or band of values, that the units have in common.
        num_units: the number of units.
        positive_share: share of units with the disease, or with any label; nan for classes.
        score: score of the subgroup; nan if undefined or too few units.
        low: lower end of its 95 % interval; nan as the score.
        high: upper end of its 95 % interval; nan as the score.
    """

    column: str
    value: str
    num_units: int
    positive_share: float
    score: float
    low: float
    high: float


def score_subgroups(
    metric: Metric, targets: np.ndarray, predictions: np.ndarray, groups: np.ndarray, columns: pd.DataFrame
) -> list[Subgroup]:
    """Scores each value, or band of values, of each column.

    Args:
        metric: the metric that subgroups are scored by.
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        predictions: float (n, columns).
        groups: int (n,), resampled as a whole for the interval.
        columns: (n, ...), in the order of the targets.

    Returns:
        The subgroups; columns with one value, or with many values that are not numbers, are left out.
    """
    subgroups = []
    for name in columns:
        labels = _bands(columns[name])
        if labels is None:
            continue
        values = sorted(labels.cat.categories, key=labels.cat.categories.get_loc)
        for value in values:
            members = (labels == value).to_numpy()
            num_units = int(members.sum())
            if not num_units:
                continue
            score = low = high = float("nan")
            if num_units >= MIN_UNITS:
                score = metric(targets[members], predictions[members])
                low, high = bootstrap_interval(
                    metric, targets[members], predictions[members], groups[members], num_resamples=NUM_RESAMPLES
                )
            subgroups.append(
                Subgroup(name, str(value), num_units, _positive_share(targets[members], predictions), score, low, high)
            )
    return subgroups


def _positive_share(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Returns the share of units with the disease, or with any label; nan for classes."""
    if targets.ndim == 2:
        return float((targets == 1).any(axis=1).mean())
    return float(np.mean(targets)) if predictions.shape[1] == 1 else float("nan")


def _bands(column: pd.Series) -> pd.Series | None:
    """Converts a column into ordered categories; None if it has one value, or too many that are not numbers."""
    text = column.astype(str).where(column.notna() & (column.astype(str) != ""))
    text = text.str.replace(r"^(\d+)Y$", r"\1", regex=True)  # the age format of DICOM
    numbers = pd.to_numeric(text, errors="coerce")
    num_distinct = text.nunique()
    if num_distinct < 2:
        return None
    if num_distinct <= MAX_VALUES:
        order = sorted(text.dropna().unique(), key=lambda value: (_number(value), value))
        return _with_missing(pd.Series(pd.Categorical(text, order, ordered=True)))
    if numbers.notna().sum() < text.notna().sum():
        return None
    edges = np.unique(np.quantile(numbers.dropna(), np.linspace(0, 1, NUM_BANDS + 1)))
    if len(edges) < 3:
        return None
    names = [f"{low} to {high}" for low, high in itertools.pairwise(_format_edges(edges))]
    return _with_missing(pd.Series(pd.cut(numbers.to_numpy(), edges, labels=names, include_lowest=True)))


def _with_missing(labels: pd.Series) -> pd.Series:
    """Replaces missing values with 'unknown'."""
    if not labels.isna().any():
        return labels
    has_unknown = "unknown" in labels.cat.categories
    return (labels if has_unknown else labels.cat.add_categories("unknown")).fillna("unknown")


def _number(text: str) -> float:
    """Returns a text as a number for sorting; texts that are not numbers come last."""
    try:
        return float(text)
    except ValueError:
        return float("inf")


def _format_edges(edges: np.ndarray) -> list[str]:
    """Formats edges with three digits, or with as many as make them different."""
    for digits in range(3, 18):
        names = [f"{edge:.{max(digits, len(f'{abs(edge):.0f}'))}g}" for edge in edges]
        if len(set(names)) == len(names):
            break
    return names
