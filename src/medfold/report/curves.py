"""Numbers behind the figures: ROC and precision-recall curves, operating points, calibration, confusion."""

from typing import NamedTuple

import numpy as np

from medfold.scoring import NUM_BINS, bin_of_confidence, to_classes

MAX_POINTS = 400  # points drawn per curve
TARGET_LEVELS = (0.90, 0.95)  # sensitivities and specificities of the operating points


class Curve(NamedTuple):
    """The points of a curve, float64 (points,) each."""

    x: np.ndarray
    y: np.ndarray


class OperatingPoint(NamedTuple):
    """Sensitivity, specificity and predictive values at a threshold.

    Args:
        criterion: the condition that the threshold was chosen for, such as 'sensitivity 90 %'.
        threshold: predictions at or above it count as positive.
        sensitivity: share of the positives that are found.
        specificity: share of the negatives that are not called positive.
        precision: share of the predicted positives that are positive.
        negative_predictive_value: share of the predicted negatives that are negative.
    """

    criterion: str
    threshold: float
    sensitivity: float
    specificity: float
    precision: float
    negative_predictive_value: float


def roc(truth: np.ndarray, predictions: np.ndarray) -> Curve:
    """Returns false positive rate (x) and true positive rate (y).

    Args:
        truth: int (n,) of 0 and 1, both present.
        predictions: float (n,).
    """
    from sklearn.metrics import roc_curve

    x, y, _ = roc_curve(truth, predictions)
    return _thinned(x, y)


def precision_recall(truth: np.ndarray, predictions: np.ndarray) -> Curve:
    """Returns recall (x) and precision (y), from recall 0 to 1; arguments as for `roc`."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(truth, predictions)
    return _thinned(recall[::-1], precision[::-1])


def average_precision(truth: np.ndarray, predictions: np.ndarray) -> float:
    """Returns the average precision (scikit-learn's definition); arguments as for `roc`."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, predictions))


def operating_points(truth: np.ndarray, predictions: np.ndarray) -> list[OperatingPoint]:
    """Returns thresholds for 90 and 95 % sensitivity (the highest that reaches it) and specificity (the lowest).

    They are chosen on the predictions that they are reported on: on other patients they will be a little worse.
    """
    thresholds = np.unique(predictions)
    positives, negatives = np.sort(predictions[truth == 1]), np.sort(predictions[truth != 1])
    above = [len(part) - np.searchsorted(part, thresholds, side="left") for part in (positives, negatives)]
    sensitivity, specificity = above[0] / len(positives), 1 - above[1] / len(negatives)
    points = []
    for name, values, pick in (("sensitivity", sensitivity, -1), ("specificity", specificity, 0)):
        for level in TARGET_LEVELS:
            reached = np.flatnonzero(values >= level - 1e-12)
            if not len(reached):  # no threshold reaches this specificity
                continue
            index = reached[pick]
            true_positives, false_positives = int(above[0][index]), int(above[1][index])
            num_negative = len(truth) - true_positives - false_positives
            points.append(
                OperatingPoint(
                    criterion=f"{name} {level:.0%}",
                    threshold=float(thresholds[index]),
                    sensitivity=float(sensitivity[index]),
                    specificity=float(specificity[index]),
                    precision=true_positives / (true_positives + false_positives)
                    if true_positives + false_positives
                    else float("nan"),
                    negative_predictive_value=(len(negatives) - false_positives) / num_negative
                    if num_negative
                    else float("nan"),
                )
            )
    return points


def reliability(truth: np.ndarray, confidence: np.ndarray) -> tuple[Curve, np.ndarray]:
    """Returns the calibration curve: observed frequency against confidence, by bins of the expected calibration error.

    Args:
        truth: bool (n,), True where the predicted outcome occurred.
        confidence: float (n,), the predicted probability.

    Returns:
        Mean confidence and observed frequency of each non-empty bin; the number of predictions in each.
    """
    bin_number = bin_of_confidence(confidence)
    count = np.bincount(bin_number, minlength=NUM_BINS)
    filled = count > 0
    x = np.bincount(bin_number, weights=confidence, minlength=NUM_BINS)[filled] / count[filled]
    y = np.bincount(bin_number, weights=truth.astype(np.float64), minlength=NUM_BINS)[filled] / count[filled]
    return Curve(x, y), count[filled]


def confusion(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Returns the confusion matrix, true classes by row, decided ones by column: int64 (classes, classes).

    Args:
        targets: int (n,), the true classes.
        predictions: float (n, columns), one column for a binary task.
    """
    num_classes = max(2, predictions.shape[1])
    decided = to_classes(predictions[:, 0] if predictions.shape[1] == 1 else predictions)
    return np.bincount(targets * num_classes + decided, minlength=num_classes**2).reshape(num_classes, num_classes)


def _thinned(x: np.ndarray, y: np.ndarray) -> Curve:
    """Keeps at most `MAX_POINTS` points, evenly spaced along the curve: more are not visible and enlarge the file."""
    if len(x) <= MAX_POINTS:
        return Curve(x, y)
    along = np.concatenate([[0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], MAX_POINTS)))
    kept = np.union1d(kept, [0, len(x) - 1])
    return Curve(x[kept], y[kept])
