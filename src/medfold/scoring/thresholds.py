"""Thresholds, a post-processing for metrics of decisions: a threshold for each column, moved to one half.

So the usual decision rule (of the metric, of the submission) still applies afterwards.
"""

from dataclasses import replace

import numpy as np

from medfold.scoring.fitted_transform import FittedTransform, transform_step
from medfold.scoring.metric_registry import Metric
from medfold.terminal.progress import with_time_left

MAX_THRESHOLDS = 500  # candidates per column


def fit_thresholds(predictions: np.ndarray, targets: np.ndarray, metric: Metric) -> FittedTransform:
    """Fits a threshold for each column, the one that maximises the metric of this column.

    A metric over labels is the mean over them, so each label has its own threshold. Candidates lie midway between the
    prediction for a positive and the next lower prediction; for more than 500 positives, the ones at 500 quantiles are
    taken. Of equally good thresholds the one nearest to one half is chosen.

    Args:
        predictions: float64 (n, columns): one column (binary), or one for each label.
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        metric: a metric of decisions.
    """
    best = []
    metric = replace(metric, decide=None)  # a single column is decided by its threshold alone
    num_columns = predictions.shape[1]
    for column in with_time_left(range(num_columns), "thresholds", num_columns, "labels"):
        column_targets = targets if targets.ndim == 1 else targets[:, [column]]
        best.append(_best_threshold(predictions[:, [column]], column_targets, metric))
    return FittedTransform.from_function(apply_thresholds, {"thresholds": best}, thresholds=np.array(best))


@transform_step
def apply_thresholds(predictions: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Stretches each column so that its threshold moves to one half."""
    below, above = 0.5 * predictions / thresholds, 0.5 + 0.5 * (predictions - thresholds) / (1 - thresholds)
    return np.where(predictions <= thresholds, below, above)


def _best_threshold(predictions: np.ndarray, targets: np.ndarray, metric: Metric) -> float:
    """Returns the threshold of one column with the best score."""
    # The best threshold lies just below a positive, or above all predictions: a lower one only adds false positives.
    # So rare classes have few candidates, and all of them are tried.
    values = np.unique(np.clip(predictions, 1e-6, 1 - 1e-6))
    positives = np.unique(np.clip(predictions[targets.reshape(-1) == 1], 1e-6, 1 - 1e-6))
    if len(positives) > MAX_THRESHOLDS:
        positives = np.unique(np.quantile(positives, np.linspace(0, 1, MAX_THRESHOLDS), method="nearest"))
    below = np.concatenate([[0.0], values])[np.searchsorted(values, positives)]
    candidates = np.concatenate([[0.5], (below + positives) / 2, [(values[-1] + 1) / 2]])
    scores = [metric.sign * metric(targets, (predictions > threshold).astype(np.float64)) for threshold in candidates]
    return float(best_candidate(candidates, scores, np.abs(candidates - 0.5)))


def best_candidate(candidates: np.ndarray, scores: list[float], distance: np.ndarray) -> float:
    """Returns the best candidate; of equally good ones, the one at the smallest distance."""
    scores = np.nan_to_num(np.array(scores), nan=-np.inf)
    best = np.flatnonzero(scores >= scores.max() - 1e-12)
    return candidates[best[np.argmin(distance[best])]]
