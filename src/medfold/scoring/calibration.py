"""Calibration: adjusts probabilities to the observed frequencies."""

from collections.abc import Callable

import numpy as np

from medfold.scoring.fitted_transform import FittedTransform, transform_step
from medfold.terminal.console import say

MIN_PROBABILITY = 1e-7  # probabilities are clipped to this; float32 cannot come closer to 1
MANY_PREDICTIONS = 2_000_000  # above this a fit takes long enough to say so
MAX_TEMPERATURE = 20.0  # temperatures are searched from 1/20 to 20


def to_logits(predictions: np.ndarray, exclusive: bool) -> np.ndarray:
    """Converts probabilities to logits: log(p) for mutually exclusive classes, else log(p / (1 - p)).

    Args:
        predictions: float (..., columns), clipped to [1e-7, 1 - 1e-7].
        exclusive: True if the columns are mutually exclusive classes.
    """
    from scipy.special import logit

    clipped = np.clip(predictions, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return np.log(clipped) if exclusive else logit(clipped)


def to_probabilities(logits: np.ndarray, exclusive: bool) -> np.ndarray:
    """Converts logits to probabilities, the inverse of `to_logits`.

    Args:
        logits: float (..., columns).
        exclusive: True for a softmax over the last axis, False for a sigmoid of each column.
    """
    from scipy.special import expit, softmax

    return softmax(logits, axis=-1) if exclusive else expit(logits)


def fit_temperature(
    predictions: np.ndarray, targets: np.ndarray, loss: Callable[[np.ndarray, np.ndarray], float]
) -> FittedTransform:
    """Fits temperature scaling (Guo et al. 2017, arXiv 1706.04599): logits are divided by one number.

    The temperature minimises the loss. Below 1 it makes predictions more confident. Its lower bound depends on the
    sample size: n samples, even if all are predicted correctly, do not support probabilities closer to 1 than
    1 - 1/(2n).

    Args:
        predictions: float64 (n, columns).
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        loss: (targets, predictions) -> the value to minimise, such as the log loss or a weighted one.
    """
    from scipy.optimize import minimize_scalar

    exclusive = targets.ndim == 1 and predictions.shape[1] > 1
    logits = to_logits(predictions, exclusive)
    if logits.size > MANY_PREDICTIONS:
        say("calibrate", f"fits a temperature to {logits.size:,} predictions")

    def loss_at(log_temperature: float) -> float:
        return loss(targets, to_probabilities(logits / np.exp(log_temperature), exclusive))

    min_temperature = min(
        1.0, max(1 / MAX_TEMPERATURE, float(_max_margin(logits, exclusive)) / np.log(2 * max(len(targets), 2)))
    )
    bounds = (np.log(min_temperature), np.log(MAX_TEMPERATURE))
    temperature = float(np.exp(minimize_scalar(loss_at, bounds=bounds, method="bounded", options={"xatol": 1e-8}).x))
    return FittedTransform.from_function(
        apply_temperature, {"temperature": temperature}, temperature=temperature, exclusive=exclusive
    )


def _max_margin(logits: np.ndarray, exclusive: bool) -> float:
    """Returns the largest absolute logit; for exclusive classes, the largest gap between the top two."""
    if not exclusive:
        return np.max(np.abs(logits))
    ordered = np.sort(logits, axis=1)
    return np.max(ordered[:, -1] - ordered[:, -2])


@transform_step
def apply_temperature(predictions: np.ndarray, temperature: float, exclusive: bool) -> np.ndarray:
    """Divides the logits of probabilities by a temperature."""
    return to_probabilities(to_logits(predictions, exclusive) / temperature, exclusive)
