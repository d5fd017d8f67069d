"""What a training minimises: targets as columns, what each image counts, the loss."""

import keras
import numpy as np

from medfold.competition import Competition
from medfold.errors import UserError, some
from medfold.recipe import Training


def as_columns(competition: Competition, targets: np.ndarray) -> np.ndarray:
    """float32 (n, columns): one column per label, or one-hot classes."""
    if competition.one_of_many:
        return np.eye(len(competition.columns), dtype=np.float32)[targets]
    return targets.reshape(len(targets), -1).astype(np.float32)


def sample_weights(competition: Competition, choice: str, targets: np.ndarray) -> np.ndarray:
    """float32 (n,): 1, or inversely to how frequent the class is, with mean 1."""
    if choice == "none":
        return np.ones(len(targets), np.float32)
    if competition.task == "multilabel":
        raise UserError("labels have no single class to balance", "training.class_weights", "Set it to none")
    counts = np.bincount(targets, minlength=len(competition.class_names))
    return (len(targets) / (np.count_nonzero(counts) * counts[targets])).astype(np.float32)


def classes_of(competition: Competition, targets: np.ndarray) -> np.ndarray:
    """int (n,): the class to balance by; for several labels, which of them are there."""
    if competition.task != "multilabel":
        return targets
    return np.unique(targets, axis=0, return_inverse=True)[1].ravel()


def refuse_absent_classes(competition: Competition, targets: np.ndarray, topic: str) -> None:
    """A class that no training image has cannot be learnt.

    Args:
        competition: names the classes.
        targets: of the training images, int (n,) or (n, labels).
        topic: what to call the training in an error, such as `fold 0`.

    Raises:
        UserError: there is one; it is named.
    """
    if competition.task == "multilabel":
        absent = [name for name, column in zip(competition.columns, targets.T, strict=True) if not column.any()]
    else:
        names = competition.class_names
        absent = [name for number, name in enumerate(names) if not (targets == number).any()]
    if absent:
        fix = "Merge rare classes in competition.yaml, or make fewer folds"
        raise UserError(f"no image to train on is of class {some(absent)}", topic, fix)


def loss_of(competition: Competition, choices: Training) -> keras.losses.Loss:
    """Cross-entropy, or focal loss (Lin et al. 2017, arXiv 1708.02002), over classes or per label."""
    more = {"label_smoothing": choices.label_smoothing}
    if choices.loss == "focal":
        more["gamma"] = choices.focal_gamma
        if competition.one_of_many:
            return keras.losses.CategoricalFocalCrossentropy(alpha=1.0, **more)
        return keras.losses.BinaryFocalCrossentropy(**more)
    if competition.one_of_many:
        return keras.losses.CategoricalCrossentropy(**more)
    return keras.losses.BinaryCrossentropy(**more)
