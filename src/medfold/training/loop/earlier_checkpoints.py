"""Checkpoints of earlier versions: losses of the epoch as a list, not as sum and number; other names of the score."""

from typing import Any

import numpy as np

from medfold.training.loop.phases import Phase

NAMES_BESIDE_SCORE = ("phase", "epoch", "learning_rate", "loss")  # the other keys of an epoch in the history
NUM_SUMS = 2  # sum and number of the losses: the last variables of a `BatchTrainer`


def without_sums(variable_specs: list[str]) -> list[str]:
    """Returns the variables that earlier versions saved, of all that are saved now."""
    return variable_specs[:-NUM_SUMS]


def with_loss_sums(
    arrays: list[np.ndarray], metadata: dict[str, Any], phase: Phase, history: list[dict[str, Any]]
) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Returns arrays and metadata of an earlier version as they are saved now.

    Args:
        arrays: the variables without the sums, and the best weights.
        metadata: metadata with the losses of the epoch, and without the number of batches.
        phase: the phase that was saved.
        history: one row per finished epoch, of this phase and earlier phases.
    """
    losses = np.array(metadata["losses"], np.float32)
    sums = [np.float32(np.nansum(losses)), np.float32(np.isfinite(losses).sum())]
    num_before = len(phase.batch_trainer.variable_specs) - NUM_SUMS
    num_epochs = sum(row["phase"] == phase.name for row in history)
    num_batches = num_epochs * phase.batches.batches_per_epoch + len(losses)
    return [*arrays[:num_before], *sums, *arrays[num_before:]], {**metadata, "num_batches": num_batches}


def with_validation_name(row: dict[str, Any]) -> dict[str, Any]:
    """Returns an epoch of the history with the score as `val_<metric>`; earlier versions had the metric's bare name."""
    return {
        name if name in NAMES_BESIDE_SCORE or name.startswith("val_") else f"val_{name}": value
        for name, value in row.items()
    }
