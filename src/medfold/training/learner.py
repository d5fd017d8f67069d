"""A net and its optimizer: one step at a time, and all that they remember as arrays."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf


class Learner:
    """A net that learns from batches.

    Args:
        model: the net.
        optimizer: not yet built.
        loss: (targets, outputs, sample_weight) -> a scalar.
    """

    def __init__(self, model: keras.Model, optimizer: keras.optimizers.Optimizer, loss: keras.losses.Loss):
        self.model, self.optimizer, self._loss = model, optimizer, loss
        optimizer.build(model.trainable_variables)
        self._compiled = tf.function(self._step, reduce_retracing=True)

    def step(self, images: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor) -> float:
        """Learns from one batch and returns its loss before the step."""
        return float(self._compiled(images, targets, weights))

    def _step(self, images: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            outputs = self.model(tf.cast(images, tf.float32), training=True)
            loss = self._loss(targets, outputs, sample_weight=weights)
            if self.model.losses:
                loss += tf.add_n(self.model.losses)
            scaled = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables, strict=True))
        return loss

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within the block the net has its averaged weights, if the optimizer keeps any."""
        current = [variable.numpy() for variable in self.model.trainable_variables]
        self.optimizer.finalize_variable_values(self.model.trainable_variables)
        try:
            yield
        finally:
            for variable, value in zip(self.model.trainable_variables, current, strict=True):
                variable.assign(value)

    @property
    def _variables(self) -> list[keras.Variable]:
        # Weights, the averages of normalisation, the state of dropout; step count, moments, averaged weights.
        return [*self.model.variables, *self.optimizer.variables]

    @property
    def layout(self) -> list[str]:
        """Names, types and shapes of all that is remembered: two learners of one layout can exchange it."""
        return [f"{each.name} {each.dtype} {tuple(each.shape)}" for each in self._variables]

    def remember(self) -> list[np.ndarray]:
        """The value of every variable of net and optimizer."""
        return [np.asarray(variable.numpy()) for variable in self._variables]

    def recall(self, values: list[np.ndarray]) -> None:
        """Sets every variable of net and optimizer, in the order of `remember`."""
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)
