"""Bootstrap confidence intervals of a score, and of the difference between two scores."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd

from medfold.scoring.metric_registry import Metric
from medfold.terminal.progress import with_time_left

CONFIDENCE_LEVEL = 0.95  # the share of resamples inside an interval
MIN_DEFINED_SHARE = 0.1  # an interval needs a defined score in more than this share of the resamples

MIN_COLUMNS = 100  # fewer columns are scored resample by resample
MAX_COUNTS = 50_000_000  # counts (resamples times rows) in memory at once: 200 MB


@dataclass(frozen=True)
class Difference:
    """Advantage of a candidate over a reference, with its confidence interval.

    Args:
        value: the difference of the scores; positive if the candidate is better, also for a metric of which lower
            values are better; nan if either score is undefined.
        low: lower end of its 95 % interval; nan if the metric is undefined on nine in ten resamples or more.
        high: upper end of its 95 % interval; nan where `low` is.
        probability: share of the resamples in which the candidate is better, ties counted as half; nan where `low`
            is.
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
    num_resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Returns the 95 % percentile bootstrap interval (Efron 1979) of a score.

    Whole groups (patients) are drawn with replacement, because errors on images of one patient are not independent.
    Resamples on which the metric is undefined are left out.

    Args:
        metric: the metric of the score.
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        predictions: float (n, columns).
        groups: (n,), the group of each row.
        num_resamples: number of resamples. Defaults to 1000.
        seed: seed of the random draws. Defaults to 0.

    Returns:
        Lower and upper end; nan if the metric is undefined on nine in ten resamples or more.
    """
    resamples = resampled_rows(groups, num_resamples, seed)
    values = scores_of_resamples(metric, targets, predictions, resamples, num_resamples)
    return _interval(_defined_values(values, num_resamples))


def paired_difference(
    metric: Metric,
    targets: np.ndarray,
    candidate: np.ndarray,
    reference: np.ndarray,
    groups: np.ndarray,
    num_resamples: int = 1000,
) -> Difference:
    """Estimates how much better a candidate is than a reference for the same samples, with a paired bootstrap.

    Both are scored on the same resamples of groups, so that the difficulty of the samples cancels out.

    Args:
        metric: the metric to compare by.
        targets: int (n,) or (n, labels), as the metric takes them.
        candidate: predictions, float (n, columns); the difference is positive if they are better than `reference`.
        reference: predictions to compare with, float (n, columns).
        groups: (n,), the group of each row.
        num_resamples: number of resamples. Defaults to 1000.
    """

    def advantage(score: np.ndarray, reference_score: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):  # equal infinite losses are a tie
            return np.where(score == reference_score, 0.0, metric.sign * (score - reference_score))

    value = float(advantage(*(metric(targets, predictions) for predictions in (candidate, reference))))
    scores, reference_scores = (
        scores_of_resamples(metric, targets, predictions, resampled_rows(groups, num_resamples), num_resamples)
        for predictions in (candidate, reference)
    )
    differences = _defined_values(advantage(scores, reference_scores), num_resamples)
    probability = float(np.mean((differences > 0) + 0.5 * (differences == 0))) if len(differences) else float("nan")
    return Difference(value, *_interval(differences), probability)


def scores_of_resamples(
    metric: Metric, targets: np.ndarray, predictions: np.ndarray, resamples: Iterable[np.ndarray], num_resamples: int
) -> np.ndarray:
    """Returns the score of each resample; of many columns all at once, else one after the other.

    Where it takes long, a line every 30 seconds says how far it is.

    Args:
        metric: the metric of the scores.
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        predictions: float (n, columns).
        resamples: the rows of each resample, int (rows,).
        num_resamples: number of resamples.

    Returns:
        float64 (resamples,), nan where the metric is undefined.
    """
    has_many_columns = predictions.ndim == 2 and predictions.shape[1] >= MIN_COLUMNS
    if not has_many_columns or metric.of_resamples is None:
        rows_of_resamples = with_time_left(resamples, "score", num_resamples, "resamples")
        return np.array([metric(targets[rows], predictions[rows]) for rows in rows_of_resamples], np.float64)
    decided = metric.decide(predictions) if metric.decide else predictions
    scores, resamples, at_once = [np.empty(0)], iter(resamples), max(1, MAX_COUNTS // max(1, len(targets)))
    while part := list(islice(resamples, at_once)):
        counts = np.array([np.bincount(rows, minlength=len(targets)) for rows in part], np.float32)
        scores.append(metric.of_resamples(targets, decided, counts))
    return np.concatenate(scores)


def resampled_rows(groups: np.ndarray, num_resamples: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Yields the rows of each resample: as many groups as there are, drawn with replacement."""
    codes = pd.factorize(groups)[0]
    order = np.argsort(codes, kind="stable")
    num_groups = codes.max() + 1 if len(codes) else 0
    starts = np.searchsorted(codes[order], np.arange(num_groups + 1))
    rng = np.random.default_rng(seed)
    for _ in range(num_resamples if num_groups else 0):
        drawn = rng.integers(num_groups, size=num_groups)
        lengths = starts[drawn + 1] - starts[drawn]
        # Concatenates the rows of the drawn groups without a loop over groups.
        offsets = np.repeat(starts[drawn] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        yield order[offsets + np.arange(lengths.sum())]


def _defined_values(values: np.ndarray, num_resamples: int) -> np.ndarray:
    """Returns the defined values; an empty array if they are a tenth of the resamples or less."""
    defined = values[~np.isnan(values)]
    return defined if len(defined) > MIN_DEFINED_SHARE * num_resamples else defined[:0]


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Returns the percentile interval of values; nan, nan without values."""
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2])
    return float(low), float(high)
