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

    With a `LossScaleOptimizer` (float16) a step whose loss or gradients are not finite changes nothing but the scale:
    neither weights nor moments nor, which the optimizer does not know of, the statistics of batch normalisation.
    """

    def __init__(self, model: keras.Model, optimizer: keras.optimizers.Optimizer, loss: keras.losses.Loss):
        self.model, self.optimizer, self._loss = model, optimizer, loss
        self.may_overflow = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        optimizer.build(model.trainable_variables)
        self._compiled = tf.function(self._step, reduce_retracing=True)

    def step(self, images: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor) -> float:
        """Learns from one batch and returns its loss before the step; nan for a step that was left out."""
        return float(self._compiled(images, targets, weights))

    def _step(self, images: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        statistics = [each for each in self.model.non_trainable_variables if each.dtype.startswith("float")]
        before = [tf.identity(each.value) for each in statistics]
        with tf.GradientTape() as tape:
            outputs = self.model(tf.cast(images, tf.float32), training=True)
            loss = self._loss(targets, outputs, sample_weight=weights)
            if self.model.losses:
                loss += tf.add_n(self.model.losses)
            scaled = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, self.model.trainable_variables)
        if self.may_overflow:
            finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(each)) for each in (loss, *gradients)])
            loss, *gradients = (tf.where(finite, each, np.nan) for each in (loss, *gradients))
            for variable, value in zip(statistics, before, strict=True):
                variable.assign(tf.where(finite, variable.value, value))
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
