"""One fold: train on the others, predict the fold and the test part."""

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from medfold import files, inference, models
from medfold.competition import Competition
from medfold.errors import UserError
from medfold.images.store import Store
from medfold.paths import FoldPaths
from medfold.recipe import Recipe, Training
from medfold.runs import as_scored, predictions_table
from medfold.scoring import metrics
from medfold.terminal import EACH_EPOCH, console, progress, say
from medfold.training.allocator import keep_freed_memory
from medfold.training.augment import augmenter
from medfold.training.learner import Learner
from medfold.training.mix import mixer
from medfold.training.pipeline import Pipeline
from medfold.training.state import Checkpoint

tf.get_logger().setLevel("ERROR")  # it warns of a new graph per fold, which is meant


@dataclass(frozen=True)
class Task:
    """What to train.

    Args:
        competition, recipe, seed: what decides the run.
        store: the prepared images.
        train: the training samples: id, fold; in the order of `targets`.
        targets: int (n,) or (n, labels).
        test: the test samples: id.
    """

    competition: Competition
    recipe: Recipe
    seed: int
    store: Store
    train: pd.DataFrame
    targets: np.ndarray
    test: pd.DataFrame


def train_fold(task: Task, fold: int, paths: FoldPaths) -> float:
    """Trains a fold and writes weights, history, OOF and test predictions, and the marker that it is done.

    Returns:
        The score on the fold, nan if undefined.

    Raises:
        UserError: too few images for a batch, or a loss that is not a number.
    """
    keras.backend.clear_session()
    keep_freed_memory()
    cv2.setNumThreads(1)  # images are small, and the pipeline has threads of its own
    competition, recipe = task.competition, task.recipe
    files.sweep(paths.state)
    held_out = (task.train["fold"] == fold).to_numpy()
    model, history = _fit(task, fold, held_out, paths.state)
    predictor = inference.Predictor(model, competition.images.symmetry, recipe.tta)
    with progress("images") as bar:
        line = bar.add_task("predict", stage=f"fold {fold}", total=int(held_out.sum()) + len(task.test))

        def predict(ids: pd.Series) -> np.ndarray:
            return predictor(task.store.pixels, task.store.of(ids), lambda count: bar.advance(line, count))

        oof, test = predict(task.train["id"][held_out]), predict(task.test["id"])

    for stale in (paths.done, paths.weights, paths.history, paths.oof, paths.test):
        stale.unlink(missing_ok=True)
    inference.save(model, paths.weights)
    files.write_csv(history, paths.history)
    files.write_csv(predictions_table(competition, task.train["id"][held_out], oof, fold=fold), paths.oof)
    files.write_csv(predictions_table(competition, task.test["id"], test), paths.test)
    hashes = {file.name: files.sha256(file) for file in (paths.weights, paths.history, paths.oof, paths.test)}
    files.write_json(hashes, paths.done)
    Checkpoint(paths.state, None).remove()
    metric = metrics.get(competition.score.metric, competition.task)
    return metric(task.targets[held_out], as_scored(competition, oof))


def _fit(task: Task, fold: int, held_out: np.ndarray, checkpoint_path: Path) -> tuple[keras.Model, pd.DataFrame]:
    """The trained net and its history: a row per epoch. Goes on from the saved state, if there is one."""
    competition, recipe, choices = task.competition, task.recipe, task.recipe.training
    seed = int(np.random.SeedSequence([task.seed, fold]).generate_state(1)[0])
    keras.utils.set_random_seed(seed)
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()

    shape = task.store.pixels.shape[1:]
    rows = task.store.of(task.train["id"][~held_out])
    if len(rows) == 0:
        raise UserError("nothing to train on", f"fold {fold}")
    targets = task.targets[~held_out]
    if choices.images:
        few = _few(_classes(competition, targets), choices.images, seed)
        rows, targets = rows[few], targets[few]
    pipeline = Pipeline(
        pixels=task.store.pixels,
        rows=rows,
        targets=_as_columns(competition, targets),
        weights=_sample_weights(competition, choices.class_weights, targets),
        augment=augmenter(recipe.augment, competition.images.symmetry, shape),
        batch_size=min(choices.batch_size, len(rows)),
        seed=seed,
        mix=mixer(choices),
        classes=_classes(competition, targets) if choices.sampler == "balanced" else None,
    )
    model = models.build(competition, recipe)
    optimizer = _optimizer(recipe, pipeline.steps * choices.epochs)
    learner = Learner(model, optimizer, _loss(competition, choices))
    checkpoint = Checkpoint(checkpoint_path, [learner.layout, seed, recipe.model_dump(mode="json"), rows.tolist()])
    course = _Course(task, fold, held_out, learner, pipeline.steps)
    try:
        course.run(pipeline, checkpoint)
    except tf.errors.InvalidArgumentError as error:
        raise UserError(f"TensorFlow: {error.message.splitlines()[0]}", f"fold {fold}") from None
    if choices.images:
        _tell_what_was_learnt(task, fold, model, rows, targets)
    return model, pd.DataFrame(course.history)


