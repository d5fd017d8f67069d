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
from medfold.models import gpus, resolve_precision
from medfold.scoring import Metric, format_score
from medfold.system.deadline import deadline_passed
from medfold.terminal.command_text import variable
from medfold.terminal.console import EACH_EPOCH, console, say, warn
from medfold.terminal.progress import progress_bar
from medfold.training.batches.batches import Batch
from medfold.training.batches.loader import load_batches
from medfold.training.loop.training_state import RemainingPhase, restore, save_state

READ_INTERVAL_SECONDS = 2.0  # between readings of the loss on a GPU, where each reading waits for the device


class TrainingLoop:
    """Loop over the remaining epochs and batches of one phase.

    Args:
        remaining: the phase, its state and the checkpoint that saves the state.
        training: the settings of the recipe: which weights to keep, and when to stop.
        metric: metric of the competition; its sign decides which epoch is the best.
        compute_score: () -> the score of the net on the validation images.
        callbacks: Keras callbacks; at the end of an epoch they get `loss`, `val_<metric>` and `learning_rate`.
        topic: name of the training on the terminal, such as `fold 0`.
    """

    def __init__(
        self,
        remaining: RemainingPhase,
        training: TrainingSettings,
        metric: Metric,
        compute_score: Callable[[], float],
        callbacks: list[keras.callbacks.Callback],
        topic: str,
    ):
        self._remaining = remaining
        self._phase, self._checkpoint, self._state = remaining.phase, remaining.checkpoint, remaining.state
        self._batch_trainer = self._phase.batch_trainer
        self._batches_per_epoch = self._phase.batches.batches_per_epoch
        self._training = training
        self._metric = metric
        self._compute_score = compute_score
        self._callbacks = keras.callbacks.CallbackList(
            callbacks,
            add_history=False,
            model=self._batch_trainer.net,
            epochs=self._phase.epochs,
            steps=self._batches_per_epoch,
            verbose=0,
        )
        self._topic = topic
        self._reads_every_loss = not gpus()
        self._loss_read_at = time.monotonic()

    def run(self) -> list[dict[str, Any]]:
        """Trains the phase to its end; the net then has its final weights.

        Returns:
            The history: one row per epoch, of this phase and earlier phases.

        Raises:
            UserError: the loss is not a number; or the time limit is reached, after the state is saved.
        """
        self._begin()
        total = self._phase.epochs * self._batches_per_epoch
        # A training that is resumed may have stopped early already: then no batch is left.
        end = self._state.num_batches if self._is_out_of_patience() else total
        batches = load_batches(self._phase.batches, self._state.num_batches, end, self._phase.num_workers, _to_tensors)
        with progress_bar(self._topic, total, "steps", self._state.num_batches, log=False) as bar, closing(batches):
            bar.describe(self._describe_last_epoch())
            for batch in batches:
                self._train_batch(batch)
                bar.advance()
                if self._is_epoch_end():
                    self._end_epoch()
                    bar.describe(self._describe_last_epoch())
                self._save_if_due()
                if self._batch_trainer.net.stop_training or self._is_out_of_patience():
                    break
        self._callbacks.on_train_end()
        self._use_final_weights()
        return self._state.history

    def _begin(self) -> None:
        """Tells the callbacks that the training begins, as `fit` does; restores the state of a resumed training."""
        self._batch_trainer.net.stop_training = False
        self._callbacks.on_train_begin()
        saved = self._remaining.take_saved()
        if saved is None:
            return
        past_logs = [self._logs(row) for row in self._remaining.epoch_rows]
        num_batches = self._state.num_batches % self._batches_per_epoch  # so far in the current epoch
        if unrestored := restore(self._batch_trainer, saved, num_batches, self._callbacks.callbacks, past_logs):
            what = f"the state of {', '.join(unrestored)} is lost"
            warn(self._topic, f"{what}: the result may differ from that of an uninterrupted training")

    def _train_batch(self, batch: list) -> None:
        """Trains on one batch, and tells the callbacks."""
        epoch, step = divmod(self._state.num_batches, self._batches_per_epoch)
        if step == 0:
            self._batch_trainer.begin_epoch()
            self._callbacks.on_epoch_begin(epoch)
        self._callbacks.on_train_batch_begin(step)
        self._batch_trainer(*batch)
        self._callbacks.on_train_batch_end(step)
        self._state.num_batches += 1
        if self._reads_every_loss or time.monotonic() - self._loss_read_at > READ_INTERVAL_SECONDS:
            self._check_loss()

    def _is_epoch_end(self) -> bool:
        return self._state.num_batches % self._batches_per_epoch == 0

    def _check_loss(self) -> None:
        """Checks that the loss is a number."""
        self._loss_read_at = time.monotonic()
        if self._batch_trainer.has_diverged(self._batches_per_epoch):
            epoch, step = divmod(self._state.num_batches - 1, self._batches_per_epoch)
            what = f"the loss is not a number at {self._phase.prefix}epoch {epoch + 1}, step {step + 1}"
            raise UserError(what, self._topic, self._advice_on_divergence())

    def _advice_on_divergence(self) -> str:
        """Returns what to do about a loss that is not a number."""
        key = "head_learning_rate" if self._phase.trains_head_only else "learning_rate"
        advice = f"Lower training.{key}"
        if resolve_precision(self._training.precision) == "float32":
            return advice
        return f"{advice}, or try {variable('SET', 'training.precision=float32')}"

    def _end_epoch(self) -> None:
        """Scores the averaged weights, keeps them if they are the best so far, and adds a row to the history."""
        self._check_loss()
        epoch = len(self._remaining.epoch_rows) + 1
        if overflowed := self._batch_trainer.num_overflowed():
            what = f"{overflowed} of {self._batches_per_epoch} steps of epoch {epoch} overflowed and were left out"
            warn(self._topic, f"{what}: loss or gradients were not finite")
        rate = float(keras.ops.convert_to_numpy(self._batch_trainer.net.optimizer.learning_rate))
        loss = self._batch_trainer.loss()
        with self._batch_trainer.averaged_weights():
            score = self._compute_score()
            if self._training.keep == "best":
                self._keep_best(score)
        row = {
            "phase": self._phase.name,
            "epoch": epoch,
            "learning_rate": rate,
            "loss": loss,
            self._metric.validation_name: score,
        }
        self._state.history.append(row)
        self._callbacks.on_epoch_end(epoch - 1, self._logs(row))
        self._report(epoch)

    def _keep_best(self, score: float) -> None:
        """Keeps the weights of the best epoch; epochs with an undefined score are ignored."""
        if np.isnan(score):
            return
        sign = self._metric.sign
        previous = [sign * row[self._metric.validation_name] for row in self._remaining.epoch_rows]
        if not self._state.best_weights or sign * score > np.nanmax([-np.inf, *previous]):
            self._state.best_weights = self._batch_trainer.net.get_weights()
            self._state.epochs_since_best = 0
        else:
            self._state.epochs_since_best += 1

    def _save_if_due(self) -> None:
        """Saves the state now and then, and when the time limit is reached: then an error ends the training."""
        is_out_of_time = deadline_passed()
        if is_out_of_time or self._checkpoint.is_due(self._is_epoch_end()):
            self._check_loss()
            save_state(self._checkpoint, self._batch_trainer, self._state)
        if is_out_of_time:
            fix = "Run the same command again to continue"
            raise UserError(f"the time is up at {self._remaining.position}", self._topic, fix)

    def _is_out_of_patience(self) -> bool:
        """Returns True if the score has not improved for `training.patience` epochs."""
        patience = self._training.patience
        return bool(patience) and self._state.epochs_since_best >= patience

    def _use_final_weights(self) -> None:
        """Gives the net the weights of the best epoch if they were kept, else the averaged weights of the last one."""
        if self._state.best_weights:
            self._batch_trainer.net.set_weights(self._state.best_weights)
            return
        if self._training.keep == "best":
            warn(self._topic, f"{self._metric.title} was undefined after every epoch: the last epoch is kept")
        self._batch_trainer.use_averaged_weights()

    def _logs(self, row: dict[str, Any]) -> dict[str, float]:
        """Returns the logs of an epoch for callbacks, with the names that `fit` uses."""
        return {name: row[name] for name in ("loss", self._metric.validation_name, "learning_rate")}

    def _describe_last_epoch(self) -> str:
        """Formats the last epoch of the phase: number, loss and score."""
        if not (rows := self._remaining.epoch_rows):
            return ""
        last = rows[-1]
        score = f"{self._metric.title} {format_score(last[self._metric.validation_name], 3)}"
        return f"{self._phase.prefix}epoch {last['epoch']}/{self._phase.epochs}  loss {last['loss']:.3f}  {score}"

    def _report(self, epoch: int) -> None:
        """Reports about four epochs of a training; every epoch if another process draws the progress bar."""
        every = 1 if os.environ.get(EACH_EPOCH) else -(-self._phase.epochs // 4)
        if not console.is_terminal and epoch % every == 0 and epoch < self._phase.epochs:
            say(self._topic, self._describe_last_epoch())


def _to_tensors(batch: Batch) -> list:
    """Copies a batch to the device, because its memory is reused for the next batch."""
    return [keras.ops.convert_to_tensor(np.array(array)) for array in batch]
