"""Trainings without a net: a phase whose batch trainer only counts, so that loop and resumption are tested fast."""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np

from medfold.training.loop.phases import Phase


class FakeNet:
    """A net with one weight and a learning rate."""

    def __init__(self):
        self.weights = [np.array([0.0], np.float32)]
        self.optimizer = SimpleNamespace(learning_rate=0.5)
        self.stop_training = False

    def get_weights(self):
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights):
        self.weights = [np.array(weight) for weight in weights]


class FakeBatchTrainer:
    """Adds 1 to the weight of its net for each batch; the averaged weight is the weight plus 0.5.

    Args:
        diverges_at: number of the batch, from 1, after which the loss is not a number. Defaults to none.
        overflows: number of batches that overflow in each epoch. Defaults to 0.
    """

    variable_specs = ("weight float32 (1,)", "count float32 ()", "total float32 ()", "count float32 ()")

    def __init__(self, diverges_at: int | None = None, overflows: int = 0):
        self.net = FakeNet()
        self.updates_before, self.restored = 0, None
        self._diverges_at, self._overflows, self._num_batches = diverges_at, overflows, 0

    def __call__(self, images, targets, weights):
        self._num_batches += 1
        self.net.weights[0] += 1

    def begin_epoch(self):
        self.updates_before = self._num_batches

    def has_diverged(self, batches_per_epoch):
        return self._diverges_at is not None and self._num_batches >= self._diverges_at

    def num_overflowed(self):
        return self._overflows

    def loss(self):
        return 1 / (1 + float(self.net.weights[0][0]))

    @contextmanager
    def averaged_weights(self):
        current = self.net.get_weights()
        self.use_averaged_weights()
        yield
        self.net.set_weights(current)

    def use_averaged_weights(self):
        self.net.weights[0] += 0.5

    def values(self):
        return [*self.net.get_weights(), np.float32(self._num_batches), np.float32(0), np.float32(0)]

    def restore(self, values, num_batches, updates_before):
        self.restored = (num_batches, updates_before)
        self.net.weights = [np.array(values[0])]
        self._num_batches = int(values[1])


class FakeBatches:
    """Batches of one number each."""

    def __init__(self, batches_per_epoch: int):
        self.batches_per_epoch = batches_per_epoch


def fake_phase(name: str = "all", epochs: int = 3, batches_per_epoch: int = 2, **trainer) -> Phase:
    """Returns a phase without a net; `trainer` holds the arguments of its `FakeBatchTrainer`."""
    batches = FakeBatches(batches_per_epoch)
    return Phase(name, FakeBatchTrainer(**trainer), np.zeros(1), None, batches, epochs, 0, None)


def never_saved() -> SimpleNamespace:
    """Returns a checkpoint that is never due."""
    return SimpleNamespace(is_due=lambda is_epoch_end: False)
