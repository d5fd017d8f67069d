"""The training loop: one phase of a fold, from its first batch or a checkpoint to its final weights."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import keras
import numpy as np

from medfold.competition import TrainingSettings
from medfold.console import EACH_EPOCH, console, say, warn
from medfold.errors import UserError
from medfold.models import gpus
from medfold.processes import deadline_passed
from medfold.progress import progress_bar
from medfold.scoring import Metric, score_in_words
from medfold.training.checkpoint import Checkpoint
from medfold.training.loader import load_batches
from medfold.training.mixup import Batch
from medfold.training.phases import Phase
from medfold.training.resume import TrainingState, restore, save_state

READ_EVERY = 2.0  # seconds between two looks at the loss where a look waits for a GPU


def train(
    phase: Phase,
    choices: TrainingSettings,
    metric: Metric,
    score: Callable[[], float],
    state: TrainingState,
    checkpoint: Checkpoint,
    callbacks: list[keras.callbacks.Callback],
    topic: str,
) -> None:
    """Trains from where `state` stands to the end; the net then has its final weights.

    Args:
        phase: what is trained, on what, how long.
        choices: what to keep, and when to stop.
        metric: of the competition.
        score: () -> the score of the net on the held-out fold.
        state: where to begin; changed as the training goes on.
        checkpoint: keeps the state on disk.
        callbacks: Keras callbacks; they see `loss`, `val_<metric>` and `learning_rate` at the end of an epoch.
        topic: what to call it on the terminal, such as `fold 0`.

    Raises:
        UserError: a loss that is not a number; the time is up, and the state is saved.
    """
    step, batches, total = phase.step, phase.batches, phase.epochs * phase.batches.steps
    every = keras.callbacks.CallbackList(
        callbacks, add_history=False, model=step.model, epochs=phase.epochs, steps=batches.steps, verbose=0
    )
    step.model.stop_training = False
    every.on_train_begin()
    if state.variables is not None:
        seen = [_logs(row, metric) for row in own_rows(state, phase)]
        if inexact := restore(step, state, batches.steps, callbacks, seen):
            warn(topic, f"what {', '.join(inexact)} kept is lost: not exactly as if it had never stopped")
    looks_at_each_step, looked = not gpus(), time.monotonic()
    source = load_batches(batches, state.step, total, phase.workers, _to_tensors)
    with progress_bar(topic, total, "steps", state.step, log=False) as bar, closing(source):
        bar.describe(_last_epoch(state, phase, metric))
        for batch in source if not _has_stopped(state, choices) else []:
            epoch, position = divmod(state.step, batches.steps)
            if position == 0:
                step.begin_epoch()
                every.on_epoch_begin(epoch)
            every.on_train_batch_begin(position)
            step(*batch)
            every.on_train_batch_end(position)
            state.step += 1
            bar.advance()

            ends, late = position + 1 == batches.steps, deadline_passed()
            saves = late or checkpoint.due(ends)
            if ends or saves or looks_at_each_step or time.monotonic() - looked > READ_EVERY:
                looked = time.monotonic()
                if step.diverged(batches.steps):
                    raise _not_a_number(phase, epoch, position, topic)
            if ends:
                row = _end_epoch(phase, choices, metric, score, state, topic)
                every.on_epoch_end(epoch, _logs(row, metric))
                bar.describe(_last_epoch(state, phase, metric))
                _tell_epoch(state, phase, metric, topic)
            if saves:
                save_state(checkpoint, step, state)
            if late:
                fix = "The same command goes on from there"
                raise UserError(f"the time is up at {position_in_words(state, phase)}", topic, fix)
            if step.model.stop_training or _has_stopped(state, choices):
                break
    every.on_train_end()
    if state.best_weights:
        step.model.set_weights(state.best_weights)
    else:
        if choices.keep == "best":
            warn(topic, f"{metric.title} was undefined after every epoch: the last epoch is kept")
        step.use_averaged_weights()


def own_rows(state: TrainingState, phase: Phase) -> list[dict[str, Any]]:
    """The rows of the history that are of a phase."""
    return [row for row in state.history if row["part"] == phase.name]


def position_in_words(state: TrainingState, phase: Phase) -> str:
    """'head, epoch 2, step 3 of 5 epochs': how far a phase is."""
    epoch, position = divmod(state.step, phase.batches.steps)
    step = f", step {position}" if position else ""
    return f"{phase.prefix}epoch {epoch + 1}{step} of {phase.epochs} epochs"


def _end_epoch(
    phase: Phase,
    choices: TrainingSettings,
    metric: Metric,
    score: Callable[[], float],
    state: TrainingState,
    topic: str,
) -> dict[str, Any]:
    """Scores the averaged weights, keeps them if they are the best so far, and adds a row to the history."""
    step, epoch = phase.step, len(own_rows(state, phase)) + 1
    if left_out := step.left_out():
        what = f"{left_out} of {phase.batches.steps} steps of epoch {epoch} overflowed and were left out"
        warn(topic, f"{what}: loss or gradients were not finite")
    rate = float(keras.ops.convert_to_numpy(step.model.optimizer.learning_rate))
    loss = step.loss()
    with step.averaged_weights():
        value = score()
        if choices.keep == "best":
            _keep_best(state, phase, metric, value)
    row = {"part": phase.name, "epoch": epoch, "learning_rate": rate, "loss": loss, metric.name: value}
    state.history.append(row)
    return row


def _keep_best(state: TrainingState, phase: Phase, metric: Metric, value: float) -> None:
    """Keeps the weights of the best epoch; one whose score is undefined is neither good nor bad."""
    if np.isnan(value):
        return
    before = [metric.sign * row[metric.name] for row in own_rows(state, phase)]
    if not state.best_weights or metric.sign * value > np.nanmax([-np.inf, *before]):
        state.best_weights, state.since_best = phase.step.model.get_weights(), 0
    else:
        state.since_best += 1


def _has_stopped(state: TrainingState, choices: TrainingSettings) -> bool:
    return bool(choices.patience) and state.since_best >= choices.patience


def _to_tensors(batch: Batch) -> list:
    """Copies a batch to the device: its memory is used again for the next."""
    return [keras.ops.convert_to_tensor(np.array(part)) for part in batch]


def _logs(row: dict[str, Any], metric: Metric) -> dict[str, float]:
    """What callbacks see of an epoch, named as `fit` names it."""
    return {"loss": row["loss"], f"val_{metric.name}": row[metric.name], "learning_rate": row["learning_rate"]}


def _last_epoch(state: TrainingState, phase: Phase, metric: Metric) -> str:
    if not (own := own_rows(state, phase)):
        return ""
    last = own[-1]
    score = f"{metric.title} {score_in_words(last[metric.name], 3)}"
    return f"{phase.prefix}epoch {last['epoch']}/{phase.epochs}  loss {last['loss']:.3f}  {score}"


def _tell_epoch(state: TrainingState, phase: Phase, metric: Metric, topic: str) -> None:
    """A line for four epochs of a training; for each where somebody else draws the bar."""
    epoch = len(own_rows(state, phase))
    every = 1 if os.environ.get(EACH_EPOCH) else -(-phase.epochs // 4)
    if not console.is_terminal and epoch % every == 0 and epoch < phase.epochs:
        say(topic, _last_epoch(state, phase, metric))


def _not_a_number(phase: Phase, epoch: int, position: int, topic: str) -> UserError:
    where = f"{phase.prefix}epoch {epoch + 1}, step {position + 1}"
    fix = "Lower training.learning_rate, or look for broken images"
    return UserError(f"the loss is not a number at {where}", topic, fix)
