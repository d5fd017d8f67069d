"""One fold: train on the others, predict the fold and the test part."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from medfold import files
from medfold.competition.facts import Competition
from medfold.competition.recipe import Recipe
from medfold.console import minutes, progress, say, warn
from medfold.errors import UserError
from medfold.images.store import Store
from medfold.models import build
from medfold.models.build import build_model
from medfold.models.heads import split_backbone_and_head
from medfold.models.precision import precision_of
from medfold.prediction import predictor as inference
from medfold.prediction.weights import save_weights
from medfold.run_paths import FoldPaths
from medfold.runs.run_folder import predictions_table
from medfold.scoring.aggregation import aggregate
from medfold.scoring.metric import metric_of
from medfold.training import losses
from medfold.training.allocator import keep_freed_memory
from medfold.training.augmentation import any_view, augmenter
from medfold.training.batch_statistics import BatchStatistics
from medfold.training.batches import TrainingBatches
from medfold.training.checkpoint import Checkpoint
from medfold.training.frozen_features import write_features
from medfold.training.mixup import Mixer, mixer
from medfold.training.optimizer import optimizer_of
from medfold.training.self_check import TrainedFold, self_check
from medfold.training.step import Learner
from medfold.training.trainer import Course


@dataclass(frozen=True)
class FoldJob:
    """What to train.

    Args:
        competition, recipe, seed: what decides the run.
        store: the prepared images.
        train: the training samples: id, unit, group, fold; in the order of `targets`.
        targets: int (n,) or (n, labels).
        test: the test samples: id.
        features: the file for what the recipe's backbone, frozen, sees in the images; made when it is needed.
        workers: processes that make batches; they do not change the result. Defaults to none.
    """

    competition: Competition
    recipe: Recipe
    seed: int
    store: Store
    train: pd.DataFrame
    targets: np.ndarray
    test: pd.DataFrame
    features: Path
    workers: int = 0


def refuse_untrainable(competition: Competition, choices: Recipe) -> None:
    """What no fold can be trained with, told before images are prepared for it.

    Raises:
        UserError: a backbone, weights, a head or an augmentation that cannot be; nothing to train.
    """
    build.refuse_impossible(competition, choices)
    augmenter(choices.augment, competition.images.symmetry, (choices.images.size,) * 2 + (competition.images.depth,))
    if not choices.training.epochs and not choices.training.head_epochs:
        raise UserError("nothing is trained", "training.epochs", "Set it, or training.head_epochs, to 1 or more")
    if choices.training.head_epochs:
        _refuse_blind(choices)


def compute_features(task: FoldJob) -> None:
    """What the frozen backbone of a task sees, computed in float32 and kept at `task.features` unless it is there.

    Raises:
        UserError: a backbone without weights.
    """
    _refuse_blind(task.recipe)
    if task.features.is_file():
        return
    keep_freed_memory()
    _make_deterministic(task.seed)
    with _in_one_line("features"):
        backbone, _ = split_backbone_and_head(build_model(task.competition, task.recipe))
        write_features(backbone, task.store.pixels, task.competition.images.symmetry, task.features)


def train_fold(task: FoldJob, fold: int, paths: FoldPaths) -> float:
    """Trains a fold and writes weights, history, OOF and test predictions, and the marker that it is done.

    Returns:
        The score on the fold, nan if undefined.

    Raises:
        UserError: a recipe that cannot be trained on these images, or a loss that is not a number.
    """
    keras.backend.clear_session()
    keep_freed_memory()
    cv2.setNumThreads(1)  # images are small, and there are workers for them
    competition = task.competition
    written = (paths.weights, paths.history, paths.oof, paths.test)
    for path in (paths.state, paths.done, *written):
        files.sweep(path)
    held_out = (task.train["fold"] == fold).to_numpy()
    with _in_one_line(f"fold {fold}"):
        training = _Training(task, fold, held_out, paths.state)
        history = training.run()
    with _in_one_line(f"fold {fold}"), progress("images") as bar:
        line = bar.add_task("predict", stage=f"fold {fold}", total=int(held_out.sum()) + len(task.test))

        def predict(ids: pd.Series) -> np.ndarray:
            return training.predict(task.store.of(ids), task.recipe.tta, lambda count: bar.advance(line, count))

        oof, test = predict(task.train["id"][held_out]), predict(task.test["id"])

    for stale in (paths.done, *written):
        stale.unlink(missing_ok=True)
    save_weights(training.model, paths.weights)
    files.write_csv(history, paths.history)
    files.write_csv(predictions_table(competition, task.train["id"][held_out], oof, fold=fold), paths.oof)
    files.write_csv(predictions_table(competition, task.test["id"], test), paths.test)
    found = self_check(training.as_trained(history, oof))
    for line in found:
        warn(f"fold {fold}", f"SUSPICIOUS: {line}")
    files.write_json(found, paths.checks)
    hashes = {file.name: files.sha256(file) for file in written}
    files.write_json(hashes, paths.done)
    Checkpoint(paths.state, None).remove()
    return _score(competition, task.train["unit"][held_out], task.targets[held_out], oof)


def _score(competition: Competition, unit: pd.Series, targets: np.ndarray, predictions: np.ndarray) -> float:
    joined = aggregate(competition, unit.to_numpy(), targets, predictions)
    return metric_of(competition)(joined.targets, joined.predictions)


EACH_EPOCH, AT_THE_END = 512, 2048  # training images that batch statistics are gathered on
LOOKED_AT = 32  # training images that the self-check looks at


@dataclass(frozen=True)
class _Part:
    """A part of a training: what learns, from what, how long.

    Args:
        name: head (alone) or all (layers).
        model: what learns.
        images: what it is asked about: pixels, or the features of a frozen backbone.
        look: of its predictor; None for pixels.
        pipeline: its batches.
        epochs: how many.
        learning_rate: the highest.
        workers: processes that make batches.
        statistics: of its batch normalisation.
    """

    name: str
    model: keras.Model
    images: np.ndarray
    look: Callable[[np.ndarray, int], np.ndarray] | None
    pipeline: TrainingBatches
    epochs: int
    learning_rate: float
    workers: int
    statistics: BatchStatistics


class _Training:
    """The training of one fold: the head alone on the features of a frozen backbone, all layers, or both in turn."""

    def __init__(self, task: FoldJob, fold: int, held_out: np.ndarray, state: Path):
        self._task, self._topic, self._state = task, f"fold {fold}", state
        self._competition, self._choices = task.competition, task.recipe.training
        self._held_rows, self._held_targets = task.store.of(task.train["id"][held_out]), task.targets[held_out]
        self._held_units, self._held_groups = (task.train[name][held_out] for name in ("unit", "group"))
        self._rows, self._targets = task.store.of(task.train["id"][~held_out]), task.targets[~held_out]
        self._seed = int(np.random.SeedSequence([task.seed, fold]).generate_state(1)[0])
        if self._choices.images:
            few = _few(losses.classes_of(self._competition, self._targets), self._choices.images, self._seed)
            self._rows, self._targets = self._rows[few], self._targets[few]
        refuse_untrainable(self._competition, task.recipe)
        self._refuse_impossible()
        if self._choices.head_epochs:
            compute_features(task)
            keras.backend.clear_session()  # a saved state knows layers by names, which count what was built before
        _make_deterministic(self._seed)
        self._precision = precision_of(self._choices.precision)
        self.model = build_model(self._competition, task.recipe, precision=self._precision)
        self._parts = self._planned()
        for part in self._parts:
            batches = part.pipeline.steps * part.epochs
            if batches < self._choices.accumulate:
                what = f"{self._choices.accumulate} batches make a step, and there are {batches}: no step is ever taken"
                raise UserError(what, f"{self._topic}, training.accumulate", f"Set it to {batches} or less")

    def run(self) -> pd.DataFrame:
        """Trains to the end, from the saved state or from the start.

        Returns:
            A row per epoch.
        """
        courses, checkpoints = zip(*[self._course(part) for part in self._parts], strict=True)
        restored = [course.restore(checkpoint) for course, checkpoint in zip(courses, checkpoints, strict=True)]
        begin = max((number for number, taken_up in enumerate(restored) if taken_up), default=0)
        if any(restored):
            say(self._topic, f"going on at {courses[begin].stands}")
        history = courses[begin].history
        for part, course, checkpoint in list(zip(self._parts, courses, checkpoints, strict=True))[begin:]:
            course.history = history
            course.run(part.pipeline, checkpoint, part.workers)
            self._gather(part)
        self._predicts = self._in_full_precision()
        if self._choices.images:
            self._tell_what_was_learnt()
        return pd.DataFrame(history)

    def _gather(self, part: _Part) -> None:
        """The batch statistics of the final weights, on more images than after each epoch."""
        began = time.monotonic()
        if seen := part.statistics.gather(AT_THE_END):
            say(self._topic, f"batch statistics gathered on {seen:,} images, {minutes(time.monotonic() - began)}")

    def predict(self, rows: np.ndarray, tta: bool, advance: Callable[[int], None] = lambda count: None) -> np.ndarray:
        """Probabilities of some images of the store, float32 (n, columns).

        They are computed in float32 whatever the steps were computed in: so the weights give the same numbers later, on
        any machine.
        """
        last = self._parts[-1]
        return inference.Predictor(self._predicts, self._competition.images.symmetry, tta, last.look)(
            last.images, rows, advance
        )

    def as_trained(self, history: pd.DataFrame, oof: np.ndarray) -> TrainedFold:
        """What the self-check looks at.

        Args:
            history: of all parts.
            oof: float (n, columns), the predictions of the held-out images.
        """
        last, competition = self._parts[-1], self._competition
        held = aggregate(competition, self._held_units.to_numpy(), self._held_targets, oof)
        targets = losses.as_columns(competition, self._targets)
        rows = np.sort(np.random.default_rng(self._seed).permutation(self._rows)[:LOOKED_AT])
        batch = np.asarray(last.images[rows], np.float32)
        batch = last.look(batch, 0) if last.look else batch
        before = self._predicts.get_weights()
        learning = np.asarray(self._predicts(batch, training=True))
        self._predicts.set_weights(before)  # batch normalisation has looked at these images
        classes = losses.classes_of(competition, self._targets)
        drawn = np.bincount(classes[last.pipeline.epoch(0)[0]], minlength=classes.max() + 1)
        shares = np.bincount(classes) / len(classes)
        if self._choices.sampler == "balanced":
            shares = (shares > 0) / np.count_nonzero(shares)
        return TrainedFold(
            competition=competition,
            targets=held.targets,
            predictions=held.predictions,
            groups=self._held_groups.to_numpy()[held.first],
            prior=targets.mean(axis=0),
            losses=history["loss"].to_numpy(),
            learning=learning,
            predicting=np.asarray(self._predicts(batch, training=False)),
            drawn=drawn,
            shares=shares,
        )

    def _in_full_precision(self) -> keras.Model:
        """What the last part trained, with the same weights, computing in float32."""
        last = self._parts[-1]
        if self._precision == "float32":
            return last.model
        twin = build_model(self._competition, self._task.recipe, pretrained=False)
        twin.set_weights(self.model.get_weights())
        return split_backbone_and_head(twin)[1] if last.name == "head" else twin

    def _planned(self) -> list[_Part]:
        task, choices, symmetry, parts = self._task, self._choices, self._competition.images.symmetry, []
        if choices.head_epochs:
            features, (_, head) = np.load(task.features, mmap_mode="r"), split_backbone_and_head(self.model)
            learnt_from = features[:, :1] if task.recipe.augment == "none" else features
            pipeline = self._pipeline(learnt_from, any_view, Mixer(choices.mixup, 0) if choices.mixup else None)
            rate = choices.head_learning_rate
            statistics = BatchStatistics(head, features, self._rows, lambda batch: _view(batch, 0), self._seed)
            parts.append(_Part("head", head, features, _view, pipeline, choices.head_epochs, rate, 0, statistics))
        if choices.epochs:
            pixels, rate = task.store.pixels, choices.learning_rate
            augment = augmenter(task.recipe.augment, symmetry, pixels.shape[1:])
            pipeline = self._pipeline(pixels, augment, mixer(choices))
            statistics = BatchStatistics(self.model, pixels, self._rows, lambda batch: batch, self._seed)
            epochs, workers = choices.epochs, task.workers
            parts.append(_Part("all", self.model, pixels, None, pipeline, epochs, rate, workers, statistics))
        return parts

    def _pipeline(self, images: np.ndarray, augment: Callable, mix: Mixer | None) -> TrainingBatches:
        competition, choices = self._competition, self._choices
        return TrainingBatches(
            images=images,
            rows=self._rows,
            targets=losses.as_columns(competition, self._targets),
            weights=losses.sample_weights(competition, choices.class_weights, self._targets),
            augment=augment,
            batch_size=choices.batch_size,
            seed=self._seed,
            mix=mix,
            classes=losses.classes_of(competition, self._targets) if choices.sampler == "balanced" else None,
        )

    def _course(self, part: _Part) -> tuple[Course, Checkpoint]:
        competition, choices = self._competition, self._choices
        steps, metric = part.pipeline.steps, metric_of(competition)
        optimizer = optimizer_of(choices, part.learning_rate, steps * part.epochs)
        if self._precision == "float16":  # small gradients would vanish
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        learner = Learner(part.model, optimizer, losses.loss_of(competition, choices, self._targets))
        predictor = inference.Predictor(part.model, competition.images.symmetry, tta=False, look=part.look)

        def score() -> float:
            part.statistics.gather(EACH_EPOCH)
            return _score(competition, self._held_units, self._held_targets, predictor(part.images, self._held_rows))

        course = Course(choices, part.name, part.epochs, steps, learner, metric, score, self._topic)
        fits = [part.name, self._seed, self._task.recipe.portable(), self._rows.tolist()]
        return course, Checkpoint(self._state, fits, self._precision, learner.layout)

    def _refuse_impossible(self) -> None:
        """What no training can be made of, told before anything is built."""
        choices = self._choices
        if len(self._rows) == 0:
            raise UserError("nothing to train on", self._topic)
        losses.refuse_absent_classes(self._competition, self._targets, self._topic)
        if choices.batch_size > len(self._rows):
            what = f"a batch of {choices.batch_size} is more than the {len(self._rows)} images to train on"
            raise UserError(what, f"{self._topic}, training.batch_size", f"Set it to {len(self._rows)} or less")

    def _tell_what_was_learnt(self) -> None:
        """Says whether the few images that were trained on are known by heart: if not, the set-up is broken."""
        outputs, targets = self.predict(self._rows, tta=False), self._targets
        decided = outputs.argmax(axis=1) if self._competition.one_of_many else (outputs > 0.5).astype(int)
        share = float(np.mean(decided.reshape(len(targets), -1) == targets.reshape(len(targets), -1)))
        hint = "NOT learnt: look at images, labels and the learning rate"
        verdict = "the set-up can learn" if share >= 0.95 else hint
        say(self._topic, f"{share:.0%} of {len(targets)} training images known by heart: {verdict}")


def _make_deterministic(seed: int) -> None:
    keras.utils.set_random_seed(seed)
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()


@contextmanager
def _in_one_line(topic: str) -> Iterator[None]:
    """Within the block, what TensorFlow complains of becomes a UserError."""
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        fix = "Halve training.batch_size and double training.accumulate, or take smaller images"
        raise UserError("the memory of the machine or its GPU does not suffice", topic, fix) from None
    except tf.errors.InvalidArgumentError as error:
        raise UserError(f"TensorFlow: {error.message.splitlines()[0]}", topic) from None


def _refuse_blind(choices: Recipe) -> None:
    if choices.backbone.weights == "none":
        fix = "Set backbone.weights to imagenet or a file, or training.head_epochs to 0"
        raise UserError("a backbone without weights has no features to learn from", "training.head_epochs", fix)


def _few(classes: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The positions of so many images, drawn from each class in turn."""
    order = np.random.default_rng(seed).permutation(len(classes))
    turn = pd.Series(classes[order]).groupby(classes[order]).cumcount().to_numpy()
    return order[np.argsort(turn, kind="stable")][:count]


def _view(batch: np.ndarray, number: int) -> np.ndarray:
    return batch[:, number]
