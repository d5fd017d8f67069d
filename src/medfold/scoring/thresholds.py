"""Post-processing for metrics of decisions: thresholds, cut points, class factors and sharpening.

Each fits a function from predictions to predictions: a threshold is moved to one half, or the decided class becomes the
most probable one. So the usual decision rule (of the metric, of the submission) still applies afterwards.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from medfold.scoring.calibration import to_logits, to_probabilities
from medfold.scoring.cross_fitting import FittedTransform, transform_step
from medfold.scoring.metric import Metric
from medfold.terminal.progress import with_time_left

MAX_THRESHOLDS = 500  # candidates per column
CANDIDATE_FACTORS = np.geomspace(1 / 16, 16, 33)  # candidates per class
NUM_CUT_CANDIDATES = 101  # candidates per cut point
MAX_SWEEPS = 3  # passes over all classes or cut points


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
    return float(_best_candidate(candidates, scores, np.abs(candidates - 0.5)))


def _best_candidate(candidates: np.ndarray, scores: list[float], distance: np.ndarray) -> float:
    """Returns the best candidate; of equally good ones, the one at the smallest distance."""
    scores = np.nan_to_num(np.array(scores), nan=-np.inf)
    best = np.flatnonzero(scores >= scores.max() - 1e-12)
    return candidates[best[np.argmin(distance[best])]]


def fit_cut_points(predictions: np.ndarray, targets: np.ndarray, metric: Metric | None = None) -> FittedTransform:
    """Fits ordered cut points of the expected grade that maximise the quadratic weighted kappa.

    They are optimised with the Nelder-Mead simplex from 0.5, 1.5, ..., then one by one: kappa is piecewise constant,
    so that a simplex gets stuck. They are always sorted. The decided grade gets probability 1.

    Args:
        predictions: float64 (n, grades).
        targets: int (n,), the true classes.
        metric: ignored; it is always the quadratic weighted kappa. Defaults to None.
    """
    from scipy.optimize import minimize

    grades = predictions.shape[1]
    expected = predictions @ np.arange(grades)
    order = np.argsort(expected, kind="stable")
    ordered = expected[order]
    one_hot = np.eye(grades)[targets[order]]
    # Number of each grade below each position: the confusion matrix of any cuts follows from it directly.
    below = np.concatenate([np.zeros((1, grades)), np.cumsum(one_hot, axis=0)])
    weight = np.subtract.outer(np.arange(grades), np.arange(grades)) ** 2

    def loss(cuts: np.ndarray) -> float:
        ends = below[np.searchsorted(ordered, np.sort(cuts), side="left")]
        confusion = np.diff(np.concatenate([below[:1], ends, below[-1:]]), axis=0)
        chance = np.outer(confusion.sum(axis=1), confusion.sum(axis=0)) / max(len(targets), 1)
        by_chance = float((weight * chance).sum())
        return float((weight * confusion).sum()) / by_chance if by_chance else 1.0

    start = np.arange(grades - 1) + 0.5
    simplex = np.vstack([start, start + 0.25 * np.eye(grades - 1)])
    options = {"initial_simplex": simplex, "xatol": 1e-4, "fatol": 1e-9, "maxiter": 400 * grades}
    cuts = np.sort(minimize(loss, start, method="Nelder-Mead", options=options).x)
    candidates = np.quantile(expected, np.linspace(0, 1, NUM_CUT_CANDIDATES))
    for _ in range(MAX_SWEEPS):
        for index in range(grades - 1):
            trials = np.tile(cuts, (NUM_CUT_CANDIDATES + 1, 1))
            trials[1:, index] = candidates
            cuts = np.sort(trials[int(np.argmin([loss(trial) for trial in trials]))])
    return FittedTransform.from_function(apply_cut_points, {"cut points": cuts.tolist()}, cuts=cuts)


@transform_step
def apply_cut_points(predictions: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Gives probability 1 to the grade whose cut points enclose the expected grade."""
    grades = len(cuts) + 1
    return np.eye(grades)[np.searchsorted(cuts, predictions @ np.arange(grades), side="right")]


def fit_class_factors(predictions: np.ndarray, targets: np.ndarray, metric: Metric) -> FittedTransform:
    """Fits a factor for each class so that the metric of the most probable class is maximal.

    Classes are optimised one by one, in at most three passes. Of equally good factors the one nearest to 1 is chosen.

    Args:
        predictions: float64 (n, classes).
        targets: int (n,), the true classes.
        metric: a metric of decisions.
    """
    factors = np.ones(predictions.shape[1])
    for _ in range(MAX_SWEEPS):
        previous = factors.copy()
        for index in range(len(factors)):
            trials = np.tile(factors, (len(CANDIDATE_FACTORS), 1))
            trials[:, index] = CANDIDATE_FACTORS
            scores = [metric.sign * metric(targets, predictions * trial) for trial in trials]
            factors[index] = _best_candidate(CANDIDATE_FACTORS, scores, np.abs(np.log(CANDIDATE_FACTORS)))
        if np.array_equal(previous, factors):
            break
    return FittedTransform.from_function(apply_class_factors, {"factors": factors.tolist()}, factors=factors)


@transform_step
def apply_class_factors(predictions: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Multiplies the classes by their factors and normalises the result to a sum of 1."""
    scaled = predictions * factors
    return scaled / scaled.sum(axis=1, keepdims=True)


def fit_sharpening(predictions: np.ndarray, targets: np.ndarray, metric: Metric) -> FittedTransform:
    """Fits a sigmoid that pushes probabilities away from a threshold, for the probabilistic F1.

    p becomes sigmoid(slope * (logit(p) - offset)). Slope 1 and offset 0 change nothing; a steep slope turns
    probabilities into decisions. pF1 is maximal with decisions (Lipton et al. 2014, arXiv 1402.1892, for F1), but a
    threshold that is fitted on few positives is uncertain, and then a gentle slope loses less.

    Args:
        predictions: float64 (n, 1).
        targets: int (n,), the true classes.
        metric: the metric to maximise.
    """
    logits = to_logits(predictions, exclusive=False)

    def sharpen(parameters: np.ndarray) -> np.ndarray:
        return to_probabilities(np.exp(np.clip(parameters[0], 0, 4)) * (logits - parameters[1]), exclusive=False)

    def loss(parameters: np.ndarray) -> float:
        return -metric.sign * metric(targets, sharpen(parameters))

    return _minimise_loss(loss, np.quantile(logits, 1 - np.clip(np.mean(targets == 1), 0.001, 0.999)))


def _minimise_loss(loss: Callable[[np.ndarray], float], offset: float) -> FittedTransform:
    """Minimises a loss of (log slope, offset) from three starting points."""
    from scipy.optimize import minimize

    starts = [np.array([0.0, 0.0]), np.array([1.0, offset]), np.array([3.0, offset])]
    results = [minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-9}) for start in starts]
    slope, offset = min(results, key=lambda result: result.fun).x
    fitted = {"slope": float(np.exp(np.clip(slope, 0, 4))), "offset": float(offset)}
    return FittedTransform.from_function(apply_sharpening, fitted, **fitted)


@transform_step
def apply_sharpening(predictions: np.ndarray, slope: float, offset: float) -> np.ndarray:
    """Pushes probabilities away from a threshold: sigmoid(slope * (logit(p) - offset)).

    Args:
        predictions: float64 (n, 1), probabilities.
        slope: steepness; 1 with offset 0 changes nothing, a large one gives decisions.
        offset: logit of the threshold.
    """
    return to_probabilities(slope * (to_logits(predictions, exclusive=False) - offset), exclusive=False)
