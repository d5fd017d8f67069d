"""Class factors, a post-processing for metrics of decisions: a factor for each class; the decided one is most probable.

So the usual decision rule (of the metric, of the submission) still applies afterwards.
"""

import numpy as np

from medfold.scoring.fitted_transform import FittedTransform, transform_step
from medfold.scoring.metric_registry import Metric
from medfold.scoring.thresholds import best_candidate

CANDIDATE_FACTORS = np.geomspace(1 / 16, 16, 33)  # candidates per class
MAX_SWEEPS = 3  # passes over all classes


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
            factors[index] = best_candidate(CANDIDATE_FACTORS, scores, np.abs(np.log(CANDIDATE_FACTORS)))
        if np.array_equal(previous, factors):
            break
    return FittedTransform.from_function(apply_class_factors, {"factors": factors.tolist()}, factors=factors)


@transform_step
def apply_class_factors(predictions: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Multiplies the classes by their factors and normalises the result to a sum of 1."""
    scaled = predictions * factors
    return scaled / scaled.sum(axis=1, keepdims=True)
