"""Targets as columns, and the balance of their classes: weights of images, and classes without an image."""

import numpy as np

from medfold.competition import CompetitionFacts
from medfold.errors import UserError
from medfold.scoring import targets_as_columns
from medfold.terminal.console import warn
from medfold.text import shorten_list


def target_columns(facts: CompetitionFacts, targets: np.ndarray) -> np.ndarray:
    """Converts targets to float32 (n, columns): one column per label, or one-hot classes."""
    return targets_as_columns(targets, len(facts.prediction_columns)).astype(np.float32)


def sample_weights(facts: CompetitionFacts, class_weights: str, targets: np.ndarray) -> np.ndarray:
    """Returns the weight of each image, float32 (n,): 1, or inverse to the frequency of its class, with mean 1.

    Multi-label tasks get 1: `build_loss` balances their labels.

    Args:
        facts: facts of the competition (task and classes).
        class_weights: `class_weights` of the recipe: none or balanced.
        targets: int (n,) or (n, labels), the targets of the training images.
    """
    if class_weights == "none" or facts.task == "multilabel":
        return np.ones(len(targets), np.float32)
    counts = np.bincount(targets, minlength=len(facts.class_names))
    return (len(targets) / (np.count_nonzero(counts) * counts[targets])).astype(np.float32)


def balancing_classes(facts: CompetitionFacts, targets: np.ndarray) -> np.ndarray:
    """Returns the class to balance each image by, int (n,); for multi-label tasks, its combination of labels."""
    if facts.task != "multilabel":
        return targets
    return np.unique(targets, axis=0, return_inverse=True)[1].ravel()


def check_classes_present(facts: CompetitionFacts, targets: np.ndarray, topic: str) -> None:
    """Checks that every class has a training image, and warns about labels that no image has.

    A net cannot learn a class without images. A label that no image has is learnt as always absent.

    Args:
        facts: facts of the competition (the names of the classes).
        targets: int (n,) or (n, labels), the targets of the training images.
        topic: name of the training in messages, such as `fold 0`.

    Raises:
        UserError: a class has no image; the class is named.
    """
    if facts.task == "multilabel":
        absent = [name for name, column in zip(facts.prediction_columns, targets.T, strict=True) if not column.any()]
        if absent:
            warn(
                topic,
                f"no image to train on has the label {shorten_list(absent)}: it is always predicted as absent",
            )
        return
    names = facts.class_names
    absent = [name for number, name in enumerate(names) if not (targets == number).any()]
    if absent:
        fix = "All of its images are in this fold: merge it with another class or leave it out (labels.map)"
        fix += ", or check whether labels.group is too coarse"
        if len(absent) == len(names) - 1:
            fix += "; if no image at all has another class, check labels.targets and labels.map"
        raise UserError(f"no image to train on is of class {shorten_list(absent)}", topic, fix)
