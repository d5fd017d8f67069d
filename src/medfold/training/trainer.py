"""Training loop of one phase of a fold, from its first batch or a checkpoint to the final weights."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import keras
import numpy as np

from medfold.competition import TrainingSettings
from medfold.errors import UserError
from medfold.models import gpus
from medfold.scoring import Metric, format_score
from medfold.system.processes import deadline_passed
from medfold.terminal.console import EACH_EPOCH, console, say, warn
from medfold.terminal.progress import progress_bar
from medfold.training.batch_trainer import BatchTrainer
from medfold.training.loader import load_batches
from medfold.training.mixup import Batch
from medfold.training.phases import Phase
from medfold.training.resume import RemainingPhase, TrainingState, restore, save_state

READ_INTERVAL_SECONDS = 2.0  # between readings of the loss on a GPU, where each reading waits for the device


def train(
    remaining: RemainingPhase,
    training: TrainingSettings,
    metric: Metric,
    compute_score: Callable[[], float],
    callbacks: list[keras.callbacks.Callback],
    topic: str,
) -> None:
    """Trains a phase from its state to the end; the net then has its final weights.

    Args:
        remaining: the phase, its state and the checkpoint that saves the state.
        training: the settings of the recipe: which weights to keep, and when to stop.
        metric: metric of the competition; its sign decides which epoch is the best.
        compute_score: () -> the score of the net on the held-out fold.
        callbacks: Keras callbacks; at the end of an epoch they get `loss`, `val_<metric>` and `learning_rate`.
        topic: name of the training on the terminal, such as `fold 0`.

    Raises:
        UserError: the loss is not a number; or the time limit is reached, after the state is saved.
    """
    phase, checkpoint, state = remaining
    batch_trainer, batches = phase.batch_trainer, phase.batches
    total_batches = phase.epochs * batches.batches_per_epoch
    callback_list = _begin_callbacks(callbacks, phase)
    if remaining.is_resumed:
        _resume(phase, state, metric, callbacks, topic)
    # A training that is resumed may have stopped early already: then no batch is left.
    end = state.num_batches if _is_out_of_patience(state, training) else total_batches
    loaded_batches = load_batches(batches, state.num_batches, end, phase.num_workers, _to_tensors)
    reads_every_loss = not gpus()
    loss_read_at = time.monotonic()
    with progress_bar(topic, total_batches, "steps", state.num_batches, log=False) as bar, closing(loaded_batches):
        bar.describe(_describe_last_epoch(state, phase, metric))
        for batch in loaded_batches:
            epoch, step = divmod(state.num_batches, batches.batches_per_epoch)
            if step == 0:
                batch_trainer.begin_epoch()
                callback_list.on_epoch_begin(epoch)
            callback_list.on_train_batch_begin(step)
            batch_trainer(*batch)
            callback_list.on_train_batch_end(step)
            state.num_batches += 1
            bar.advance()

            is_epoch_end = step + 1 == batches.batches_per_epoch
            is_out_of_time = deadline_passed()
            must_save = is_out_of_time or checkpoint.is_due(is_epoch_end)
            reads_loss = reads_every_loss or time.monotonic() - loss_read_at > READ_INTERVAL_SECONDS
            if reads_loss or is_epoch_end or must_save:
                loss_read_at = time.monotonic()
                if batch_trainer.has_diverged(batches.batches_per_epoch):
                    raise _not_a_number(phase, epoch, step, topic)
            if is_epoch_end:
                row = _end_epoch(phase, training, metric, compute_score, state, topic)
                callback_list.on_epoch_end(epoch, _logs(row, metric))
                bar.describe(_describe_last_epoch(state, phase, metric))
                _report_epoch(state, phase, metric, topic)
            if must_save:
                save_state(checkpoint, batch_trainer, state)
            if is_out_of_time:
                fix = "Run the same command to resume"
                raise UserError(f"the time is up at {format_position(state, phase)}", topic, fix)
            if batch_trainer.model.stop_training or _is_out_of_patience(state, training):
                break
    callback_list.on_train_end()
    if training.keep == "best" and not state.best_weights:
        warn(topic, f"{metric.title} was undefined after every epoch: the last epoch is kept")
    _use_final_weights(batch_trainer, state)


def _resume(
    phase: Phase, state: TrainingState, metric: Metric, callbacks: list[keras.callbacks.Callback], topic: str
) -> None:
    """Restores net, optimizer and callbacks; warns of callbacks whose state is lost."""
    past_logs = [_logs(row, metric) for row in rows_of_phase(state, phase)]
    if unrestored := restore(phase.batch_trainer, state, phase.batches.batches_per_epoch, callbacks, past_logs):
        what = f"the state of {', '.join(unrestored)} is lost"
        warn(topic, f"{what}: the result may differ from that of an uninterrupted training")


def _begin_callbacks(callbacks: list[keras.callbacks.Callback], phase: Phase) -> keras.callbacks.CallbackList:
    """Connects callbacks to the net of a phase, as `fit` does, and tells them that the training begins."""
    model = phase.batch_trainer.model
    model.stop_training = False
    callback_list = keras.callbacks.CallbackList(
        callbacks,
        add_history=False,
        model=model,
        epochs=phase.epochs,
        steps=phase.batches.batches_per_epoch,
        verbose=0,
    )
    callback_list.on_train_begin()
    return callback_list


def _use_final_weights(batch_trainer: BatchTrainer, state: TrainingState) -> None:
    """Gives the net the weights of the best epoch if they were kept, else the averaged weights of the last one."""
    if state.best_weights:
        batch_trainer.model.set_weights(state.best_weights)
    else:
        batch_trainer.use_averaged_weights()


def rows_of_phase(state: TrainingState, phase: Phase) -> list[dict[str, Any]]:
    """Returns the rows of the history that belong to a phase; their column `phase` is its name."""
    return [row for row in state.history if row["phase"] == phase.name]


def format_position(state: TrainingState, phase: Phase) -> str:
    """Formats the progress of a phase: 'head, epoch 2 of 5, step 3'."""
    epoch, step = divmod(state.num_batches, phase.batches.batches_per_epoch)
    within_epoch = f", step {step}" if step else ""
    return f"{phase.prefix}epoch {epoch + 1} of {phase.epochs:,}{within_epoch}"


def _end_epoch(
    phase: Phase,
    training: TrainingSettings,
    metric: Metric,
    compute_score: Callable[[], float],
    state: TrainingState,
    topic: str,
) -> dict[str, Any]:
    """Scores the averaged weights, keeps them if they are the best so far, and adds a row to the history."""
    batch_trainer = phase.batch_trainer
    epoch = len(rows_of_phase(state, phase)) + 1
    if overflowed := batch_trainer.num_overflowed():
        what = f"{overflowed} of {phase.batches.batches_per_epoch} steps of epoch {epoch} overflowed and were left out"
        warn(topic, f"{what}: loss or gradients were not finite")
    rate = float(keras.ops.convert_to_numpy(batch_trainer.model.optimizer.learning_rate))
    loss = batch_trainer.loss()
    with batch_trainer.averaged_weights():
        value = compute_score()
        if training.keep == "best":
            _keep_best(state, phase, metric, value)
    row = {"phase": phase.name, "epoch": epoch, "learning_rate": rate, "loss": loss, metric.name: value}
    state.history.append(row)
    return row


def _keep_best(state: TrainingState, phase: Phase, metric: Metric, value: float) -> None:
    """Keeps the weights of the best epoch; epochs with an undefined score are ignored."""
    if np.isnan(value):
        return
    previous = [metric.sign * row[metric.name] for row in rows_of_phase(state, phase)]
    if not state.best_weights or metric.sign * value > np.nanmax([-np.inf, *previous]):
        state.best_weights = phase.batch_trainer.model.get_weights()
        state.epochs_since_best = 0
    else:
        state.epochs_since_best += 1


def _is_out_of_patience(state: TrainingState, training: TrainingSettings) -> bool:
    """Returns True if the score has not improved for `training.patience` epochs."""
    return bool(training.patience) and state.epochs_since_best >= training.patience


def _to_tensors(batch: Batch) -> list:
    """Copies a batch to the device, because its memory is reused for the next batch."""
    return [keras.ops.convert_to_tensor(np.array(array)) for array in batch]


def _logs(row: dict[str, Any], metric: Metric) -> dict[str, float]:
    """Returns the logs of an epoch for callbacks, with the names that `fit` uses."""
    return {"loss": row["loss"], f"val_{metric.name}": row[metric.name], "learning_rate": row["learning_rate"]}


def _describe_last_epoch(state: TrainingState, phase: Phase, metric: Metric) -> str:
    """Formats the last epoch of a phase: number, loss and score."""
    if not (rows := rows_of_phase(state, phase)):
        return ""
    last = rows[-1]
    score = f"{metric.title} {format_score(last[metric.name], 3)}"
    return f"{phase.prefix}epoch {last['epoch']}/{phase.epochs}  loss {last['loss']:.3f}  {score}"


def _report_epoch(state: TrainingState, phase: Phase, metric: Metric, topic: str) -> None:
    """Reports about four epochs of a training; every epoch if another process draws the progress bar."""
    epoch = len(rows_of_phase(state, phase))
    every = 1 if os.environ.get(EACH_EPOCH) else -(-phase.epochs // 4)
    if not console.is_terminal and epoch % every == 0 and epoch < phase.epochs:
        say(topic, _describe_last_epoch(state, phase, metric))


def _not_a_number(phase: Phase, epoch: int, step: int, topic: str) -> UserError:
    where = f"{phase.prefix}epoch {epoch + 1}, step {step + 1}"
    fix = "Lower training.learning_rate, or set training.precision=float32"
    return UserError(f"the loss is not a number at {where}", topic, fix)
