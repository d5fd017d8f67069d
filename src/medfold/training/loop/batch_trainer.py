"""Training of a net batch by batch, based on Keras' own training step, and the mean loss of an epoch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

MAX_OVERFLOWS = 10  # consecutive batches that overflow until a training ends; fewer if an epoch has fewer batches


class FiniteLoss(keras.metrics.Metric):
    """Mean of a loss over batches, without batches whose loss is not finite.

    Args:
        loss: (targets, outputs, sample_weight) -> a scalar.
    """

    def __init__(self, loss: keras.losses.Loss):
        super().__init__(name="finite_loss")
        self._loss = loss
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds the loss of a batch."""
        value = keras.ops.cast(self._loss(y_true, y_pred, sample_weight=sample_weight), "float32")
        is_finite = keras.ops.isfinite(value)
        self.total.assign_add(keras.ops.where(is_finite, value, 0.0))
        self.count.assign_add(keras.ops.cast(is_finite, "float32"))

    def result(self):
        """Returns the mean; nan before the first batch."""
        return self.total / self.count


class BatchTrainer:
    """Trainer of a net, batch by batch. Creating it compiles the net.

    With TensorFlow and JAX a call does not wait for its result: the mean loss stays on the device until it is read.

    With a `LossScaleOptimizer` (float16), a batch whose gradients are not finite changes neither weights nor moments.
    It may change the moving averages of batch normalisation, but these are recomputed before they are used.

    Args:
        net: the net to train.
        optimizer: an optimizer that is not built yet.
        loss: (targets, outputs, sample_weight) -> a scalar.
        jit_compile: True compiles the training function with XLA. Defaults to False.

    Example:
        >>> trainer = BatchTrainer(net, keras.optimizers.AdamW(), keras.losses.BinaryCrossentropy())
        >>> trainer(images, targets, np.ones(len(images), np.float32))
        >>> trainer.loss()
    """

    def __init__(
        self,
        net: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        loss: keras.losses.Loss,
        jit_compile: bool = False,
    ):
        self.net = net
        self._metric = FiniteLoss(loss)
        net.compile(optimizer, loss, weighted_metrics=[self._metric], jit_compile=jit_compile)
        net.optimizer.build(net.trainable_variables)
        self._may_overflow = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        inner = optimizer.inner_optimizer if self._may_overflow else optimizer
        # Not `optimizer.iterations`, which is divided by the accumulation steps.
        self._updates = next(variable for variable in inner.variables if variable.name == "iteration")
        self._backend = keras.backend.backend()
        self._is_built = False
        self.begin_epoch()
        self._last_update = (0, 0)  # number of batches, and of optimizer updates, at the last update

    def __call__(self, images, targets, sample_weights) -> None:
        """Trains on a batch.

        Args:
            images: (batch, ...), input of the net.
            targets: float32 (batch, columns).
            sample_weights: float32 (batch,), the weight of each image.
        """
        self._num_batches += 1
        if self._is_built and self._backend in ("tensorflow", "jax"):
            self._call_train_function((images, targets, sample_weights))
            return
        total, count = self._sums
        self._metric.reset_state()
        # The first call builds the training function.
        self.net.train_on_batch(images, targets, sample_weight=sample_weights)
        self._metric.total.assign(np.asarray(self._metric.total) + total)
        self._metric.count.assign(np.asarray(self._metric.count) + count)
        self._sums = self._read_sums()
        self._is_built = True

    def _call_train_function(self, batch: tuple) -> None:
        """Calls Keras' training step as `train_on_batch` does, but without reading the loss."""
        if self._backend == "tensorflow":
            self.net.train_function(iter([batch]))
            return
        net = self.net
        groups = (net.trainable_variables, net.non_trainable_variables, net.optimizer.variables, net.metrics_variables)
        # A step of JAX is a function of all variables, and returns their new values.
        values = tuple([variable.value for variable in variables] for variables in groups)
        _, new_values = net.train_function(values, iter([batch]))
        for variables, new in zip(groups, new_values, strict=True):
            for variable, value in zip(variables, new, strict=True):
                variable.assign(value)

    def begin_epoch(self) -> None:
        """Resets the mean loss and the number of batches."""
        self.net.reset_metrics()
        self._metric.reset_state()
        self._sums = (np.float32(0), np.float32(0))
        self._num_batches = 0
        self._updates_before = self._count_updates()

    def loss(self) -> float:
        """Returns the mean loss of the epoch so far, waiting for the device; nan if no batch had a finite loss."""
        total, count = self._read_sums()
        return float(total / count) if count else float("nan")

    def num_overflowed(self) -> int:
        """Returns the number of overflows in the epoch so far: batches whose loss or gradients were not finite."""
        if self._may_overflow:
            return self._num_batches - (self._count_updates() - self._updates_before)
        return self._num_batches - int(np.asarray(self._metric.count))

    def has_diverged(self, batches_per_epoch: int) -> bool:
        """Returns True if the loss is not a number.

        Where batches may overflow (float16), it takes ten overflows in a row, or a whole epoch of fewer batches.

        Args:
            batches_per_epoch: number of batches in an epoch.
        """
        if not self._may_overflow:
            return self.num_overflowed() > 0
        updates = self._count_updates()
        total = self._updates_before + self._num_batches
        if updates != self._last_update[1]:
            self._last_update = (total, updates)
        return total - self._last_update[0] >= min(MAX_OVERFLOWS, batches_per_epoch)

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Gives the net its averaged weights within the block, if the optimizer keeps any."""
        variables = self.net.trainable_variables
        current = [np.array(variable) for variable in variables]
        self.use_averaged_weights()
        try:
            yield
        finally:
            for variable, value in zip(variables, current, strict=True):
                variable.assign(value)

    def use_averaged_weights(self) -> None:
        """Replaces the weights with their average, if the optimizer keeps any."""
        variables = self.net.trainable_variables
        self.net.optimizer.finalize_variable_values(variables)
        if self._backend != "tensorflow":  # in JAX both share one array, which predicting would donate
            for variable in variables:
                variable.assign(np.array(variable))

    @property
    def constants(self) -> list[Any]:
        """Configurations of optimizer and loss. Their numbers are constants of the traced training step."""
        return [self.net.optimizer.get_config(), self.net.loss.get_config()]

    @property
    def variable_specs(self) -> list[str]:
        """Name, dtype and shape of each variable of `values`; trainers with equal ones can exchange values."""
        return [f"{variable.name} {variable.dtype} {tuple(variable.shape)}" for variable in self._variables]

    def values(self) -> list[np.ndarray]:
        """Returns the value of every variable of net, optimizer and loss."""
        return [np.array(variable) for variable in self._variables]

    def restore(self, values: list[np.ndarray], num_batches: int, updates_before: int) -> None:
        """Sets every variable.

        Args:
            values: the values, as `values` returned them.
            num_batches: number of batches of the current epoch when they were saved.
            updates_before: number of optimizer updates before the epoch in which they were saved.
        """
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)
        self._sums = self._read_sums()
        self._num_batches = num_batches
        self._updates_before = updates_before
        self._last_update = (updates_before + num_batches, self._count_updates())

    @property
    def updates_before(self) -> int:
        """Number of optimizer updates before the current epoch."""
        return self._updates_before

    @property
    def _variables(self) -> list[keras.Variable]:
        # Net: weights, batch statistics, dropout seeds. Optimizer: step count, moments, averaged weights. Loss: sums.
        return [*self.net.variables, *self.net.optimizer.variables, self._metric.total, self._metric.count]

    def _read_sums(self) -> tuple[np.float32, np.float32]:
        return np.float32(self._metric.total), np.float32(self._metric.count)

    def _count_updates(self) -> int:
        return int(np.asarray(self._updates))
