"""Loss functions that a recipe can name.

A new loss is one function with the decorator `@loss`.
"""

from collections.abc import Callable

import keras
import numpy as np

from medfold.competition import CompetitionFacts, TrainingSettings
from medfold.errors import SettingError
from medfold.registry import Registry

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
    if facts.has_exclusive_classes:
        return keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing)
    return keras.losses.BinaryCrossentropy(label_smoothing=training.label_smoothing)


@loss
def focal(facts: CompetitionFacts, training: TrainingSettings) -> keras.losses.Loss:
    """Focal loss (Lin et al. 2017, arXiv 1708.02002) over classes, or per label."""
    options = {"label_smoothing": training.label_smoothing, "gamma": training.focal_gamma}
    if facts.has_exclusive_classes:
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

    def get_config(self):
        """Returns the arguments of the loss, with the weights that it computes from the frequencies."""
        weights = {"present": self._present.tolist(), "absent": self._absent.tolist()}
        return {"name": self.name, "loss": self._loss_function.__name__, **weights, **self._options}

    def call(self, y_true, y_pred):
        """Returns the weighted loss of each image, (batch,)."""
        losses = self._loss_function(y_true[..., None], y_pred[..., None], **self._options)
        weights = y_true * self._present + (1 - y_true) * self._absent
        return keras.ops.mean(weights * losses, axis=-1)
