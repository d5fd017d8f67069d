"""Trainings that are interrupted: by a power failure, or by a loss that is not a number."""

import numpy as np

from medfold.training.loop.batch_trainer import BatchTrainer


class PowerFailure(Exception):  # noqa: N818
    """Ends a training as a power failure would."""


def interrupt_after(monkeypatch, after):
    """Makes training raise PowerFailure after this number of steps."""
    original, count = BatchTrainer.__call__, [0]

    def step(self, *batch):
        if count[0] == after:
            raise PowerFailure
        count[0] += 1
        return original(self, *batch)

    monkeypatch.setattr(BatchTrainer, "__call__", step)


def lose_number_at(monkeypatch, number):
    """Makes the loss of this step not a number; the first step is 1."""
    original, count = BatchTrainer.__call__, [0]

    def step(self, images, targets, weights):
        count[0] += 1
        return original(self, images, targets, weights * (np.nan if count[0] == number else 1))

    monkeypatch.setattr(BatchTrainer, "__call__", step)
