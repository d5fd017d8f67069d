"""Decisions: the classes and labels that predictions stand for, by the one rule that scores and submissions share."""

import numpy as np

from medfold.competition import Competition


def decisions_of(competition: Competition, predictions: np.ndarray) -> np.ndarray:
    """What is decided, as a submission of decisions holds it.

    Of several classes the most probable one; of a single class and of labels, what lies strictly above one half. A list
    of labels that may not be empty (`submission.empty: false`) then names the most probable label.

    Args:
        competition: its task, and the shape of its submission.
        predictions: float (n, columns).

    Returns:
        float64 (n, columns) of 0 and 1.
    """
    if competition.exclusive_classes:
        return np.eye(predictions.shape[1])[predictions.argmax(axis=1)]
    decided = predictions > 0.5
    if competition.submission.shape == "lists" and not competition.submission.empty:
        decided[np.arange(len(decided)), predictions.argmax(axis=1)] |= ~decided.any(axis=1)
    return decided.astype(np.float64)
