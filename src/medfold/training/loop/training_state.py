"""State of a training: saved to its checkpoint, loaded to find the remaining phases, restored to net and callbacks."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from medfold.earlier_versions import HISTORY, with_current_names
from medfold.training.loop.batch_trainer import BatchTrainer
from medfold.training.loop.checkpoint import Checkpoint
from medfold.training.loop.earlier_checkpoints import with_loss_sums, with_validation_name, without_sums
from medfold.training.loop.phases import Phase

# Callbacks of Keras without state between epochs.
STATELESS = ("CSVLogger", "LambdaCallback", "LearningRateScheduler", "TensorBoard", "TerminateOnNaN")


@dataclass
class TrainingState:
    """Progress of a training; with `SavedVariables`, all that is needed to resume it.

    Args:
        history: one row per epoch, of this phase and earlier phases: phase (its name), epoch, learning_rate,
            loss and val_<metric>, the score of the validation images.
        num_batches: number of batches of this phase so far.
        epochs_since_best: number of epochs since the best one.
        best_weights: weights of the best epoch; empty if none are kept.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    num_batches: int = 0
    epochs_since_best: int = 0
    best_weights: list[np.ndarray] = field(default_factory=list)


class SavedVariables(NamedTuple):
    """Variables of a `BatchTrainer` as a checkpoint holds them.

    Args:
        values: values of the variables of net, optimizer and loss.
        updates_before: optimizer updates before the epoch in which they were saved.
    """

    values: list[np.ndarray]
    updates_before: int


def save_state(checkpoint: Checkpoint, batch_trainer: BatchTrainer, state: TrainingState) -> None:
    """Writes variables and state to a checkpoint.

    Args:
        checkpoint: the checkpoint of the phase.
        batch_trainer: holds the variables of net, optimizer and loss, which are saved.
        state: the progress of the phase.
    """
    metadata = {
        "history": state.history,
        "num_batches": state.num_batches,
        "epochs_since_best": state.epochs_since_best,
        "updates_before": batch_trainer.updates_before,
    }
    checkpoint.save([*batch_trainer.values(), *state.best_weights], metadata)


def load_state(checkpoint: Checkpoint, phase: Phase) -> tuple[TrainingState, SavedVariables] | None:
    """Loads the state and the variables of a phase from a checkpoint; None if there is none that matches."""
    saved = checkpoint.load()
    if saved is None:
        return None
    arrays, metadata = saved
    num_variables = len(phase.batch_trainer.variable_specs)
    history = [with_validation_name(with_current_names(row, HISTORY)) for row in metadata["history"]]
    if "losses" in metadata:
        arrays, metadata = with_loss_sums(arrays, metadata, phase, history)
    state = TrainingState(
        history=history,
        num_batches=metadata["num_batches"],
        epochs_since_best=metadata["epochs_since_best"],
        best_weights=arrays[num_variables:],
    )
    return state, SavedVariables(arrays[:num_variables], metadata.get("updates_before", 0))


@dataclass
class RemainingPhase:
    """A phase that is not finished.

    Args:
        phase: the net, its data and its number of epochs.
        checkpoint: saves the state to disk.
        state: the state to start from; it is updated during training.
        saved: the variables to start from, until the training takes them; None to start from the beginning.
        is_resumed: True if the state is from a checkpoint.
    """

    phase: Phase
    checkpoint: Checkpoint
    state: TrainingState
    saved: SavedVariables | None = None
    is_resumed: bool = field(init=False)

    def __post_init__(self):
        self.is_resumed = self.saved is not None

    def take_saved(self) -> SavedVariables | None:
        """Returns the variables to start from, and keeps them no longer: they are as large as net and optimizer."""
        saved, self.saved = self.saved, None
        return saved

    def continuing(self, history: list[dict[str, Any]]) -> "RemainingPhase":
        """Returns the phase with the history of the phases before it; a resumed one has it from its checkpoint."""
        return self if self.is_resumed else replace(self, state=replace(self.state, history=[*history]))

    @property
    def epoch_rows(self) -> list[dict[str, Any]]:
        """The rows of the history that belong to this phase."""
        return [row for row in self.state.history if row["phase"] == self.phase.name]

    @property
    def position(self) -> str:
        """The progress as text: 'head, epoch 2 of 5, step 3'."""
        epoch, step = divmod(self.state.num_batches, self.phase.batches.batches_per_epoch)
        within_epoch = f", step {step}" if step else ""
        return f"{self.phase.prefix}epoch {epoch + 1} of {self.phase.epochs:,}{within_epoch}"


def remaining_phases(phases: list[Phase], path: Path, identity: list[Any], precision: str) -> list[RemainingPhase]:
    """Returns the unfinished phases: from the saved state on, or all if there is no saved state.

    Args:
        phases: the phases of a training, in order.
        path: path of the checkpoint file.
        identity: identifies the training: seed, recipe, rows of the images, plugins.py; the phase is added to it.
        precision: precision of the training: float32, float16 or bfloat16.

    Raises:
        UserError: the state was saved in a different precision.
    """
    remaining = []
    for phase in phases:
        layout = phase.batch_trainer.variable_specs
        checkpoint = Checkpoint(path, [phase.name, *identity], precision, layout, older_layout=without_sums(layout))
        state, saved = load_state(checkpoint, phase) or (TrainingState(), None)
        remaining.append(RemainingPhase(phase, checkpoint, state, saved))
    return remaining[max((number for number, item in enumerate(remaining) if item.is_resumed), default=0) :]


def restore(
    batch_trainer: BatchTrainer,
    saved: SavedVariables,
    num_batches: int,
    callbacks: list[keras.callbacks.Callback],
    logs: list[dict[str, float]],
) -> list[str]:
    """Restores net, optimizer and callbacks to a saved state.

    The past epochs are replayed to callbacks that monitor a score, before the variables are set: this restores their
    counters, and what they changed in the net or optimizer is not changed twice.

    Args:
        batch_trainer: its variables of net, optimizer and loss are set.
        saved: the variables from the checkpoint.
        num_batches: number of batches of the current epoch when they were saved.
        callbacks: the callbacks, after their `on_train_begin`.
        logs: the logs of each epoch so far.

    Returns:
        The names of callbacks whose state could not be restored.
    """
    for callback in callbacks:
        if hasattr(callback, "monitor"):
            for epoch, epoch_logs in enumerate(logs):
                callback.on_epoch_begin(epoch)
                callback.on_epoch_end(epoch, dict(epoch_logs))
    batch_trainer.restore(saved.values, num_batches, saved.updates_before)
    names = {type(callback).__name__ for callback in callbacks if not hasattr(callback, "monitor")}
    return sorted(names - set(STATELESS))
