"""Choice of the images of the galleries: the most confident right ones, the worst mistakes, the most uncertain."""

from typing import NamedTuple

import numpy as np

SHOWN = 12  # images in a gallery


class GalleryChoice(NamedTuple):
    """Units of a gallery.

    Args:
        title: of the gallery.
        text: what it shows.
        rows: int (k,), the units.
        columns: int (k,), the prediction column that is explained.
    """

    title: str
    text: str
    rows: np.ndarray
    columns: np.ndarray


def choose_units(targets: np.ndarray, predictions: np.ndarray, count: int = SHOWN) -> list[GalleryChoice]:
    """The most confident right ones, the worst mistakes, and the nearest to the threshold.

    Of several labels, each is looked at on its own, and a unit is shown for the label for which it is most extreme.

    Args:
        targets: int (n,) or (n, labels).
        predictions: float (n, columns).
        count: in each gallery. Defaults to 12.
    """
    confidence, right, column = _judged(targets, predictions)
    margin, nearest = _margin(targets, predictions, column)
    wrong, good = np.where(right, -1, confidence), np.where(right, confidence, -1)
    both = np.arange(len(predictions))
    found = []
    near = "Where a little more or less would have changed the decision."
    for title, text, scores, there, about in (
        ("Confident and right", "The surest predictions that came true.", good, right, column),
        ("Worst mistakes", "The surest predictions that did not come true.", wrong, ~right, column),
        ("Nearest to the threshold", near, -margin, True, nearest),
    ):
        order = both[np.argsort(-scores, kind="stable")]
        rows = order[np.broadcast_to(there, len(predictions))[order]][:count]
        if len(rows):
            found.append(GalleryChoice(title, text, rows, about[rows]))
    return found


def _judged(targets: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each unit the confidence of its decision, whether it is right, and the column it is about."""
    if targets.ndim == 2:
        sure = np.maximum(predictions, 1 - predictions)
        right = (predictions > 0.5) == (targets == 1)
        # A mistake tells more than one more label that is rightly absent.
        column = np.where(right.all(axis=1), predictions.argmax(axis=1), np.where(right, -1, sure).argmax(axis=1))
        rows = np.arange(len(targets))
        return sure[rows, column], right[rows, column], column
    if predictions.shape[1] == 1:
        p = predictions[:, 0]
        return np.maximum(p, 1 - p), (p > 0.5) == (targets == 1), np.zeros(len(p), int)
    decided = predictions.argmax(axis=1)
    return predictions.max(axis=1), decided == targets, decided


def _margin(targets: np.ndarray, predictions: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each unit how far its nearest decision is from the other one, and the column which that is about."""
    if targets.ndim == 2 or predictions.shape[1] == 1:
        far = np.abs(predictions - 0.5)
        return far.min(axis=1), far.argmin(axis=1)
    top = np.sort(predictions, axis=1)
    return top[:, -1] - top[:, -2], column
