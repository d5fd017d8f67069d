"""Cross-fitting: whatever is fitted on labels is evaluated on folds whose labels were not used."""

from collections.abc import Callable

import numpy as np

from medfold.scoring.fitted_transform import FittedTransform

Fit = Callable[[np.ndarray, np.ndarray], FittedTransform]


def cross_fit(fit: Fit, predictions: np.ndarray, targets: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Predicts each fold with a transform fitted on the other folds.

    Args:
        fit: (predictions, targets) -> FittedTransform.
        predictions: float64 (..., n, columns); leading axes are for members of an ensemble.
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        folds: int (n,), the fold of each row; at least two different folds.

    Returns:
        float64 (n, columns), in the order of the rows.
    """
    numbers = np.unique(folds)
    if len(numbers) < 2:
        raise ValueError("cross-fitting needs at least two folds")
    result = np.empty(predictions.shape[-2:])
    for number in numbers:
        in_fold = folds == number
        fitted = fit(predictions[..., ~in_fold, :], targets[~in_fold])
        result[in_fold] = fitted.apply(predictions[..., in_fold, :])
    return result


def chain_fits(first: Fit, second: Fit) -> Fit:
    """Chains two fits: the second is fitted on the output of the first."""

    def fit(predictions: np.ndarray, targets: np.ndarray) -> FittedTransform:
        first_fitted = first(predictions, targets)
        return first_fitted.followed_by(second(first_fitted.apply(predictions), targets))

    return fit
