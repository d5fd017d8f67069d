"""Saving and resuming a phase: variables, history and callbacks as they were."""

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from medfold.training.checkpoint import Checkpoint
from medfold.training.phases import Phase
from medfold.training.step import TrainingStep

SUMS = 2  # variables at the end of a layout, with the loss of the epoch; earlier versions kept a list of losses
# Callbacks of Keras that keep nothing from one epoch to the next.
STATELESS = ("CSVLogger", "LambdaCallback", "LearningRateScheduler", "TensorBoard", "TerminateOnNaN")


@dataclass
class TrainingState:
    """How far a training is; with the variables of a `TrainingStep`, all that it needs to go on.

    Args:
        history: a row per epoch: part, epoch, learning_rate, loss, the score; of this phase and those before it.
        step: batches of this phase so far.
        since_best: epochs since the best one.
        best_weights: of the best epoch; empty if none is kept.
        variables: of the step, to be restored when the phase begins; None if it begins anew.
        updates_before: updates of the optimizer before the epoch that is under way.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    step: int = 0
    since_best: int = 0
    best_weights: list[np.ndarray] = field(default_factory=list)
    variables: list[np.ndarray] | None = None
    updates_before: int = 0


def save_state(checkpoint: Checkpoint, step: TrainingStep, state: TrainingState) -> None:
    """Writes variables and state into a checkpoint."""
    facts = {
        "history": state.history,
        "step": state.step,
        "since_best": state.since_best,
        "updates_before": step.updates_before,
    }
    checkpoint.save([*step.values(), *state.best_weights], facts)


def load_state(checkpoint: Checkpoint, phase: Phase) -> TrainingState | None:
    """The state of a phase that a checkpoint holds; None if it holds none that fits."""
    saved = checkpoint.load()
    if saved is None:
        return None
    arrays, facts = saved
    own = len(phase.step.layout)
    if "losses" in facts:  # of an earlier version: without the sums of losses among the variables
        losses = np.array(facts["losses"], np.float32)
        sums = [np.float32(np.nansum(losses)), np.float32(np.isfinite(losses).sum())]
        arrays = [*arrays[: own - SUMS], *sums, *arrays[own - SUMS :]]
        facts["step"] = sum(row["part"] == phase.name for row in facts["history"]) * phase.batches.steps + len(losses)
    return TrainingState(
        history=facts["history"],
        step=facts["step"],
        since_best=facts["since_best"],
        best_weights=arrays[own:],
        variables=arrays[:own],
        updates_before=facts.get("updates_before", 0),
    )


def restore(
    step: TrainingStep,
    state: TrainingState,
    steps_per_epoch: int,
    callbacks: list[keras.callbacks.Callback],
    logs: list[dict[str, float]],
) -> list[str]:
    """Brings net, optimizer and callbacks to where a state was saved.

    Callbacks that watch a score are shown the epochs again, before the variables are set: so their counts are as they
    were, and what they changed is not changed twice.

    Args:
        callbacks: begun.
        logs: what they saw at the end of each epoch so far.

    Returns:
        The names of callbacks whose state could not be restored.
    """
    for callback in callbacks:
        if hasattr(callback, "monitor"):
            for epoch, seen in enumerate(logs):
                callback.on_epoch_begin(epoch)
                callback.on_epoch_end(epoch, dict(seen))
    step.restore(state.variables, state.step % steps_per_epoch, state.updates_before)
    names = {type(each).__name__ for each in callbacks if not hasattr(each, "monitor")}
    return sorted(names - set(STATELESS))
