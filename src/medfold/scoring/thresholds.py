"""Thresholds: where a prediction becomes a decision, chosen so that a metric gains.

What is fitted is a map from predictions to predictions: a threshold moves to one half, decided classes become the most
probable ones. So whatever decides afterwards (the metric, the submission) decides as always.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import expit

from medfold.scoring.calibration import to_logits
from medfold.scoring.cross_fitting import FittedTransform, prediction_map
from medfold.scoring.metric import Metric

MOST = 500  # thresholds that are tried for a column, at most
FACTORS = np.geomspace(1 / 16, 16, 33)  # that are tried for a class
STEPS = 101  # places that are tried for a cut
SWEEPS = 3  # times that classes or cuts are gone through


def column_thresholds(predictions: np.ndarray, targets: np.ndarray, metric: Metric) -> FittedTransform:
    """A threshold for each column, that with which the metric of this column is best.

    A metric over labels is the mean over them, so each label has its own. Thresholds lie in the middle between the
    prediction for a positive and the next lower one, of more than 500 positives between those at 500 quantiles; of
    equally good ones that nearest to one half is taken.

    Args:
        predictions: float64 (n, columns): one column (binary), or one for each label.
        targets: int (n,) or (n, labels).
        metric: one that looks at decisions only.
    """
    found, metric = [], replace(metric, decide=None)  # a column alone is decided by its threshold alone
    for column in range(predictions.shape[1]):
        here = targets if targets.ndim == 1 else targets[:, [column]]
        found.append(_best_threshold(predictions[:, [column]], here, metric))
    return FittedTransform.by(moved, {"thresholds": found}, thresholds=np.array(found))


@prediction_map
def moved(predictions: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Each column stretched so that its threshold comes to lie at one half."""
    below, above = 0.5 * predictions / thresholds, 0.5 + 0.5 * (predictions - thresholds) / (1 - thresholds)
    return np.where(predictions <= thresholds, below, above)


def _best_threshold(predictions: np.ndarray, targets: np.ndarray, metric: Metric) -> float:
    # Where a metric is best, a threshold lies just below a positive, or above all: to move it further down only adds
    # false alarms. So rare classes need few candidates, and get all of them.
    values = np.unique(np.clip(predictions, 1e-6, 1 - 1e-6))
    positives = np.unique(np.clip(predictions[targets.reshape(-1) == 1], 1e-6, 1 - 1e-6))
    if len(positives) > MOST:
        positives = np.unique(np.quantile(positives, np.linspace(0, 1, MOST), method="nearest"))
    below = np.concatenate([[0.0], values])[np.searchsorted(values, positives)]
    candidates = np.concatenate([[0.5], (below + positives) / 2, [(values[-1] + 1) / 2]])
    scores = [metric.sign * metric(targets, (predictions > each).astype(np.float64)) for each in candidates]
    return float(_first_best(candidates, scores, np.abs(candidates - 0.5)))


def _first_best(candidates: np.ndarray, scores: list[float], cost: np.ndarray) -> float:
    scores = np.nan_to_num(np.array(scores), nan=-np.inf)
    good = np.flatnonzero(scores >= scores.max() - 1e-12)
    return candidates[good[np.argmin(cost[good])]]


