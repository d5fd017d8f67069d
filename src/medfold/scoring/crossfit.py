"""Cross-fitting: what is fitted on labels is judged on folds whose labels it has not seen."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Fitted:
    """What came of fitting.

    Args:
        apply: predictions float64 (..., n, columns) -> float64 (n, columns).
        parameters: what was found, for people and files.
    """

    apply: Callable[[np.ndarray], np.ndarray]
    parameters: dict[str, Any] = field(default_factory=dict)


Fit = Callable[[np.ndarray, np.ndarray], Fitted]


def cross_fitted(fit: Fit, predictions: np.ndarray, targets: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Each fold's predictions, by what was fitted on the other folds.

    Args:
        fit: (predictions, targets) -> Fitted.
        predictions: float64 (..., n, columns); leading axes are for members of an ensemble.
        targets: int (n,) or (n, labels).
        fold: int (n,), two or more different numbers.

    Returns:
        float64 (n, columns).
    """
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise ValueError("cross-fitting takes two folds or more")
    result = np.empty(predictions.shape[-2:])
    for number in numbers:
        held = fold == number
        fitted = fit(predictions[..., ~held, :], targets[~held])
        result[held] = fitted.apply(predictions[..., held, :])
    return result


def chained(first: Fit, second: Fit) -> Fit:
    """One fit after the other: the second is fitted on what the first makes of the predictions."""

    def fit(predictions: np.ndarray, targets: np.ndarray) -> Fitted:
        one = first(predictions, targets)
        two = second(one.apply(predictions), targets)
        return Fitted(lambda given: two.apply(one.apply(given)), {**one.parameters, **two.parameters})

    return fit
