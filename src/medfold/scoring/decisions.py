"""Decisions: the one rule that turns predictions into classes and labels, for scores and submissions alike."""

import numpy as np

from medfold.competition import Competition


def decisions_of(competition: Competition, predictions: np.ndarray) -> np.ndarray:
    """Decides classes or labels from predictions, as a submission of decisions holds them.

    Of mutually exclusive classes, the most probable one is decided. A binary class or a label is decided if its
    probability is strictly above one half. Where a list of labels may not be empty (`submission.empty: false`) and no
    label is above one half, the most probable one is decided.

    Args:
        competition: its task, and the layout of its submission.
        predictions: float (n, columns).

    Returns:
        float64 (n, columns) of 0 and 1.
    """
    if competition.exclusive_classes:
        return np.eye(predictions.shape[1])[predictions.argmax(axis=1)]
    decisions = predictions > 0.5
    if competition.submission.layout == "lists" and not competition.submission.empty:
        decisions[np.arange(len(decisions)), predictions.argmax(axis=1)] |= ~decisions.any(axis=1)
    return decisions.astype(np.float64)
