"""One training step of a net, Keras' own, and the mean loss of an epoch."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np

IN_A_ROW = 10  # steps that overflow before a training ends, or those of an epoch, if it has fewer


class FiniteLoss(keras.metrics.Metric):
    """The mean of a loss over batches; batches whose loss is not finite are left out.

    Args:
        loss: (targets, outputs, sample_weight) -> a scalar.
    """

    def __init__(self, loss: keras.losses.Loss):
        super().__init__(name="finite_loss")
        self._loss = loss
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch."""
        value = keras.ops.cast(self._loss(y_true, y_pred, sample_weight=sample_weight), "float32")
        finite = keras.ops.isfinite(value)
        self.total.assign_add(keras.ops.where(finite, value, 0.0))
        self.count.assign_add(keras.ops.cast(finite, "float32"))

    def result(self):
        """The mean; nan before the first batch."""
        return self.total / self.count


class TrainingStep:
    """A net that is trained on one batch after the other; compiling it is part of it.

    With TensorFlow the result of a step is not waited for: the mean loss stays on the device until it is read.

    With a `LossScaleOptimizer` (float16) a step whose gradients are not finite moves neither weights nor moments. It
    may move the averages of batch normalisation, which are gathered anew before they are used.

    Args:
        model: the net.
        optimizer: not yet built.
        loss: (targets, outputs, sample_weight) -> a scalar.
        jit_compile: whether XLA compiles the step. Defaults to False.

    Example:
        >>> step = TrainingStep(model, keras.optimizers.AdamW(), keras.losses.BinaryCrossentropy())
        >>> step(images, targets, np.ones(len(images), np.float32))
        >>> step.loss()
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        loss: keras.losses.Loss,
        jit_compile: bool = False,
    ):
        self.model, self._metric = model, FiniteLoss(loss)
        model.compile(optimizer, loss, weighted_metrics=[self._metric], jit_compile=jit_compile)
        model.optimizer.build(model.trainable_variables)
        self._may_overflow = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        inner = optimizer.inner_optimizer if self._may_overflow else optimizer
        self._updates = next(each for each in inner.variables if each.name == "iteration")
        self._stays_on_device = keras.backend.backend() == "tensorflow"
        self._built = False
        self.begin_epoch()
        self._last_update = (0, 0)  # after how many steps, and which

    def __call__(self, images, targets, weights) -> None:
        """Trains on a batch.

        Args:
            images: (batch, ...), what the net takes.
            targets: float32 (batch, columns).
            weights: float32 (batch,), how much each image counts.
        """
        self._steps += 1
        if self._built and self._stays_on_device:
            self.model.train_function(iter([(images, targets, weights)]))
            return
        total, count = self._sums
        self._metric.reset_state()
        self.model.train_on_batch(images, targets, sample_weight=weights)  # builds the step
        self._metric.total.assign(np.asarray(self._metric.total) + total)
        self._metric.count.assign(np.asarray(self._metric.count) + count)
        self._sums = self._read_sums()
        self._built = True

    def begin_epoch(self) -> None:
        """Forgets the losses of the epoch before."""
        self.model.reset_metrics()
        self._metric.reset_state()
        self._sums = (np.float32(0), np.float32(0))
        self._steps, self._updates_before = 0, self._count_updates()

    def loss(self) -> float:
        """The mean loss of the epoch so far; waits for the device. nan if no step had a finite one."""
        total, count = self._read_sums()
        return float(total / count) if count else float("nan")

    def left_out(self) -> int:
        """How many steps of the epoch so far overflowed: loss or gradients were not finite; waits for the device."""
        if self._may_overflow:
            return self._steps - (self._count_updates() - self._updates_before)
        return self._steps - int(self._read_sums()[1])

    def diverged(self, steps_per_epoch: int) -> bool:
        """True if the loss is not a number; where steps may overflow, after ten of them in a row."""
        if not self._may_overflow:
            return self.left_out() > 0
        updates, total = self._count_updates(), self._updates_before + self._steps
        if updates != self._last_update[1]:
            self._last_update = (total, updates)
        return total - self._last_update[0] >= min(IN_A_ROW, steps_per_epoch)

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Within the block the net has its averaged weights, if the optimizer keeps any."""
        variables = self.model.trainable_variables
        current = [np.array(variable) for variable in variables]
        self.use_averaged_weights()
        try:
            yield
        finally:
            for variable, value in zip(variables, current, strict=True):
                variable.assign(value)

    def use_averaged_weights(self) -> None:
        """Gives the net its averaged weights, if the optimizer keeps any."""
        variables = self.model.trainable_variables
        self.model.optimizer.finalize_variable_values(variables)
        if not self._stays_on_device:  # JAX gives net and optimizer one array, and predicting would use it up
            for variable in variables:
                variable.assign(np.array(variable))

    @property
    def layout(self) -> list[str]:
        """Name, type and shape of each variable that `values` gives: two steps of one layout can exchange them."""
        return [f"{each.name} {each.dtype} {tuple(each.shape)}" for each in self._variables]

    def values(self) -> list[np.ndarray]:
        """The value of every variable of net, optimizer and loss."""
        return [np.array(variable) for variable in self._variables]

    def restore(self, values: list[np.ndarray], steps: int, updates_before: int) -> None:
        """Sets every variable.

        Args:
            values: as `values` gave them.
            steps: of the epoch that they were taken in, so far.
            updates_before: as `updates_before` was.
        """
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)
        self._sums = self._read_sums()
        self._steps, self._updates_before = steps, updates_before
        self._last_update = (updates_before + steps, self._count_updates())

    @property
    def updates_before(self) -> int:
        """Updates of the optimizer before this epoch."""
        return self._updates_before

    @property
    def _variables(self) -> list[keras.Variable]:
        # Weights, averages of normalisation, seeds of dropout; step count, moments, averaged weights; sums of losses.
        return [*self.model.variables, *self.model.optimizer.variables, self._metric.total, self._metric.count]

    def _read_sums(self) -> tuple[np.float32, np.float32]:
        return np.float32(self._metric.total), np.float32(self._metric.count)

    def _count_updates(self) -> int:
        return int(np.asarray(self._updates))
