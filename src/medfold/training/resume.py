"""Saving and resuming a phase: variables, history and callbacks."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from medfold.training.checkpoint import Checkpoint
from medfold.training.phases import Phase
from medfold.training.step import TrainingStep

NUM_SUMS = (
    2  # variables at the end of a layout, for the mean loss of the epoch; earlier versions saved a list of losses
)
# Callbacks of Keras without state between epochs.
STATELESS = ("CSVLogger", "LambdaCallback", "LearningRateScheduler", "TensorBoard", "TerminateOnNaN")


@dataclass
class TrainingState:
    """Progress of a training; with the variables of a `TrainingStep`, all that is needed to resume it.

    Args:
        history: one row per epoch: part, epoch, learning_rate, loss, the score; of this phase and those before it.
        num_steps: number of batches of this phase so far.
        since_best: epochs since the best one.
        best_weights: of the best epoch; empty if none are kept.
        variables: those of the `TrainingStep`, to be restored when the phase starts; None to start from the beginning.
        updates_before: optimizer updates before the current epoch.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    num_steps: int = 0
    since_best: int = 0
    best_weights: list[np.ndarray] = field(default_factory=list)
    variables: list[np.ndarray] | None = None
    updates_before: int = 0


def save_state(checkpoint: Checkpoint, training_step: TrainingStep, state: TrainingState) -> None:
    """Writes variables and state to a checkpoint."""
    metadata = {
        "history": state.history,
        "step": state.num_steps,
        "since_best": state.since_best,
        "updates_before": training_step.updates_before,
    }
    checkpoint.save([*training_step.values(), *state.best_weights], metadata)


def load_state(checkpoint: Checkpoint, phase: Phase) -> TrainingState | None:
    """Loads the state of a phase from a checkpoint; None if there is none that matches."""
    saved = checkpoint.load()
    if saved is None:
        return None
    arrays, metadata = saved
    num_variables = len(phase.training_step.layout)
    if "losses" in metadata:  # saved by an earlier version, which had no sums of losses among the variables
        losses = np.array(metadata["losses"], np.float32)
        sums = [np.float32(np.nansum(losses)), np.float32(np.isfinite(losses).sum())]
        arrays = [*arrays[: num_variables - NUM_SUMS], *sums, *arrays[num_variables - NUM_SUMS :]]
        num_epochs = sum(row["part"] == phase.name for row in metadata["history"])
        metadata["step"] = num_epochs * phase.batches.steps_per_epoch + len(losses)
    return TrainingState(
        history=metadata["history"],
        num_steps=metadata["step"],
        since_best=metadata["since_best"],
        best_weights=arrays[num_variables:],
        variables=arrays[:num_variables],
        updates_before=metadata.get("updates_before", 0),
    )


class RemainingPhase(NamedTuple):
    """A phase that is not finished.

    Args:
        phase: the phase.
        checkpoint: saves its state.
        state: the state to resume from; None to start the phase.
    """

    phase: Phase
    checkpoint: Checkpoint
    state: TrainingState | None


def remaining_phases(phases: list[Phase], path: Path, identity: list[Any], precision: str) -> list[RemainingPhase]:
    """Returns the phases that are not finished, from the one that the saved state belongs to; all without one.

    Args:
        phases: the phases of a training, in order.
        path: path of the checkpoint file.
        identity: identifies the training: seed, recipe, images.
        precision: precision of the training: float32, float16 or bfloat16.

    Raises:
        UserError: the state was saved in another precision.
    """
    remaining = []
    for phase in phases:
        layout = phase.training_step.layout
        checkpoint = Checkpoint(path, [phase.name, *identity], precision, layout, older_layout=layout[:-NUM_SUMS])
        remaining.append(RemainingPhase(phase, checkpoint, load_state(checkpoint, phase)))
    return remaining[max((number for number, item in enumerate(remaining) if item.state), default=0) :]


def restore(
    training_step: TrainingStep,
    state: TrainingState,
    steps_per_epoch: int,
    callbacks: list[keras.callbacks.Callback],
    logs: list[dict[str, float]],
) -> list[str]:
    """Restores net, optimizer and callbacks to a saved state.

    The past epochs are replayed to callbacks that monitor a score, before the variables are set: this restores their
    counters, and what they changed in the net or optimizer is not changed twice.

    Args:
        callbacks: after `on_train_begin`.
        logs: the logs of each epoch so far.

    Returns:
        The names of callbacks whose state could not be restored.
    """
    for callback in callbacks:
        if hasattr(callback, "monitor"):
            for epoch, epoch_logs in enumerate(logs):
                callback.on_epoch_begin(epoch)
                callback.on_epoch_end(epoch, dict(epoch_logs))
    training_step.restore(state.variables, state.num_steps % steps_per_epoch, state.updates_before)
    names = {type(callback).__name__ for callback in callbacks if not hasattr(callback, "monitor")}
    return sorted(names - set(STATELESS))
