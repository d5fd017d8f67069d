"""Scores of all bootstrap resamples at once, for tables with so many columns that one by one would take minutes.

A resample is given by how often it holds each row. The scores are those of `metrics` on the drawn rows, up to the order
of the sums (1e-12). Counts are float32, in which sums of whole and half numbers below 2^23 are exact, and quick.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

import numpy as np

from medfold.scoring.metric import Metric, to_classes
from medfold.scoring.metrics import NUM_BINS, bin_of_confidence
from medfold.terminal.progress import with_time_left

MIN_COLUMNS = 100  # fewer columns are scored resample by resample
COLUMNS_AT_ONCE = 256
MAX_COUNTS = 50_000_000  # of resamples by rows at once, 200 MB


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
    if not has_many_columns or metric.name not in SCORES_OF_RESAMPLES:
        rows_of_resamples = with_time_left(resamples, "score", num_resamples, "resamples")
        return np.array([metric(targets[rows], predictions[rows]) for rows in rows_of_resamples], np.float64)
    decided = metric.decide(predictions) if metric.decide else predictions
    settings = metric.function.keywords if isinstance(metric.function, partial) else {}
    scores, resamples, at_once = [np.empty(0)], iter(resamples), max(1, MAX_COUNTS // max(1, len(targets)))
    while part := list(islice(resamples, at_once)):
        counts = np.array([np.bincount(rows, minlength=len(targets)) for rows in part], np.float32)
        scores.append(SCORES_OF_RESAMPLES[metric.name](targets, decided, counts, **settings))
    return np.concatenate(scores)


def _accuracy(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    if targets.ndim == 1:
        return _weighted_means(to_classes(predictions) == targets, counts)
    return _weighted_means(((predictions > 0.5) == targets).sum(axis=1), counts) / targets.shape[1]


def _balanced_accuracy(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    hits, truth, _ = _class_counts(targets, predictions, counts)
    return _mean_of_shares(hits, truth)


def _macro_f1(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    if targets.ndim == 2:
        return _fbeta(targets, predictions, counts)
    hits, truth, decided = _class_counts(targets, predictions, counts)
    return _mean_of_shares(2 * hits, truth + decided)


def _fbeta(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray, beta: float = 1.0) -> np.ndarray:
    total, beta_squared = np.zeros(len(counts)), beta**2
    for block in _column_blocks(targets.shape[1]):
        true, decided = targets[:, block] == 1, predictions[:, block] > 0.5
        hits, truth, decided = (_counts_of_flags(counts, flags) for flags in (true & decided, true, decided))
        total += ((1 + beta_squared) * hits / np.maximum(beta_squared * truth + decided, 1e-12)).sum(axis=1)
    return total / targets.shape[1]


def _log_loss(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    if targets.ndim == 2:
        return _weighted_log_loss(targets, predictions, counts, np.ones((targets.shape[1], 2)))
    clipped = np.clip(predictions.astype(np.float64), 1e-15, 1 - 1e-15)
    true = clipped[np.arange(len(targets)), targets] / clipped.sum(axis=1)
    return _weighted_means(-np.log(true), counts)


def _weighted_log_loss(
    targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    clipped = np.clip(predictions.astype(np.float64), 1e-15, 1 - 1e-15)
    weight = np.where(targets == 1, weights[:, 1], weights[:, 0])
    losses = -np.log(np.where(targets == 1, clipped, 1 - clipped))
    return _weighted_means((weight * losses).sum(axis=1) / weight.sum(axis=1), counts)


def _mean_auc(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
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


def _ece(targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
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


# (targets, predictions, counts float32 (resamples, n): how often a resample holds each row) -> float64 (resamples,)
SCORES_OF_RESAMPLES: dict[str, Callable[..., np.ndarray]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "ece": _ece,
    "fbeta": _fbeta,
    "log_loss": _log_loss,
    "macro_f1": _macro_f1,
    "mean_auc": _mean_auc,
    "weighted_log_loss": _weighted_log_loss,
}
