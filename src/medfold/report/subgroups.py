"""Scores of subgroups: by sex, age band, site, scanner, any column that is kept."""

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd

from medfold.scoring import Metric, bootstrap_interval

MOST_VALUES = 8  # of a column that is shown value by value
BANDS = 4  # that numbers are cut into
FEW = 20  # units below which a part is not scored
DRAWS = 300


class Subgroup(NamedTuple):
    """A part of the units.

    Args:
        column, value: what they share.
        units: how many.
        positives: share of them with the disease, or any label; nan for classes.
        score, low, high: of the part; nan if undefined or too few.
    """

    column: str
    value: str
    units: int
    positives: float
    score: float
    low: float
    high: float


def score_subgroups(
    metric: Metric, targets: np.ndarray, predictions: np.ndarray, groups: np.ndarray, columns: pd.DataFrame
) -> list[Subgroup]:
    """The score for each value, or band of values, of each column.

    Args:
        metric: the score.
        targets, predictions: as the metric takes them.
        groups: int (n,), what the interval draws as a whole.
        columns: (n, ...), in the order of the targets.

    Returns:
        The parts; columns with one value, or with many that are no numbers, are left out.
    """
    found = []
    for name in columns:
        labels = _bands(columns[name])
        if labels is None:
            continue
        values = sorted(labels.cat.categories, key=labels.cat.categories.get_loc)
        for value in values:
            here = (labels == value).to_numpy()
            count = int(here.sum())
            if not count:
                continue
            score = low = high = float("nan")
            if count >= FEW:
                score = metric(targets[here], predictions[here])
                low, high = bootstrap_interval(metric, targets[here], predictions[here], groups[here], resamples=DRAWS)
            found.append(Subgroup(name, str(value), count, _positives(targets[here], predictions), score, low, high))
    return found


def _positives(targets: np.ndarray, predictions: np.ndarray) -> float:
    if targets.ndim == 2:
        return float((targets == 1).any(axis=1).mean())
    return float(np.mean(targets)) if predictions.shape[1] == 1 else float("nan")


def _bands(column: pd.Series) -> pd.Series | None:
    """A column as ordered categories; None if it makes no sense to tell them apart."""
    text = column.astype(str).where(column.notna() & (column.astype(str) != ""))
    text = text.str.replace(r"^(\d+)Y$", r"\1", regex=True)  # DICOM writes ages so
    numbers = pd.to_numeric(text, errors="coerce")
    distinct = text.nunique()
    if distinct < 2:
        return None
    if distinct <= MOST_VALUES:
        order = sorted(text.dropna().unique(), key=lambda each: (_number(each), each))
        return _with_missing(pd.Series(pd.Categorical(text, order, ordered=True)))
    if numbers.notna().sum() < text.notna().sum():
        return None
    edges = np.unique(np.quantile(numbers.dropna(), np.linspace(0, 1, BANDS + 1)))
    if len(edges) < 3:
        return None
    names = [f"{low} to {high}" for low, high in itertools.pairwise(_short(edges))]
    return _with_missing(pd.Series(pd.cut(numbers.to_numpy(), edges, labels=names, include_lowest=True)))


def _with_missing(labels: pd.Series) -> pd.Series:
    """What is missing is 'unknown', along with what already says so."""
    if not labels.isna().any():
        return labels
    known = "unknown" in labels.cat.categories
    return (labels if known else labels.cat.add_categories("unknown")).fillna("unknown")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")


def _short(edges: np.ndarray) -> list[str]:
    """Three digits, or as many as it takes to tell the edges apart."""
    for digits in range(3, 18):
        names = [f"{edge:.{max(digits, len(f'{abs(edge):.0f}'))}g}" for edge in edges]
        if len(set(names)) == len(names):
            break
    return names
