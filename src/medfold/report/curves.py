"""Numbers behind the figures: ROC and precision-recall curves, operating points, calibration, confusion."""

from typing import NamedTuple

import numpy as np

from medfold.scoring import BINS, to_classes

POINTS = 400  # of a curve that is drawn
LEVELS = (0.90, 0.95)  # of sensitivity and of specificity, for operating points


class Curve(NamedTuple):
    """A curve; float64 (points,) each."""

    x: np.ndarray
    y: np.ndarray


class OperatingPoint(NamedTuple):
    """Sensitivity, specificity and predictive values at a threshold.

    Args:
        aim: what the threshold was chosen for, such as 'sensitivity 90 %'.
        threshold: predictions from it on count as positive.
        sensitivity, specificity, precision: at the threshold.
        negative_value: the share of those called negative that are.
    """

    aim: str
    threshold: float
    sensitivity: float
    specificity: float
    precision: float
    negative_value: float


def roc(truth: np.ndarray, predictions: np.ndarray) -> Curve:
    """False positive rate and true positive rate.

    Args:
        truth: int (n,) of 0 and 1, both there.
        predictions: float (n,).
    """
    from sklearn.metrics import roc_curve

    x, y, _ = roc_curve(truth, predictions)
    return _thinned(x, y)


def precision_recall(truth: np.ndarray, predictions: np.ndarray) -> Curve:
    """Recall and precision, from no recall to all; arguments as of `roc`."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(truth, predictions)
    return _thinned(recall[::-1], precision[::-1])


def average_precision(truth: np.ndarray, predictions: np.ndarray) -> float:
    """The area under the precision-recall curve as scikit-learn has it; arguments as of `roc`."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, predictions))


def operating_points(truth: np.ndarray, predictions: np.ndarray) -> list[OperatingPoint]:
    """Thresholds for 90 and 95 % sensitivity (the highest that reaches it) and specificity (the lowest).

    They are chosen on the predictions that they are reported on: on other patients they will be a little worse.
    """
    thresholds = np.unique(predictions)
    positives, negatives = np.sort(predictions[truth == 1]), np.sort(predictions[truth != 1])
    above = [len(part) - np.searchsorted(part, thresholds, side="left") for part in (positives, negatives)]
    sensitivity, specificity = above[0] / len(positives), 1 - above[1] / len(negatives)
    found = []
    for name, values, pick in (("sensitivity", sensitivity, -1), ("specificity", specificity, 0)):
        for level in LEVELS:
            reached = np.flatnonzero(values >= level - 1e-12)
            if not len(reached):  # no threshold calls as few positive as it takes
                continue
            at = reached[pick]
            true, false = int(above[0][at]), int(above[1][at])
            called_negative = len(truth) - true - false
            found.append(
                OperatingPoint(
                    aim=f"{name} {level:.0%}",
                    threshold=float(thresholds[at]),
                    sensitivity=float(sensitivity[at]),
                    specificity=float(specificity[at]),
                    precision=true / (true + false) if true + false else float("nan"),
                    negative_value=(len(negatives) - false) / called_negative if called_negative else float("nan"),
                )
            )
    return found


def reliability(truth: np.ndarray, confidence: np.ndarray) -> tuple[Curve, np.ndarray]:
    """Calibration curve: how often predictions come true, by bins of the expected calibration error.

    Args:
        truth: bool (n,), what came true.
        confidence: float (n,), what was predicted.

    Returns:
        Mean confidence and share that came true of each bin that holds any; how many each holds.
    """
    number = np.searchsorted(np.arange(1, BINS) / BINS, confidence, side="left")
    count = np.bincount(number, minlength=BINS)
    there = count > 0
    x = np.bincount(number, weights=confidence, minlength=BINS)[there] / count[there]
    y = np.bincount(number, weights=truth.astype(np.float64), minlength=BINS)[there] / count[there]
    return Curve(x, y), count[there]


def confusion(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Confusion matrix, true classes by row, decided ones by column: int64 (classes, classes).

    Args:
        targets: int (n,).
        predictions: float (n, columns), one column for a binary task.
    """
    classes = max(2, predictions.shape[1])
    decided = to_classes(predictions[:, 0] if predictions.shape[1] == 1 else predictions)
    return np.bincount(targets * classes + decided, minlength=classes**2).reshape(classes, classes)


def _thinned(x: np.ndarray, y: np.ndarray) -> Curve:
    """At most so many points, evenly along the curve: more cannot be seen, but make a file large."""
    if len(x) <= POINTS:
        return Curve(x, y)
    along = np.concatenate([[0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    keep = np.unique(np.searchsorted(along, np.linspace(0, along[-1], POINTS)))
    keep = np.union1d(keep, [0, len(x) - 1])
    return Curve(x[keep], y[keep])
