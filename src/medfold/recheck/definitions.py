"""The metrics once more, by scikit-learn where it has them, else by their formula."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn import metrics

from medfold.competition import Competition

DRAWS, MOST_CELLS = 1000, 20_000_000  # of an interval; cells of all draws that are computed again at most
TOLERANCE = 1e-8  # scores are kept with nine decimals, predictions with nine digits


def decided(competition: Competition, predictions: np.ndarray) -> np.ndarray:
    """The decisions that a file holds: int (n, columns) of 0 and 1."""
    found = np.zeros(predictions.shape, int)
    for row, values in enumerate(predictions):
        chosen = values > 0.5
        forced = competition.submission.shape == "lists" and not competition.submission.empty and not chosen.any()
        if competition.exclusive_classes or forced:
            chosen = np.arange(len(values)) == np.argmax(values)
        found[row] = chosen
    return found


def has_definition(name: str) -> bool:
    """True for a metric that is defined here; one of a plugins.py is not."""
    return name in OF_DECISIONS or name in OF_PROBABILITIES


def score(competition: Competition, name: str, truth: np.ndarray, predictions: np.ndarray) -> float:
    """A metric of a competition.

    Args:
        competition: its task, weights and beta.
        name: of the metric.
        truth: int (n, columns): one column (binary), labels, or classes as 0 and 1 with a single 1 in each row.
        predictions: float (n, columns): probabilities, or decisions as 0 and 1.

    Returns:
        nan where it is undefined.
    """
    if not len(truth):
        return float("nan")
    if name in OF_DECISIONS:
        return float(OF_DECISIONS[name](competition, truth, decided(competition, predictions)))
    return float(OF_PROBABILITIES[name](competition, truth, predictions.astype(np.float64)))


def interval(
    competition: Competition, name: str, truth: np.ndarray, predictions: np.ndarray, groups: np.ndarray
) -> tuple[float, float] | None:
    """The 95 % interval of a metric: percentiles of 1,000 draws of groups (numpy's generator, seed 0).

    Args:
        truth, predictions: as `score` takes them, in the order of their ids.
        groups: (n,), what is drawn as a whole; numbered by first appearance.

    Returns:
        Its ends, nan if the metric is undefined on nine in ten draws; None where it would take too long to compute.
    """
    if truth.size * DRAWS > MOST_CELLS:
        return None
    number, rng, values = pd.factorize(groups)[0], np.random.default_rng(0), []
    members = [np.flatnonzero(number == each) for each in range(number.max() + 1)]
    seen = decided(competition, predictions) if name in OF_DECISIONS else predictions.astype(np.float64)
    function = {**OF_PROBABILITIES, **OF_DECISIONS, "auc": _mann_whitney, "mean_auc": _mann_whitney}[name]
    for _ in range(DRAWS):
        rows = np.concatenate([members[each] for each in rng.integers(len(members), size=len(members))])
        values.append(float(function(competition, truth[rows], seen[rows])))
    found = [value for value in values if not np.isnan(value)]
    if len(found) <= 0.1 * DRAWS:
        return float("nan"), float("nan")
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def _mann_whitney(competition: Competition, truth: np.ndarray, predictions: np.ndarray) -> float:
    """The AUC from ranks (Mann-Whitney U): equal to `_auc`, and fast enough for a thousand draws."""
    positive = truth.sum(axis=0)
    negative = len(truth) - positive
    if not (positive * negative).all():
        return float("nan")
    ranks = (rankdata(predictions, axis=0) * truth).sum(axis=0)
    return float(np.mean((ranks - positive * (positive + 1) / 2) / (positive * negative)))


def _single(competition: Competition, members: np.ndarray) -> np.ndarray:
    """Class numbers, or 0 and 1, of members int (n, columns)."""
    return members.argmax(axis=1) if competition.exclusive_classes else members[:, 0]


def _accuracy(competition: Competition, truth: np.ndarray, decisions: np.ndarray) -> float:
    if competition.task == "multilabel":
        return metrics.accuracy_score(truth.ravel(), decisions.ravel())
    return metrics.accuracy_score(_single(competition, truth), _single(competition, decisions))


def _balanced_accuracy(competition: Competition, truth: np.ndarray, decisions: np.ndarray) -> float:
    true, found = _single(competition, truth), _single(competition, decisions)
    return np.mean([metrics.recall_score(true == each, found == each) for each in np.unique(true)])


def _macro_f1(competition: Competition, truth: np.ndarray, decisions: np.ndarray) -> float:
    if competition.task == "multilabel":
        return metrics.f1_score(truth, decisions, average="macro", zero_division=0)
    true, found = _single(competition, truth), _single(competition, decisions)
    return metrics.f1_score(true, found, average="macro", labels=np.union1d(true, found), zero_division=0)


def _fbeta(competition: Competition, truth: np.ndarray, decisions: np.ndarray) -> float:
    average = "macro" if competition.task == "multilabel" else "binary"
    both = (truth, decisions) if competition.task == "multilabel" else (truth[:, 0], decisions[:, 0])
    return metrics.fbeta_score(*both, beta=competition.score.beta, average=average, zero_division=0)


def _qwk(competition: Competition, truth: np.ndarray, decisions: np.ndarray) -> float:
    true, found = _single(competition, truth), _single(competition, decisions)
    if len(np.union1d(true, found)) < 2:
        return float("nan")
    return metrics.cohen_kappa_score(true, found, weights="quadratic", labels=np.arange(truth.shape[1]))


def _auc(competition: Competition, truth: np.ndarray, predictions: np.ndarray) -> float:
    columns = [
        metrics.roc_auc_score(truth[:, column], predictions[:, column])
        if len(np.unique(truth[:, column])) == 2
        else float("nan")
        for column in range(truth.shape[1])
    ]
    return float(np.mean(columns))


def _pauc(competition: Competition, truth: np.ndarray, predictions: np.ndarray) -> float:
    """As ISIC 2024 computed it: the partial AUC of the mirrored problem, brought back from scikit-learn's scale."""
    if len(np.unique(truth)) < 2:
        return float("nan")
    most, least = 0.2, 0.5 * 0.2**2
    scaled = metrics.roc_auc_score(1 - truth[:, 0], -predictions[:, 0], max_fpr=most)
    return least + (most - least) * (scaled - 0.5) / 0.5


def _pf1(competition: Competition, truth: np.ndarray, predictions: np.ndarray) -> float:
    p, y = np.clip(predictions[:, 0], 0, 1), truth[:, 0]
    if not y.any():
        return float("nan")
    hits = p[y == 1].sum()
    precision, recall = hits / p.sum() if p.sum() else 0.0, hits / y.sum()
    return 2 * precision * recall / (precision + recall) if hits else 0.0


def _log_loss(competition: Competition, truth: np.ndarray, predictions: np.ndarray) -> float:
    clipped = np.clip(predictions, 1e-15, 1 - 1e-15)
    if competition.exclusive_classes:
        normal = clipped / clipped.sum(axis=1, keepdims=True)
        return metrics.log_loss(truth.argmax(axis=1), normal, labels=np.arange(truth.shape[1]))
    each = []
    for column, p in enumerate(clipped.T):
        each.append(metrics.log_loss(truth[:, column], np.stack([1 - p, p], axis=1), labels=[0, 1]))
    return float(np.mean(each))


def _weighted_log_loss(competition: Competition, truth: np.ndarray, predictions: np.ndarray) -> float:
    total, clipped = 0.0, np.clip(predictions, 1e-15, 1 - 1e-15)
    pairs = [np.broadcast_to(competition.score.weights.get(name, 1.0), 2) for name in competition.labels.targets]
    for row in range(len(truth)):
        weights = [float(pairs[column][truth[row, column]]) for column in range(truth.shape[1])]
        right = np.where(truth[row] == 1, clipped[row], 1 - clipped[row])
        total += float(np.average(-np.log(right), weights=weights))
    return total / len(truth)


def _ece(competition: Competition, truth: np.ndarray, predictions: np.ndarray) -> float:
    if competition.exclusive_classes:
        found = [_bins(predictions.max(axis=1), predictions.argmax(axis=1) == truth.argmax(axis=1))]
    else:
        found = [_bins(predictions[:, column], truth[:, column]) for column in range(truth.shape[1])]
    return float(np.mean(found))


def _bins(confidence: np.ndarray, true: np.ndarray, count: int = 15) -> float:
    total, ends = 0.0, [-np.inf, *(number / count for number in range(1, count)), np.inf]
    for low, high in itertools.pairwise(ends):
        here = (confidence > low) & (confidence <= high)
        total += abs(float(confidence[here].sum()) - float(np.sum(true[here])))
    return total / len(confidence)


OF_DECISIONS: dict[str, Any] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "macro_f1": _macro_f1,
    "fbeta": _fbeta,
    "qwk": _qwk,
}
OF_PROBABILITIES: dict[str, Any] = {
    "auc": _auc,
    "mean_auc": _auc,
    "pauc": _pauc,
    "pf1": _pf1,
    "log_loss": _log_loss,
    "weighted_log_loss": _weighted_log_loss,
    "ece": _ece,
}
