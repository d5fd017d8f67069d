"""Sharpening, a post-processing for the probabilistic F1: a sigmoid that pushes probabilities away from a threshold."""

from collections.abc import Callable

import numpy as np

from medfold.scoring.calibration import to_logits, to_probabilities
from medfold.scoring.fitted_transform import FittedTransform, transform_step
from medfold.scoring.metric_registry import Metric


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
