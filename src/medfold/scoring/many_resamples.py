"""Scores of all bootstrap resamples at once, for tables with so many columns that one by one would take minutes.

A resample is given by how often it holds each row. The scores are those of `metrics` on the drawn rows, up to the order
of the sums (1e-12).
"""

from collections.abc import Callable

import numpy as np

from medfold.scoring.decisions import targets_as_columns

MIN_COLUMNS = 100  # fewer columns are scored resample by resample


def _accuracy(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    if targets.ndim == 2:
        return _weighted_means(((predictions > 0.5) == targets).mean(axis=1), counts)
    return _weighted_means(predictions.argmax(axis=1) == targets, counts)


def _log_loss(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    clipped = np.clip(predictions.astype(np.float64), 1e-15, 1 - 1e-15)
    if targets.ndim == 2:
        true = np.where(targets == 1, clipped, 1 - clipped)
        return _weighted_means(-np.log(true).mean(axis=1), counts)
    true = clipped[np.arange(len(targets)), targets] / clipped.sum(axis=1)
    return _weighted_means(-np.log(true), counts)


def _mean_auc(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    labels = targets_as_columns(targets, predictions.shape[1]) == 1
    num_positives = counts @ labels.astype(np.float64)
    num_negatives = counts.sum(axis=1, keepdims=True) - num_positives
    is_defined = ((num_positives > 0) & (num_negatives > 0)).all(axis=1)
    values = np.full(len(counts), np.nan)
    if not is_defined.any():
        return values
    counts, pairs = counts[is_defined], (num_positives * num_negatives)[is_defined]
    total = np.zeros(len(counts))
    for column in range(labels.shape[1]):
        positive = labels[:, column]
        column_predictions = predictions[:, column]
        own = column_predictions[positive, None]
        ranks_above = (own > column_predictions) + 0.5 * (own == column_predictions)
        ranks_above[:, positive] = 0
        above = counts @ ranks_above.T
        total += (counts[:, positive] * above).sum(axis=1) / pairs[:, column]
    values[is_defined] = total / labels.shape[1]
    return values


def _weighted_means(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return counts @ values.astype(np.float64) / counts.sum(axis=1)


# (targets, predictions, counts float64 (resamples, n): how often a resample holds each row) -> float64 (resamples,)
SCORES_OF_RESAMPLES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "accuracy": _accuracy,
    "log_loss": _log_loss,
    "mean_auc": _mean_auc,
}
