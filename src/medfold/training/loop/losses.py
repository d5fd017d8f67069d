"""Losses: target columns, sample weights, and the loss functions that a recipe can name.

A new loss is one function with the decorator `@loss`.
"""

from collections.abc import Callable

import keras
import numpy as np

from medfold.competition import CompetitionFacts, TrainingSettings
from medfold.errors import SettingError, UserError
from medfold.registry import Registry
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
        fix = "Merge rare classes in competition.yaml, or make fewer folds"
        if len(absent) == len(names) - 1:
            fix += "; if no image at all has another class, check labels.targets and labels.map"
        raise UserError(f"no image to train on is of class {shorten_list(absent)}", topic, fix)


LOSSES: Registry[Callable[[CompetitionFacts, TrainingSettings], keras.losses.Loss]] = Registry("loss")


def loss(function: Callable) -> Callable:
    """Registers a function (facts, training) -> a Keras loss of probabilities, under its own name.

    Example:
        >>> @loss
        ... def squared_error(facts, training):
        ...     return keras.losses.MeanSquaredError()
    """
    LOSSES.register(function.__name__, function, function.__module__)
    return function


@loss
def cross_entropy(facts: CompetitionFacts, training: TrainingSettings) -> keras.losses.Loss:
    """Cross-entropy over classes, or per label."""
    if facts.exclusive_classes:
        return keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing)
    return keras.losses.BinaryCrossentropy(label_smoothing=training.label_smoothing)


@loss
def focal(facts: CompetitionFacts, training: TrainingSettings) -> keras.losses.Loss:
    """Focal loss (Lin et al. 2017, arXiv 1708.02002) over classes, or per label."""
    options = {"label_smoothing": training.label_smoothing, "gamma": training.focal_gamma}
    if facts.exclusive_classes:
        return keras.losses.CategoricalFocalCrossentropy(alpha=1.0, **options)
    return keras.losses.BinaryFocalCrossentropy(**options)


def build_loss(
    facts: CompetitionFacts, training: TrainingSettings, targets: np.ndarray | None = None
) -> keras.losses.Loss:
    """Builds the loss that a recipe names.

    Args:
        facts: facts of the competition (the task).
        training: the settings of the recipe.
        targets: int (n, labels) of the training images, needed for balanced class weights of a multi-label task: the
            images with a label and those without it then have the same total weight. Defaults to none.

    Raises:
        SettingError: the loss is unknown (the nearest name is suggested), or cannot be balanced per label.
    """
    keras_loss = LOSSES.find(training.loss, "training.loss")(facts, training)
    if facts.task != "multilabel" or training.class_weights != "balanced":
        return keras_loss
    if training.loss not in ("cross_entropy", "focal"):
        fix = "Set class_weights to none, or the loss to cross_entropy or focal"
        raise SettingError(f"loss {training.loss} cannot be balanced per label", "training.class_weights", fix)
    options = {"gamma": training.focal_gamma} if training.loss == "focal" else {}
    return BalancedLabels(training.loss, targets.mean(axis=0), label_smoothing=training.label_smoothing, **options)


class BalancedLabels(keras.losses.Loss):
    """The loss per label, with presence and absence of each label weighted inversely to their frequency.

    Args:
        loss: cross_entropy or focal.
        frequency: float (labels,), the share of images that have each label.
        options: further arguments of the loss, such as `label_smoothing`.
    """

    def __init__(self, loss: str, frequency: np.ndarray, **options):
        super().__init__(name="balanced_labels")
        functions = {"cross_entropy": keras.losses.binary_crossentropy, "focal": keras.losses.binary_focal_crossentropy}
        self._loss_function = functions[loss]
        self._options = options
        present = np.where(frequency > 0, 0.5 / np.maximum(frequency, 1e-9), 0)
        absent = np.where(frequency < 1, 0.5 / np.maximum(1 - frequency, 1e-9), 0)
        self._present, self._absent = (weights.astype(np.float32) for weights in (present, absent))

    def call(self, y_true, y_pred):
        """Returns the weighted loss of each image, (batch,)."""
        losses = self._loss_function(y_true[..., None], y_pred[..., None], **self._options)
        weights = y_true * self._present + (1 - y_true) * self._absent
        return keras.ops.mean(weights * losses, axis=-1)
