"""Calibration: probabilities brought to how often they come true."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, logit, softmax

from medfold.scoring.cross_fitting import FittedTransform, prediction_map

SMALLEST = 1e-7  # a probability of float32 does not come nearer to 1
HOTTEST = 20.0  # temperatures are looked for from 1/20 to 20


def to_logits(predictions: np.ndarray, exclusive: bool) -> np.ndarray:
    """Probabilities as logits: of classes that exclude each other their logarithms, else log(p / (1 - p)).

    Args:
        predictions: float (..., columns), clipped to 1e-7 from 0 and 1.
        exclusive: True if the columns are classes of which each sample has one.
    """
    clipped = np.clip(predictions, SMALLEST, 1 - SMALLEST)
    return np.log(clipped) if exclusive else logit(clipped)


def to_probabilities(logits: np.ndarray, exclusive: bool) -> np.ndarray:
    """The other way round: softmax over the last axis, or a sigmoid of each."""
    return softmax(logits, axis=-1) if exclusive else expit(logits)


def temperature_scaling(
    predictions: np.ndarray, targets: np.ndarray, loss: Callable[[np.ndarray, np.ndarray], float]
) -> FittedTransform:
    """Logits divided by one number (Guo et al. 2017, arXiv 1706.04599), that which makes the loss least.

    A temperature below 1 makes predictions surer. It is bounded by the size of the sample: n samples, all of them
    right, say nothing about probabilities nearer to 1 than 1 - 1/(2n).

    Args:
        predictions: float64 (n, columns).
        targets: int (n,) or (n, labels).
        loss: (targets, predictions) -> what to make small: the log loss, or a weighted one.
    """
    from scipy.optimize import minimize_scalar

    exclusive = targets.ndim == 1 and predictions.shape[1] > 1
    raw = to_logits(predictions, exclusive)

    def of(log_temperature: float) -> float:
        return loss(targets, to_probabilities(raw / np.exp(log_temperature), exclusive))

    coldest = min(1.0, max(1 / HOTTEST, float(_surest(raw, exclusive)) / np.log(2 * max(len(targets), 2))))
    bounds = (np.log(coldest), np.log(HOTTEST))
    temperature = float(np.exp(minimize_scalar(of, bounds=bounds, method="bounded", options={"xatol": 1e-8}).x))
    return FittedTransform.by(tempered, {"temperature": temperature}, temperature=temperature, exclusive=exclusive)


def _surest(raw: np.ndarray, exclusive: bool) -> float:
    """The largest logit: of classes that exclude each other, of the most probable one against the next."""
    if not exclusive:
        return np.max(np.abs(raw))
    ordered = np.sort(raw, axis=1)
    return np.max(ordered[:, -1] - ordered[:, -2])


@prediction_map
def tempered(predictions: np.ndarray, temperature: float, exclusive: bool) -> np.ndarray:
    """Probabilities whose logits are divided by a temperature."""
    return to_probabilities(to_logits(predictions, exclusive) / temperature, exclusive)
