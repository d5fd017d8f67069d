"""Independent definitions of the metrics: by scikit-learn where it has them, else by their formula."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn import metrics

from medfold.competition import CompetitionFacts

NUM_RESAMPLES = 1000  # bootstrap resamples of an interval
MAX_CELLS = 20_000_000  # samples times columns times resamples; larger intervals are not recomputed
TOLERANCE = 1e-8  # scores are saved with nine decimals, predictions with nine digits


def decide(facts: CompetitionFacts, predictions: np.ndarray) -> np.ndarray:
    """Returns the decisions that a submission holds: int (n, columns) of 0 and 1."""
    decisions = np.zeros(predictions.shape, int)
    for row, values in enumerate(predictions):
        positive = values > 0.5
        needs_one = facts.submission.layout == "lists" and not facts.submission.allow_empty_lists and not positive.any()
        if facts.has_exclusive_classes or needs_one:
            positive = np.arange(len(values)) == np.argmax(values)
        decisions[row] = positive
    return decisions


def has_definition(name: str) -> bool:
    """Returns True for metrics that are defined here; metrics of a plugins.py are not."""
    return name in DECISION_METRICS or name in PROBABILITY_METRICS


def metric_value(facts: CompetitionFacts, name: str, truth: np.ndarray, predictions: np.ndarray) -> float:
    """Computes a metric of a competition.

    Args:
        facts: facts of the competition (task, targets, and settings of `score` and `submission`).
        name: name of the metric.
        truth: int (n, columns): one column (binary), labels, or classes as 0 and 1 with a single 1 in each row.
        predictions: float (n, columns): probabilities, or decisions as 0 and 1.

    Returns:
        nan where it is undefined.
    """
    if not len(truth):
        return float("nan")
    if name in DECISION_METRICS:
        return float(DECISION_METRICS[name](facts, truth, decide(facts, predictions)))
    return float(PROBABILITY_METRICS[name](facts, truth, predictions.astype(np.float64)))


def interval(
    facts: CompetitionFacts, name: str, truth: np.ndarray, predictions: np.ndarray, groups: np.ndarray
) -> tuple[float, float] | None:
    """Computes the 95 % interval of a metric by bootstrap over groups.

    Its ends are percentiles of 1,000 resamples of groups (numpy's generator, seed 0).

    Args:
        facts: facts of the competition, as for `metric_value`.
        name: name of the metric.
        truth: int (n, columns), in the order of the ids of the units.
        predictions: float (n, columns), in the same order.
        groups: (n,), resampled as a whole; numbered by first appearance.

    Returns:
        Its ends, nan if the metric is undefined in at least nine of ten resamples; None if it would take too
        long.
    """
    if truth.size * NUM_RESAMPLES > MAX_CELLS:
        return None
    codes = pd.factorize(groups)[0]
    rng = np.random.default_rng(0)
    values = []
    rows_of_group = [np.flatnonzero(codes == group) for group in range(codes.max() + 1)]
    inputs = decide(facts, predictions) if name in DECISION_METRICS else predictions.astype(np.float64)
    function = {**PROBABILITY_METRICS, **DECISION_METRICS, "auc": _mann_whitney, "mean_auc": _mann_whitney}[name]
    for _ in range(NUM_RESAMPLES):
        drawn = rng.integers(len(rows_of_group), size=len(rows_of_group))
        rows = np.concatenate([rows_of_group[group] for group in drawn])
        values.append(float(function(facts, truth[rows], inputs[rows])))
    defined = [value for value in values if not np.isnan(value)]
    if len(defined) <= 0.1 * NUM_RESAMPLES:
        return float("nan"), float("nan")
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def _mann_whitney(facts: CompetitionFacts, truth: np.ndarray, predictions: np.ndarray) -> float:
    """Returns the AUC from ranks (Mann-Whitney U): equal to `_auc`, and fast enough for a thousand resamples."""
    positive = truth.sum(axis=0)
    negative = len(truth) - positive
    if not (positive * negative).all():
        return float("nan")
    ranks = (rankdata(predictions, axis=0) * truth).sum(axis=0)
    return float(np.mean((ranks - positive * (positive + 1) / 2) / (positive * negative)))


def _single_column(facts: CompetitionFacts, matrix: np.ndarray) -> np.ndarray:
    """Converts int (n, columns) of 0 and 1 into one column: class numbers, or 0 and 1."""
    return matrix.argmax(axis=1) if facts.has_exclusive_classes else matrix[:, 0]


def _accuracy(facts: CompetitionFacts, truth: np.ndarray, decisions: np.ndarray) -> float:
    if facts.task == "multilabel":
        return metrics.accuracy_score(truth.ravel(), decisions.ravel())
    return metrics.accuracy_score(_single_column(facts, truth), _single_column(facts, decisions))


def _balanced_accuracy(facts: CompetitionFacts, truth: np.ndarray, decisions: np.ndarray) -> float:
    true, decided = _single_column(facts, truth), _single_column(facts, decisions)
    return np.mean([metrics.recall_score(true == label, decided == label) for label in np.unique(true)])


def _macro_f1(facts: CompetitionFacts, truth: np.ndarray, decisions: np.ndarray) -> float:
    if facts.task == "multilabel":
        return metrics.f1_score(truth, decisions, average="macro", zero_division=0)
    true, decided = _single_column(facts, truth), _single_column(facts, decisions)
    return metrics.f1_score(true, decided, average="macro", labels=np.union1d(true, decided), zero_division=0)


def _fbeta(facts: CompetitionFacts, truth: np.ndarray, decisions: np.ndarray) -> float:
    average = "macro" if facts.task == "multilabel" else "binary"
    columns = (truth, decisions) if facts.task == "multilabel" else (truth[:, 0], decisions[:, 0])
    return metrics.fbeta_score(*columns, beta=facts.score.beta, average=average, zero_division=0)


def _qwk(facts: CompetitionFacts, truth: np.ndarray, decisions: np.ndarray) -> float:
    true, decided = _single_column(facts, truth), _single_column(facts, decisions)
    if len(np.union1d(true, decided)) < 2:
        return float("nan")
    return metrics.cohen_kappa_score(true, decided, weights="quadratic", labels=np.arange(truth.shape[1]))


def _auc(facts: CompetitionFacts, truth: np.ndarray, predictions: np.ndarray) -> float:
    columns = [
        metrics.roc_auc_score(truth[:, column], predictions[:, column])
        if len(np.unique(truth[:, column])) == 2
        else float("nan")
        for column in range(truth.shape[1])
    ]
    return float(np.mean(columns))


def _pauc(facts: CompetitionFacts, truth: np.ndarray, predictions: np.ndarray) -> float:
    """Computes the partial AUC as ISIC 2024 did: that of the mirrored problem, in the original scale."""
    if len(np.unique(truth)) < 2:
        return float("nan")
    max_area, chance_area = 0.2, 0.5 * 0.2**2
    scaled = metrics.roc_auc_score(1 - truth[:, 0], -predictions[:, 0], max_fpr=max_area)
    return chance_area + (max_area - chance_area) * (scaled - 0.5) / 0.5


def _pf1(facts: CompetitionFacts, truth: np.ndarray, predictions: np.ndarray) -> float:
    p, y = np.clip(predictions[:, 0], 0, 1), truth[:, 0]
    if not y.any():
        return float("nan")
    hits = p[y == 1].sum()
    precision, recall = hits / p.sum() if p.sum() else 0.0, hits / y.sum()
    return 2 * precision * recall / (precision + recall) if hits else 0.0


def _log_loss(facts: CompetitionFacts, truth: np.ndarray, predictions: np.ndarray) -> float:
    clipped = np.clip(predictions, 1e-15, 1 - 1e-15)
    if facts.has_exclusive_classes:
        normalised = clipped / clipped.sum(axis=1, keepdims=True)
        return metrics.log_loss(truth.argmax(axis=1), normalised, labels=np.arange(truth.shape[1]))
    losses = []
    for column, p in enumerate(clipped.T):
        losses.append(metrics.log_loss(truth[:, column], np.stack([1 - p, p], axis=1), labels=[0, 1]))
    return float(np.mean(losses))


def _weighted_log_loss(facts: CompetitionFacts, truth: np.ndarray, predictions: np.ndarray) -> float:
    total = 0.0
    clipped = np.clip(predictions, 1e-15, 1 - 1e-15)
    pairs = [np.broadcast_to(facts.score.weights.get(name, 1.0), 2) for name in facts.labels.targets]
    for row in range(len(truth)):
        weights = [float(pairs[column][truth[row, column]]) for column in range(truth.shape[1])]
        right = np.where(truth[row] == 1, clipped[row], 1 - clipped[row])
        total += float(np.average(-np.log(right), weights=weights))
    return total / len(truth)


def _ece(facts: CompetitionFacts, truth: np.ndarray, predictions: np.ndarray) -> float:
    if facts.has_exclusive_classes:
        errors = [_binned_error(predictions.max(axis=1), predictions.argmax(axis=1) == truth.argmax(axis=1))]
    else:
        errors = [_binned_error(predictions[:, column], truth[:, column]) for column in range(truth.shape[1])]
    return float(np.mean(errors))


def _binned_error(confidence: np.ndarray, true: np.ndarray) -> float:
    """Returns the expected calibration error of one column, over equally wide bins."""
    total, num_bins = 0.0, 15
    edges = [-np.inf, *(number / num_bins for number in range(1, num_bins)), np.inf]
    for low, high in itertools.pairwise(edges):
        in_bin = (confidence > low) & (confidence <= high)
        total += abs(float(confidence[in_bin].sum()) - float(np.sum(true[in_bin])))
    return total / len(confidence)


DECISION_METRICS: dict[str, Any] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "macro_f1": _macro_f1,
    "fbeta": _fbeta,
    "qwk": _qwk,
}
PROBABILITY_METRICS: dict[str, Any] = {
    "auc": _auc,
    "mean_auc": _auc,
    "pauc": _pauc,
    "pf1": _pf1,
    "log_loss": _log_loss,
    "weighted_log_loss": _weighted_log_loss,
    "ece": _ece,
}
