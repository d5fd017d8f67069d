"""The course of a training: its steps, the held-out fold scored after each epoch, its state saved now and then."""

import os
from collections.abc import Callable
from contextlib import closing

import keras
import numpy as np
import tensorflow as tf

from medfold.competition.recipe import Training
from medfold.console import EACH_EPOCH, console, progress, say, warn
from medfold.errors import UserError
from medfold.processes import deadline_passed
from medfold.scoring.bootstrap import shown
from medfold.scoring.metric import Metric
from medfold.training.batches import TrainingBatches
from medfold.training.checkpoint import Checkpoint
from medfold.training.loader import load_batches
from medfold.training.step import Learner

IN_A_ROW = 10  # steps that overflow before a training ends, or those of an epoch, if it has fewer


class Course:
    """The course of one training.

    Args:
        choices: what to keep, and when to stop.
        part: of the training: head or all; stands in the history.
        epochs: how many.
        steps: batches per epoch.
        learner: what learns.
        metric: of the competition.
        score: () -> the score of the learner's net on the held-out fold.
        topic: what to call it on the terminal, such as `fold 0`.
    """

    def __init__(
        self,
        choices: Training,
        part: str,
        epochs: int,
        steps: int,
        learner: Learner,
        metric: Metric,
        score: Callable[[], float],
        topic: str,
    ):
        self._choices, self._part, self._epochs, self._steps = choices, part, epochs, steps
        self._learner, self._metric, self._score, self._topic = learner, metric, score, topic
        self.history: list[dict] = []  # of this part and those before it
        self._losses: list[float] = []  # of the present epoch
        self._best_weights: list[np.ndarray] = []
        self._since_best = 0

    def run(self, pipeline: TrainingBatches, checkpoint: Checkpoint, processes: int) -> None:
        """Trains from where it stands to the end; the net then has its final weights.

        Args:
            processes: that make batches.

        Raises:
            UserError: a loss that is not a number; the time is up, and the state is saved.
        """
        done = len(self._own) * self._steps + len(self._losses)
        total = self._epochs * self._steps
        batches = load_batches(pipeline, done, total, processes, lambda batch: [tf.constant(part) for part in batch])
        with progress("steps") as bar, closing(batches):
            line = bar.add_task(self._told(), stage=self._topic, total=total, completed=done)
            for batch in batches if not self._stopped else []:
                self._losses.append(self._learner.step(*batch))
                if np.isnan(self._losses[-1]):
                    self._refuse_nan()
                bar.advance(line)
                ends = len(self._losses) == self._steps
                if ends:
                    self._end_epoch()
                    bar.update(line, description=self._told())
                up = deadline_passed()
                if up or checkpoint.due(ends):
                    self._save(checkpoint)
                if up:
                    fix = "The same command goes on from there"
                    raise UserError(f"the time is up at {self.stands}", self._topic, fix)
                if self._stopped:
                    break
        if self._best_weights:
            self._learner.model.set_weights(self._best_weights)
        else:
            if self._choices.keep == "best":
                warn(self._topic, f"{self._metric.title} was undefined after every epoch: the last epoch is kept")
            self._learner.optimizer.finalize_variable_values(self._learner.model.trainable_variables)

    @property
    def stands(self) -> str:
        """Where it stands, for people."""
        step = f", step {len(self._losses)}" if self._losses else ""
        return f"{self._prefix}epoch {len(self._own) + 1}{step} of {self._epochs} epochs"

    @property
    def _own(self) -> list[dict]:
        return [row for row in self.history if row["part"] == self._part]

    @property
    def _prefix(self) -> str:
        return "head, " if self._part == "head" else ""

    @property
    def _stopped(self) -> bool:
        return bool(self._choices.patience) and self._since_best >= self._choices.patience

    def _end_epoch(self) -> None:
        rate = float(keras.ops.convert_to_numpy(self._learner.optimizer.learning_rate))
        loss, left_out = float(np.nanmean(self._losses)), int(np.isnan(self._losses).sum())
        if left_out:
            what = f"{left_out} of {self._steps} steps of epoch {len(self._own) + 1} overflowed and were left out"
            warn(self._topic, f"{what}: loss or gradients were not finite")
        self._losses = []
        with self._learner.averaged():
            score = self._score()
            if self._choices.keep == "best":
                self._keep_best(score)
        epoch = len(self._own) + 1
        self.history.append(
            {"part": self._part, "epoch": epoch, "learning_rate": rate, "loss": loss, self._metric.name: score}
        )
        every = 1 if os.environ.get(EACH_EPOCH) else -(-self._epochs // 4)
        if not console.is_terminal and epoch % every == 0 and epoch < self._epochs:
            say(self._topic, self._told())

    def _keep_best(self, score: float) -> None:
        """Keeps the weights of the best epoch; one whose score is undefined is neither good nor bad."""
        if np.isnan(score):
            return
        before = [self._metric.sign * row[self._metric.name] for row in self._own]
        if not self._best_weights or self._metric.sign * score > np.nanmax([-np.inf, *before]):
            self._best_weights, self._since_best = self._learner.model.get_weights(), 0
        else:
            self._since_best += 1

    def _told(self) -> str:
        if not self._own:
            return ""
        last = self._own[-1]
        score = f"{self._metric.title} {shown(last[self._metric.name], 3)}"
        return f"{self._prefix}epoch {last['epoch']}/{self._epochs}  loss {last['loss']:.3f}  {score}"

    def _refuse_nan(self) -> None:
        """Ends a training whose loss is not a number; of one that may overflow, after ten steps in a row."""
        few = min(IN_A_ROW, self._steps)
        recent = self._losses[-few:]
        if self._learner.may_overflow and (len(recent) < few or not np.isnan(recent).all()):
            return
        epoch, step = len(self._own) + 1, len(self._losses)
        fix = "Lower training.learning_rate, or look for broken images"
        raise UserError(f"the loss is not a number at {self._prefix}epoch {epoch}, step {step}", self._topic, fix)

    def _save(self, checkpoint: Checkpoint) -> None:
        facts = {"history": self.history, "losses": self._losses, "since_best": self._since_best}
        checkpoint.save([*self._learner.remember(), *self._best_weights], facts)

    def restore(self, checkpoint: Checkpoint) -> bool:
        """Takes up the saved state. False if there is none that fits."""
        saved = checkpoint.load()
        if saved is None:
            return False
        arrays, facts = saved
        own = len(self._learner.layout)
        self._learner.recall(arrays[:own])
        self._best_weights = arrays[own:]
        self.history, self._losses, self._since_best = facts["history"], facts["losses"], facts["since_best"]
        return True
