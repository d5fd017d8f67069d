"""Trainings that end as by a power failure."""

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
