"""Labels as columns of 0 and 1, and the rules that turn predictions into classes and labels."""

import numpy as np

from medfold.competition import CompetitionFacts


def targets_as_columns(targets: np.ndarray, num_columns: int) -> np.ndarray:
    """Returns the membership of each class or label, 0 or 1, in the form of predictions.

    Args:
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        num_columns: number of prediction columns: 1 for a binary task, else the number of classes or labels.

    Returns:
        int (n, columns).
    """
    if targets.ndim == 1 and num_columns > 1:
        return (targets[:, None] == np.arange(num_columns)).astype(np.int64)
    return targets.reshape(len(targets), num_columns)


def to_labels(predictions: np.ndarray) -> np.ndarray:
    """Returns 1 where a prediction is above one half, else 0: int, in the shape of the predictions."""
    return (predictions > 0.5).astype(int)


def to_classes(predictions: np.ndarray) -> np.ndarray:
    """Returns class numbers, int (n,): of predictions (n, classes) the most probable class; of (n,) as `to_labels`."""
    return predictions.argmax(axis=1) if predictions.ndim == 2 else to_labels(predictions)


def decide(facts: CompetitionFacts, predictions: np.ndarray) -> np.ndarray:
    """Decides classes or labels from predictions, as a submission of decisions holds them.

    Of mutually exclusive classes, the most probable one is decided. A binary class or a label is decided if its
    probability is strictly above one half. Where a list of labels may not be empty
    (`submission.allow_empty_lists: false`) and no label is above one half, the most probable one is decided.

    Args:
        facts: facts of the competition (the task, and `submission.layout`).
        predictions: float (n, columns).

    Returns:
        float64 (n, columns) of 0 and 1.
    """
    if facts.has_exclusive_classes:
        return np.eye(predictions.shape[1])[to_classes(predictions)]
    decisions = predictions > 0.5
    if facts.submission.layout == "lists" and not facts.submission.allow_empty_lists:
        decisions[np.arange(len(decisions)), predictions.argmax(axis=1)] |= ~decisions.any(axis=1)
    return decisions.astype(np.float64)
