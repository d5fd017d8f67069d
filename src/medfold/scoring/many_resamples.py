"""Metrics of all bootstrap resamples at once, for tables with so many columns that one by one would take minutes.

Each is the `of_resamples` of the metric of the same name in `metrics`, and agrees with it on the drawn rows up to the
order of the sums (1e-12). A resample is given by how often it holds each row: counts, float32 (resamples, n), in which
sums of whole and half numbers below 2^23 are exact, and quick.
"""

from collections.abc import Iterator

import numpy as np

from medfold.scoring.confidence_bins import NUM_BINS, bin_of_confidence
from medfold.scoring.decisions import to_classes
from medfold.terminal.progress import with_time_left

COLUMNS_AT_ONCE = 256


def accuracy(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Computes the accuracy of each resample, float64 (resamples,)."""
    if targets.ndim == 1:
        return _weighted_means(to_classes(predictions) == targets, counts)
    return _weighted_means(((predictions > 0.5) == targets).sum(axis=1), counts) / targets.shape[1]


def balanced_accuracy(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Computes the mean recall of the classes in each resample, float64 (resamples,)."""
    hits, truth, _ = _class_counts(targets, predictions, counts)
    return _mean_of_shares(hits, truth)


def macro_f1(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Computes the mean F1 of the classes or labels in each resample, float64 (resamples,)."""
    if targets.ndim == 2:
        return fbeta(targets, predictions, counts)
    hits, truth, decided = _class_counts(targets, predictions, counts)
    return _mean_of_shares(2 * hits, truth + decided)


def fbeta(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray, beta: float = 1.0) -> np.ndarray:
    """Computes the mean F-beta of the labels in each resample, float64 (resamples,)."""
    total, beta_squared = np.zeros(len(counts)), beta**2
    for block in _column_blocks(targets.shape[1]):
        true, decided = targets[:, block] == 1, predictions[:, block] > 0.5
        num_hits, num_true, num_decided = (_counts_of_flags(counts, flags) for flags in (true & decided, true, decided))
        total += ((1 + beta_squared) * num_hits / np.maximum(beta_squared * num_true + num_decided, 1e-12)).sum(axis=1)
    return total / targets.shape[1]


def log_loss(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Computes the log loss of each resample, float64 (resamples,)."""
    if targets.ndim == 2:
        return weighted_log_loss(targets, predictions, counts, np.ones((targets.shape[1], 2)))
    clipped = np.clip(predictions.astype(np.float64), 1e-15, 1 - 1e-15)
    true = clipped[np.arange(len(targets)), targets] / clipped.sum(axis=1)
    return _weighted_means(-np.log(true), counts)


def weighted_log_loss(
    targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Computes the weighted log loss of each resample, float64 (resamples,); weights as in `metrics`."""
    clipped = np.clip(predictions.astype(np.float64), 1e-15, 1 - 1e-15)
    weight = np.where(targets == 1, weights[:, 1], weights[:, 0])
    losses = -np.log(np.where(targets == 1, clipped, 1 - clipped))
    return _weighted_means((weight * losses).sum(axis=1) / weight.sum(axis=1), counts)


def mean_auc(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Computes the mean AUC of the columns in each resample: float64 (resamples,), nan where one is undefined."""
    values = np.full(len(counts), np.nan)
    num_positives = _positives(targets, predictions.shape[1], counts)
    num_negatives = counts.sum(axis=1, keepdims=True) - num_positives
    is_defined = ((num_positives > 0) & (num_negatives > 0)).all(axis=1)
    if not is_defined.any():
        return values
    pairs, counts_of_rows = (num_positives * num_negatives)[is_defined], np.ascontiguousarray(counts[is_defined].T)
    total, num_columns = np.zeros(is_defined.sum()), predictions.shape[1]
    for column in with_time_left(range(num_columns), "score", num_columns, "columns"):
        positive = targets[:, column] == 1 if targets.ndim == 2 else targets == column
        total += _ordered_pairs(positive, predictions[:, column], counts_of_rows) / pairs[:, column]
    values[is_defined] = total / num_columns
    return values


def _ordered_pairs(positive: np.ndarray, predictions: np.ndarray, counts_of_rows: np.ndarray) -> np.ndarray:
    """Returns in how many pairs the positive ranks above the negative, ties counted as half: float64 (resamples,).

    The rarer kind of rows is sorted; each row of the other kind is added where it stands among them.
    """
    from scipy.sparse import csr_array

    if 2 * positive.sum() > len(positive):
        positive, predictions = ~positive, -predictions
    rows, others = np.flatnonzero(positive), np.flatnonzero(~positive)
    rows = rows[np.argsort(predictions[rows], kind="stable")]
    # The other row counts half for the sorted rows from `first` on, and half for those from `last` on.
    first, last = (np.searchsorted(predictions[rows], predictions[others], side=side) for side in ("left", "right"))
    places, columns = np.concatenate([first, last]), np.concatenate([others, others])
    counted = places < len(rows)
    halves = np.full(counted.sum(), 0.5, np.float32)
    shape = (len(rows), len(positive))
    added = csr_array((halves, (places[counted], columns[counted])), shape=shape)  # adds the halves of a place up
    below = np.cumsum(added @ counts_of_rows, axis=0, dtype=np.float64)
    return np.einsum("rb,rb->b", counts_of_rows[rows], below)


def ece(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Computes the expected calibration error of each resample, float64 (resamples,)."""
    if targets.ndim == 1:
        true, predictions = (to_classes(predictions) == targets)[:, None], predictions.max(axis=1, keepdims=True)
    else:
        true = targets == 1
    counts_of_rows, num_columns = counts.T.astype(np.float64, order="C"), true.shape[1]
    total = np.zeros(len(counts))
    for column in with_time_left(range(num_columns), "score", num_columns, "columns"):
        total += _sum_of_gaps(predictions[:, column].astype(np.float64), true[:, column], counts_of_rows)
    return total / counts_of_rows.sum(axis=0) / num_columns


def _sum_of_gaps(confidence: np.ndarray, true: np.ndarray, counts_of_rows: np.ndarray) -> np.ndarray:
    """Returns the sum over the bins of |confidences - number of true ones|: float64 (resamples,)."""
    from scipy.sparse import csr_array

    cells = (bin_of_confidence(confidence), np.arange(len(true)))
    gaps_of_bins = csr_array((confidence - true, cells), shape=(NUM_BINS, len(true)))
    return np.abs(gaps_of_bins @ counts_of_rows).sum(axis=0)


def _class_counts(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, ...]:
    """Returns how often each class is decided correctly, is true, and is decided: float32 (resamples, classes) each."""
    decided, num_classes = to_classes(predictions), predictions.shape[1]
    hits = _counts_of_classes(counts[:, decided == targets], targets[decided == targets], num_classes)
    return hits, _counts_of_classes(counts, targets, num_classes), _counts_of_classes(counts, decided, num_classes)


def _counts_of_classes(counts: np.ndarray, classes: np.ndarray, num_classes: int) -> np.ndarray:
    from scipy.sparse import csr_array

    cells = (np.ones(len(classes), np.float32), (np.arange(len(classes)), classes))
    return counts @ csr_array(cells, shape=(len(classes), num_classes))


def _positives(targets: np.ndarray, num_columns: int, counts: np.ndarray) -> np.ndarray:
    """Returns the number of positives of each column, float64 (resamples, columns)."""
    if targets.ndim == 1:
        return _counts_of_classes(counts, targets, num_columns).astype(np.float64)
    return np.hstack([_counts_of_flags(counts, targets[:, block] == 1) for block in _column_blocks(num_columns)])


def _counts_of_flags(counts: np.ndarray, flags: np.ndarray) -> np.ndarray:
    return (counts @ flags.astype(np.float32)).astype(np.float64)


def _mean_of_shares(parts: np.ndarray, wholes: np.ndarray) -> np.ndarray:
    """Returns the mean share of the classes that occur, float64 (resamples,)."""
    shares = parts.astype(np.float64) / np.maximum(wholes, 1)
    return shares.sum(axis=1) / (wholes > 0).sum(axis=1)


def _weighted_means(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return counts @ values.astype(np.float64) / counts.sum(axis=1, dtype=np.float64)


def _column_blocks(num_columns: int) -> Iterator[slice]:
    starts = range(0, num_columns, COLUMNS_AT_ONCE)
    return (slice(start, start + COLUMNS_AT_ONCE) for start in starts)
