"""Confidence intervals of a score, and of the difference of two, by bootstrap over groups."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold.scoring.metric import Metric

LEVEL = 0.95  # share of the draws inside an interval


@dataclass(frozen=True)
class Difference:
    """By how much one is better than another.

    Args:
        value: how much better the score is, whichever direction the metric has; nan if either is undefined.
        low, high: ends of the 95 % interval; nan if the metric is undefined on nine in ten draws or more.
        probability: the share of draws in which it is better, a tie as half; nan as above.
    """

    value: float
    low: float
    high: float
    probability: float


def bootstrap_interval(
    metric: Metric,
    targets: np.ndarray,
    predictions: np.ndarray,
    groups: np.ndarray,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval (Efron 1979) of a score.

    Whole groups (patients) are drawn with replacement, since images of one patient do not err independently.
    Draws on which the metric is undefined are left out.

    Args:
        metric: the score.
        targets, predictions: as the metric takes them.
        groups: (n,), what is drawn as a whole.
        resamples: how many draws. Defaults to 1000.
        seed: of the draws. Defaults to 0.

    Returns:
        Lower and upper end; nan if the metric is undefined on nine in ten draws or more.
    """
    values = [metric(targets[rows], predictions[rows]) for rows in _draws(groups, resamples, seed)]
    return _interval(_defined(values, resamples))


def score_in_words(value: float | None, digits: int = 4) -> str:
    """A score as text: '0.9512', or 'undefined' for nan and None."""
    return "undefined" if value is None or np.isnan(value) else f"{value:.{digits}f}"


def interval_in_words(low: float | None, high: float | None) -> str:
    """'0.9312 to 0.9689', or 'no interval'."""
    return "no interval" if low is None or np.isnan(low) else f"{low:.4f} to {high:.4f}"


def score_and_interval_in_words(title: str, value: float | None, low: float | None, high: float | None) -> str:
    """'AUC 0.9512 (95 % interval 0.9312 to 0.9689)': a score in words; nan and None are undefined."""
    if value is None or np.isnan(value):
        return f"{title} undefined"
    interval = interval_in_words(low, high)
    return f"{title} {value:.4f} ({interval if interval == 'no interval' else f'95 % interval {interval}'})"


def paired_difference(
    metric: Metric,
    targets: np.ndarray,
    ours: np.ndarray,
    theirs: np.ndarray,
    groups: np.ndarray,
    resamples: int = 1000,
    seed: int = 0,
) -> Difference:
    """By how much the first predictions are better than the second, for the same samples: a paired bootstrap.

    Each draw of groups is used for both, so that what is hard for both does not count.

    Args:
        metric: the score.
        targets, ours, theirs: as the metric takes them.
        groups: (n,), what is drawn as a whole.
        resamples: how many draws. Defaults to 1000.
        seed: of the draws. Defaults to 0.
    """

    def better_by(rows: np.ndarray | slice) -> float:
        first, second = (metric(targets[rows], predictions[rows]) for predictions in (ours, theirs))
        return 0.0 if first == second else metric.sign * (first - second)

    value = better_by(slice(None))
    differences = _defined([better_by(rows) for rows in _draws(groups, resamples, seed)], resamples)
    probability = float(np.mean((differences > 0) + 0.5 * (differences == 0))) if len(differences) else float("nan")
    return Difference(value, *_interval(differences), probability)


def _draws(groups: np.ndarray, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """The rows of as many groups as there are, drawn with replacement, one draw after the other."""
    number = pd.factorize(groups)[0]
    order = np.argsort(number, kind="stable")
    count = number.max() + 1 if len(number) else 0
    starts = np.searchsorted(number[order], np.arange(count + 1))
    rng = np.random.default_rng(seed)
    for _ in range(resamples if count else 0):
        drawn = rng.integers(count, size=count)
        lengths = starts[drawn + 1] - starts[drawn]
        # The rows of the drawn groups, one after the other, without a loop over groups.
        offsets = np.repeat(starts[drawn] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        yield order[offsets + np.arange(lengths.sum())]


def _defined(values: list[float], resamples: int) -> np.ndarray:
    """The values that are defined; none if they are a tenth or less."""
    found = np.array(values, np.float64)
    found = found[~np.isnan(found)]
    return found if len(found) > 0.1 * resamples else found[:0]


def _interval(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def difference_in_words(gain: Difference) -> str:
    """'+0.0123 (-0.0010 to +0.0256)', or 'undefined'."""
    if np.isnan(gain.value):
        return "undefined"
    if np.isnan(gain.low):
        return f"{gain.value:+.4f} (no interval)"
    return f"{gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"