def cut_points(predictions: np.ndarray, targets: np.ndarray, metric: Metric | None = None) -> FittedTransform:
    """Ordered cuts of the expected grade, those with which the quadratic weighted kappa is best.

    Found by Nelder and Mead's simplex from 0.5, 1.5, ..., then cut by cut: kappa is a staircase on which a simplex gets
    stuck. Always sorted. The decided grade gets probability 1.

    Args:
        predictions: float64 (n, grades).
        targets: int (n,).
        metric: is the quadratic weighted kappa, whatever is given.
    """
    from scipy.optimize import minimize

    grades = predictions.shape[1]
    expected = predictions @ np.arange(grades)
    order = np.argsort(expected, kind="stable")
    ordered, members = expected[order], np.eye(grades)[targets[order]]
    # How many of each grade stand below a position: the table of truth and decision follows without another look.
    below = np.concatenate([np.zeros((1, grades)), np.cumsum(members, axis=0)])
    weight = np.subtract.outer(np.arange(grades), np.arange(grades)) ** 2

    def loss(cuts: np.ndarray) -> float:
        ends = below[np.searchsorted(ordered, np.sort(cuts), side="left")]
        table = np.diff(np.concatenate([below[:1], ends, below[-1:]]), axis=0)
        chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / max(len(targets), 1)
        by_chance = float((weight * chance).sum())
        return float((weight * table).sum()) / by_chance if by_chance else 1.0

    start = np.arange(grades - 1) + 0.5
    simplex = np.vstack([start, start + 0.25 * np.eye(grades - 1)])
    options = {"initial_simplex": simplex, "xatol": 1e-4, "fatol": 1e-9, "maxiter": 400 * grades}
    cuts = np.sort(minimize(loss, start, method="Nelder-Mead", options=options).x)
    candidates = np.quantile(expected, np.linspace(0, 1, STEPS))
    for _ in range(SWEEPS):
        for number in range(grades - 1):
            tried = np.tile(cuts, (STEPS + 1, 1))
            tried[1:, number] = candidates
            cuts = np.sort(tried[int(np.argmin([loss(each) for each in tried]))])
    return FittedTransform.by(cut, {"cut points": cuts.tolist()}, cuts=cuts)


@prediction_map
def cut(predictions: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Probability 1 for the grade that the expected one falls into."""
    grades = len(cuts) + 1
    return np.eye(grades)[np.searchsorted(cuts, predictions @ np.arange(grades), side="right")]


def class_factors(predictions: np.ndarray, targets: np.ndarray, metric: Metric) -> FittedTransform:
    """A factor for each class, those with which the metric of the most probable class is best.

    Found class by class, going through them three times; of equally good factors the one nearest to 1 is taken.

    Args:
        predictions: float64 (n, classes).
        targets: int (n,).
        metric: one that looks at decisions only.
    """
    factors = np.ones(predictions.shape[1])
    for _ in range(SWEEPS):
        before = factors.copy()
        for number in range(len(factors)):
            tried = np.tile(factors, (len(FACTORS), 1))
            tried[:, number] = FACTORS
            scores = [metric.sign * metric(targets, predictions * each) for each in tried]
            factors[number] = _first_best(FACTORS, scores, np.abs(np.log(FACTORS)))
        if np.array_equal(before, factors):
            break
    return FittedTransform.by(weighed, {"factors": factors.tolist()}, factors=factors)


@prediction_map
def weighed(predictions: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Classes times their factors, brought to a sum of 1."""
    scaled = predictions * factors
    return scaled / scaled.sum(axis=1, keepdims=True)


def sharpening(predictions: np.ndarray, targets: np.ndarray, metric: Metric) -> FittedTransform:
    """Probabilities pushed away from a threshold, as far as the metric gains: for the probabilistic F1.

    p becomes sigmoid(slope * (logit(p) - offset)): slope 1 and offset 0 leave it, a steep slope makes decisions of it.
    pF1 is at its best with decisions (Lipton et al. 2014, arXiv 1402.1892, for F1), but a threshold that was fitted on
    few positives is uncertain, and then a gentle slope loses less.

    Args:
        predictions: float64 (n, 1).
        targets: int (n,).
        metric: to be made best.
    """
    raw = to_logits(predictions, exclusive=False)

    def at(values: np.ndarray) -> np.ndarray:
        return expit(np.exp(np.clip(values[0], 0, 4)) * (raw - values[1]))

    def loss(values: np.ndarray) -> float:
        return -metric.sign * metric(targets, at(values))

    return _sharpened(loss, np.quantile(raw, 1 - np.clip(np.mean(targets == 1), 0.001, 0.999)))


def _sharpened(loss: Callable[[np.ndarray], float], offset: float) -> FittedTransform:
    from scipy.optimize import minimize

    starts = [np.array([0.0, 0.0]), np.array([1.0, offset]), np.array([3.0, offset])]
    found = [minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-9}) for start in starts]
    slope, offset = min(found, key=lambda one: one.fun).x
    found = {"slope": float(np.exp(np.clip(slope, 0, 4))), "offset": float(offset)}
    return FittedTransform.by(sharpened, found, **found)


@prediction_map
def sharpened(predictions: np.ndarray, slope: float, offset: float) -> np.ndarray:
    """sigmoid(slope * (logit(p) - offset))."""
    return expit(slope * (to_logits(predictions, exclusive=False) - offset))
