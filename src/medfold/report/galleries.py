"""Choice of the gallery images: the most confident correct ones, the worst mistakes, the most uncertain."""

from typing import NamedTuple

import numpy as np

from medfold.scoring import to_classes, to_labels

NUM_SHOWN = 12  # images in a gallery


class GalleryUnits(NamedTuple):
    """The units of a gallery.

    Args:
        title: heading of the gallery.
        text: a sentence about the gallery.
        rows: int (images,), the units.
        columns: int (images,), the prediction column that is explained.
    """

    title: str
    text: str
    rows: np.ndarray
    columns: np.ndarray


def choose_units(targets: np.ndarray, predictions: np.ndarray, num_images: int = NUM_SHOWN) -> list[GalleryUnits]:
    """Chooses the most confident correct units, the worst mistakes, and the units closest to the threshold.

    With several labels, each label is ranked separately; a unit is shown for its most extreme label.

    Args:
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        predictions: float (n, columns).
        num_images: images per gallery. Defaults to 12.
    """
    confidence, correct, column = _confidence(targets, predictions)
    margin, nearest = _margin(targets, predictions, column)
    wrong_scores, correct_scores = np.where(correct, -1, confidence), np.where(correct, confidence, -1)
    all_rows = np.arange(len(predictions))
    selected = []
    near_text = "Predictions closest to the decision threshold."
    for title, text, scores, eligible, columns in (
        ("Confident and correct", "Most confident correct predictions.", correct_scores, correct, column),
        ("Worst mistakes", "Most confident wrong predictions.", wrong_scores, ~correct, column),
        ("Closest to the threshold", near_text, -margin, True, nearest),
    ):
        order = all_rows[np.argsort(-scores, kind="stable")]
        rows = order[np.broadcast_to(eligible, len(predictions))[order]][:num_images]
        if len(rows):
            selected.append(GalleryUnits(title, text, rows, columns[rows]))
    return selected


def _confidence(targets: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns for each unit the confidence of its decision, whether it is correct, and the column it refers to."""
    if targets.ndim == 2:
        confidence = np.maximum(predictions, 1 - predictions)
        correct = to_labels(predictions) == targets
        # A wrong label is more informative than a label that is correctly absent.
        column = np.where(
            correct.all(axis=1), predictions.argmax(axis=1), np.where(correct, -1, confidence).argmax(axis=1)
        )
        rows = np.arange(len(targets))
        return confidence[rows, column], correct[rows, column], column
    if predictions.shape[1] == 1:
        p = predictions[:, 0]
        return np.maximum(p, 1 - p), to_labels(p) == targets, np.zeros(len(p), int)
    decided = to_classes(predictions)
    return predictions.max(axis=1), decided == targets, decided


def _margin(targets: np.ndarray, predictions: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns for each unit the distance of its nearest decision from the opposite one, and the column it refers to."""
    if targets.ndim == 2 or predictions.shape[1] == 1:
        distance = np.abs(predictions - 0.5)
        return distance.min(axis=1), distance.argmin(axis=1)
    top = np.sort(predictions, axis=1)
    return top[:, -1] - top[:, -2], column