def _few(classes: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The positions of so many images, drawn from each class in turn."""
    order = np.random.default_rng(seed).permutation(len(classes))
    turn = pd.Series(classes[order]).groupby(classes[order]).cumcount().to_numpy()
    return order[np.argsort(turn, kind="stable")][:count]


def _tell_what_was_learnt(task: Task, fold: int, model: keras.Model, rows: np.ndarray, targets: np.ndarray) -> None:
    """Says whether the few images that were trained on are known by heart: if not, the set-up is broken."""
    outputs = inference.Predictor(model, task.competition.images.symmetry, tta=False)(task.store.pixels, rows)
    decided = outputs.argmax(axis=1) if task.competition.one_of_many else (outputs > 0.5).astype(int)
    share = float(np.mean(decided.reshape(len(rows), -1) == targets.reshape(len(rows), -1)))
    verdict = "the set-up can learn" if share >= 0.95 else "NOT learnt: look at images, labels and the learning rate"
    say(f"fold {fold}", f"{share:.0%} of {len(rows)} training images known by heart: {verdict}")


def _as_columns(competition: Competition, targets: np.ndarray) -> np.ndarray:
    """float32 (n, columns): one column per label, or one-hot classes."""
    if competition.one_of_many:
        return np.eye(len(competition.columns), dtype=np.float32)[targets]
    return targets.reshape(len(targets), -1).astype(np.float32)


def _sample_weights(competition: Competition, choice: str, targets: np.ndarray) -> np.ndarray:
    """float32 (n,): 1, or inversely to how frequent the class is, with mean 1."""
    if choice == "none":
        return np.ones(len(targets), np.float32)
    if competition.task == "multilabel":
        raise UserError("labels have no single class to balance", "training.class_weights", "Set it to none")
    counts = np.bincount(targets, minlength=len(competition.class_names))
    return (len(targets) / (np.count_nonzero(counts) * counts[targets])).astype(np.float32)


def _classes(competition: Competition, targets: np.ndarray) -> np.ndarray:
    """int (n,): the class to balance by; for several labels, which of them are there."""
    if competition.task != "multilabel":
        return targets
    return np.unique(targets, axis=0, return_inverse=True)[1].ravel()


def _loss(competition: Competition, choices: Training) -> keras.losses.Loss:
    """Cross-entropy, or focal loss (Lin et al. 2017, arXiv 1708.02002), over classes or per label."""
    more = {"label_smoothing": choices.label_smoothing}
    if choices.loss == "focal":
        more["gamma"] = choices.focal_gamma
        if competition.one_of_many:
            return keras.losses.CategoricalFocalCrossentropy(alpha=1.0, **more)
        return keras.losses.BinaryFocalCrossentropy(**more)
    if competition.one_of_many:
        return keras.losses.CategoricalCrossentropy(**more)
    return keras.losses.BinaryCrossentropy(**more)


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """AdamW (Loshchilov and Hutter 2019), linear warm-up and cosine, clipped gradients, averaged weights."""
    choices = recipe.training
    warmup = round(choices.warmup * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else choices.learning_rate,
        max(1, steps - warmup),
        warmup_target=choices.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    # A short training must still forget where its average started.
    ema = min(choices.ema, max(0.0, 1 - 10 / (steps / choices.accumulate)))
    ema **= 1 / choices.accumulate  # the average takes a part of its step with every batch
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=choices.weight_decay,
        global_clipnorm=choices.clip_norm,
        use_ema=ema > 0,
        ema_momentum=ema,
        gradient_accumulation_steps=choices.accumulate if choices.accumulate > 1 else None,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


class _Course:
    """The course of a training: its steps, the held-out fold scored after each epoch, its state saved now and then."""

    def __init__(self, task: Task, fold: int, held_out: np.ndarray, learner: Learner, steps: int):
        self._choices, self._fold, self._learner, self._steps = task.recipe.training, fold, learner, steps
        self._competition, self._pixels = task.competition, task.store.pixels
        self._metric = metrics.get(task.competition.score.metric, task.competition.task)
        self._rows, self._targets = task.store.of(task.train["id"][held_out]), task.targets[held_out]
        self._predictor = inference.Predictor(learner.model, task.competition.images.symmetry, tta=False)
        self.history: list[dict] = []
        self._losses: list[float] = []  # of the present epoch
        self._best_weights: list[np.ndarray] = []
        self._since_best = 0

    def run(self, pipeline: Pipeline, checkpoint: Checkpoint) -> None:
        """Trains from the saved state, or from the start, to the end; the net then has its final weights."""
        self._restore(checkpoint)
        done = len(self.history) * self._steps + len(self._losses)
        total = self._choices.epochs * self._steps
        with progress("steps") as bar:
            line = bar.add_task(self._told(), stage=f"fold {self._fold}", total=total, completed=done)
            for batch in pipeline.dataset(done, total) if not self._stopped else []:
                self._losses.append(self._learner.step(*batch))
                if np.isnan(self._losses[-1]):
                    self._refuse_nan()
                bar.advance(line)
                ends = len(self._losses) == self._steps
                if ends:
                    self._end_epoch()
                    bar.update(line, description=self._told())
                if checkpoint.due(ends):
                    self._save(checkpoint)
                if self._stopped:
                    break
        if self._choices.keep == "best":
            self._learner.model.set_weights(self._best_weights)
        else:
            self._learner.optimizer.finalize_variable_values(self._learner.model.trainable_variables)

    @property
    def _stopped(self) -> bool:
        return bool(self._choices.patience) and self._since_best >= self._choices.patience

    def _end_epoch(self) -> None:
        rate = float(keras.ops.convert_to_numpy(self._learner.optimizer.learning_rate))
        loss = float(np.mean(self._losses))
        self._losses = []
        with self._learner.averaged():
            predictions = self._predictor(self._pixels, self._rows)
            score = self._metric(self._targets, as_scored(self._competition, predictions))
            if self._choices.keep == "best":
                self._keep_best(score)
        epoch = len(self.history) + 1
        self.history.append({"epoch": epoch, "learning_rate": rate, "loss": loss, self._metric.name: score})
        every = 1 if os.environ.get(EACH_EPOCH) else -(-self._choices.epochs // 4)
        if not console.is_terminal and epoch % every == 0 and epoch < self._choices.epochs:
            say(f"fold {self._fold}", self._told())

    def _keep_best(self, score: float) -> None:
        before = [self._metric.sign * row[self._metric.name] for row in self.history]
        if not self._best_weights or self._metric.sign * score > np.nanmax([-np.inf, *before]):
            self._best_weights, self._since_best = self._learner.model.get_weights(), 0
        else:
            self._since_best += 1

    def _told(self) -> str:
        if not self.history:
            return ""
        last = self.history[-1]
        score = f"{self._metric.title} {last[self._metric.name]:.3f}"
        return f"epoch {last['epoch']}/{self._choices.epochs}  loss {last['loss']:.3f}  {score}"

    def _refuse_nan(self) -> None:
        epoch, step = len(self.history) + 1, len(self._losses)
        fix = "Lower training.learning_rate, or look for broken images"
        raise UserError(f"the loss is not a number at epoch {epoch}, step {step}", f"fold {self._fold}", fix)

    def _save(self, checkpoint: Checkpoint) -> None:
        facts = {"history": self.history, "losses": self._losses, "since_best": self._since_best}
        checkpoint.save([*self._learner.remember(), *self._best_weights], facts)

    def _restore(self, checkpoint: Checkpoint) -> None:
        saved = checkpoint.load()
        if saved is None:
            return
        arrays, facts = saved
        own = len(self._learner.layout)
        self._learner.recall(arrays[:own])
        self._best_weights = arrays[own:]
        self.history, self._losses, self._since_best = facts["history"], facts["losses"], facts["since_best"]
        epoch, step = len(self.history) + 1, len(self._losses)
        at = f"epoch {epoch}" + (f", step {step}" if step else "")
        say(f"fold {self._fold}", f"going on at {at} of {self._choices.epochs} epochs")
