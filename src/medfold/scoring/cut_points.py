"""Cut points, a post-processing of grades for the quadratic weighted kappa: the decided grade gets probability 1.

So the usual decision rule (of the metric, of the submission) still applies afterwards.
"""

import numpy as np

from medfold.scoring.fitted_transform import FittedTransform, transform_step

NUM_CUT_CANDIDATES = 101  # candidates per cut point
MAX_SWEEPS = 3  # passes over all cut points


def fit_cut_points(predictions: np.ndarray, targets: np.ndarray) -> FittedTransform:
    """Fits ordered cut points of the expected grade that maximise the quadratic weighted kappa.

    They are optimised with the Nelder-Mead simplex from 0.5, 1.5, ..., then one by one: kappa is piecewise constant,
    so that a simplex gets stuck. They are always sorted. The decided grade gets probability 1.

    Args:
        predictions: float64 (n, grades).
        targets: int (n,), the true classes.
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
