"""One fold: train on the others, predict the fold and the test part."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition, Recipe, TrainingSettings
from medfold.console import format_duration, say, warn
from medfold.errors import UserError
from medfold.images import Store
from medfold.models import (
    build_model,
    check_buildable,
    make_deterministic,
    resolve_precision,
    split_backbone_and_head,
)
from medfold.prediction import Predictor, save_weights
from medfold.progress import progress_bar
from medfold.run_paths import FoldPaths
from medfold.runs import predictions_table
from medfold.scoring import aggregate, metric_of
from medfold.training import losses
from medfold.training.allocator import keep_freed_memory
from medfold.training.augmentation import build_augmenter
from medfold.training.callbacks import build_callbacks
from medfold.training.checkpoint import Checkpoint
from medfold.training.frozen_features import write_features
from medfold.training.phases import Phase, TrainingImages, plan_phases
from medfold.training.resume import SUMS, TrainingState, load_state
from medfold.training.self_check import TrainedFold, self_check
from medfold.training.trainer import position_in_words, train

EACH_EPOCH, AT_THE_END = 512, 2048  # training images that batch statistics are gathered on
LOOKED_AT = 32  # training images that the self-check looks at


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
        plugins: hash of the competition's plugins.py, which a checkpoint must have been saved under. Defaults to none.
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
    plugins: str | None = None


def refuse_untrainable(competition: Competition, choices: Recipe) -> None:
    """What no fold can be trained with, told before images are prepared for it.

    Raises:
        UserError: a backbone, weights, a head or an augmentation that cannot be; nothing to train.
    """
    check_buildable(competition, choices)
    build_augmenter(
        choices.augment, competition.images.symmetry, (choices.images.size,) * 2 + (competition.images.num_channels,)
    )
    if not choices.training.epochs and not choices.training.head_epochs:
        raise UserError("nothing is trained", "training.epochs", "Set it, or training.head_epochs, to 1 or more")
    if choices.training.head_epochs:
        _refuse_blind(choices)


def compute_features(job: FoldJob) -> None:
    """What the frozen backbone of a job sees, computed in float32 and kept at `job.features` unless it is there.

    Raises:
        UserError: a backbone without weights.
    """
    _refuse_blind(job.recipe)
    if job.features.is_file():
        return
    keep_freed_memory()
    make_deterministic(job.seed, job.recipe.training.deterministic)
    with _in_one_line("features"):
        backbone, _ = split_backbone_and_head(build_model(job.competition, job.recipe))
        write_features(backbone, job.store.pixels, job.competition.images.symmetry, job.features)


def train_fold(job: FoldJob, fold: int, paths: FoldPaths) -> float:
    """Trains a fold and writes weights, history, OOF and test predictions, and the marker that it is done.

    Returns:
        The score on the fold, nan if undefined.

    Raises:
        UserError: a recipe that cannot be trained on these images, or a loss that is not a number.
    """
    keras.backend.clear_session()
    keep_freed_memory()
    cv2.setNumThreads(1)  # images are small, and there are workers for them
    competition, topic = job.competition, f"fold {fold}"
    written = (paths.weights, paths.history, paths.oof, paths.test)
    for path in (paths.state, paths.done, *written):
        files.remove_temporaries(path)
    held_out = (job.train["fold"] == fold).to_numpy()
    with _in_one_line(topic):
        trained = _train(job, fold, held_out, paths)
    with _in_one_line(topic), progress_bar(topic, int(held_out.sum()) + len(job.test)) as bar:
        bar.describe("predict")

        def predict(ids: pd.Series) -> np.ndarray:
            return trained.predict(job.store.rows_of(ids), job.recipe.tta, bar.advance)

        oof, test = predict(job.train["id"][held_out]), predict(job.test["id"])

    for stale in (paths.done, *written):
        stale.unlink(missing_ok=True)
    save_weights(trained.model, paths.weights)
    files.write_csv(trained.history, paths.history)
    files.write_csv(predictions_table(competition, job.train["id"][held_out], oof, fold=fold), paths.oof)
    files.write_csv(predictions_table(competition, job.test["id"], test), paths.test)
    found = self_check(_as_trained(job, trained, held_out, oof))
    for warning in found:
        warn(topic, f"SUSPICIOUS: {warning}")
    files.write_json(found, paths.checks)
    hashes = {file.name: files.sha256(file) for file in written}
    files.write_json(hashes, paths.done)
    Checkpoint(paths.state, None).remove()
    return _score(competition, job.train["unit"][held_out], job.targets[held_out], oof)


def _score(competition: Competition, unit: pd.Series, targets: np.ndarray, predictions: np.ndarray) -> float:
    joined = aggregate(competition, unit.to_numpy(), targets, predictions)
    return metric_of(competition)(joined.targets, joined.predictions)


@dataclass(frozen=True)
class _Trained:
    """A trained net, ready to predict.

    Args:
        model: the whole net, as it is saved.
        last: the last phase of its training.
        predicts: what that phase trained, computing in float32 whatever the steps were computed in: so the weights
            give the same numbers later, on any machine.
        images: what it was trained on.
        history: a row per epoch.
    """

    competition: Competition
    model: keras.Model
    last: Phase
    predicts: keras.Model
    images: TrainingImages
    history: pd.DataFrame

    def predict(self, rows: np.ndarray, tta: bool, advance: Callable[[int], None] = lambda count: None) -> np.ndarray:
        """Probabilities of some images of the store, float32 (n, columns)."""
        symmetry, last = self.competition.images.symmetry, self.last
        return Predictor(self.predicts, symmetry, tta, view_of=last.view_of)(last.images, rows, advance)


def _train(job: FoldJob, fold: int, held_out: np.ndarray, paths: FoldPaths) -> _Trained:
    """Trains all phases, from the saved state or from the start."""
    competition, choices, topic = job.competition, job.recipe.training, f"fold {fold}"
    images = _training_images(job, fold, held_out)
    refuse_untrainable(competition, job.recipe)
    _refuse_too_few(competition, choices, images, topic)
    if choices.head_epochs:
        compute_features(job)
        keras.backend.clear_session()  # a checkpoint knows layers by names, which count what was built before
    make_deterministic(images.seed, choices.deterministic)
    precision = resolve_precision(choices.precision)
    model = build_model(competition, job.recipe, precision=precision)
    phases = plan_phases(competition, job.recipe, model, images, precision)
    for phase in phases:
        batches = phase.batches.steps * phase.epochs
        if batches < choices.accumulate:
            what = f"{choices.accumulate} batches make a step, and there are {batches}: no step is ever taken"
            raise UserError(what, f"{topic}, training.accumulate", f"Set it to {batches} or less")

    fits = [images.seed, job.recipe.portable(), images.rows.tolist(), *([job.plugins] if job.plugins else [])]
    checkpoints = [_checkpoint(phase, paths.state, fits, precision) for phase in phases]
    saved = [load_state(kept, phase) for kept, phase in zip(checkpoints, phases, strict=True)]
    begin = max((number for number, state in enumerate(saved) if state), default=0)
    if any(saved):
        say(topic, f"going on at {position_in_words(saved[begin], phases[begin])}")
    history: list[dict[str, Any]] = []
    for phase, checkpoint, state in list(zip(phases, checkpoints, saved, strict=True))[begin:]:
        state = state or TrainingState(history=history)
        predictor = Predictor(phase.step.model, competition.images.symmetry, tta=False, view_of=phase.view_of)

        def score(phase: Phase = phase, predictor: Predictor = predictor) -> float:
            phase.statistics.gather(EACH_EPOCH)
            predictions = predictor(phase.images, job.store.rows_of(job.train["id"][held_out]))
            return _score(competition, job.train["unit"][held_out], job.targets[held_out], predictions)

        every = build_callbacks(choices.callbacks, paths.folder)
        train(phase, choices, metric_of(competition), score, state, checkpoint, every, topic)
        history = state.history
        began = time.monotonic()
        if seen := phase.statistics.gather(AT_THE_END):
            say(topic, f"batch statistics gathered on {seen:,} images, {format_duration(time.monotonic() - began)}")
    predicts = _in_full_precision(job, model, phases[-1], precision)
    trained = _Trained(competition, model, phases[-1], predicts, images, pd.DataFrame(history))
    if choices.images:
        _tell_what_was_learnt(trained, topic)
    return trained


def _training_images(job: FoldJob, fold: int, held_out: np.ndarray) -> TrainingImages:
    rows, targets = job.store.rows_of(job.train["id"][~held_out]), job.targets[~held_out]
    seed = int(np.random.SeedSequence([job.seed, fold]).generate_state(1)[0])
    if job.recipe.training.images:
        few = _few(losses.balancing_classes(job.competition, targets), job.recipe.training.images, seed)
        rows, targets = rows[few], targets[few]
    return TrainingImages(job.store.pixels, job.features, rows, targets, seed, job.workers)


def _refuse_too_few(competition: Competition, choices: TrainingSettings, images: TrainingImages, topic: str) -> None:
    """What no training can be made of, told before anything is built."""
    if len(images.rows) == 0:
        raise UserError("nothing to train on", topic)
    losses.refuse_absent_classes(competition, images.targets, topic)
    if choices.batch_size > len(images.rows):
        what = f"a batch of {choices.batch_size} is more than the {len(images.rows)} images to train on"
        raise UserError(what, f"{topic}, training.batch_size", f"Set it to {len(images.rows)} or less")


def _checkpoint(phase: Phase, path: Path, fits: list[Any], precision: str) -> Checkpoint:
    layout = phase.step.layout
    return Checkpoint(path, [phase.name, *fits], precision, layout, older_layout=layout[:-SUMS])


def _in_full_precision(job: FoldJob, model: keras.Model, last: Phase, precision: str) -> keras.Model:
    """What the last phase trained, with the same weights, computing in float32."""
    if precision == "float32":
        return last.step.model
    twin = build_model(job.competition, job.recipe, pretrained=False)
    twin.set_weights(model.get_weights())
    return split_backbone_and_head(twin)[1] if last.name == "head" else twin


def _tell_what_was_learnt(trained: _Trained, topic: str) -> None:
    """Says whether the few images that were trained on are memorised: if not, the set-up is broken."""
    outputs, targets = trained.predict(trained.images.rows, tta=False), trained.images.targets
    exclusive = trained.competition.exclusive_classes
    decided = outputs.argmax(axis=1) if exclusive else (outputs > 0.5).astype(int)
    share = float(np.mean(decided.reshape(len(targets), -1) == targets.reshape(len(targets), -1)))
    hint = "NOT learnt: look at images, labels and the learning rate"
    verdict = "the set-up can learn" if share >= 0.95 else hint
    say(topic, f"{share:.0%} of {len(targets)} training images memorised: {verdict}")


def _as_trained(job: FoldJob, trained: _Trained, held_out: np.ndarray, oof: np.ndarray) -> TrainedFold:
    """What the self-check looks at.

    Args:
        oof: float (n, columns), the predictions of the held-out images.
    """
    competition, last, images = job.competition, trained.last, trained.images
    held = aggregate(competition, job.train["unit"][held_out].to_numpy(), job.targets[held_out], oof)
    rows = np.sort(np.random.default_rng(images.seed).permutation(images.rows)[:LOOKED_AT])
    batch = np.asarray(last.images[rows], np.float32)
    batch = last.view_of(batch, 0) if last.view_of else batch
    before = trained.predicts.get_weights()
    learning = np.asarray(trained.predicts(batch, training=True))
    trained.predicts.set_weights(before)  # batch normalisation has looked at these images
    classes = losses.balancing_classes(competition, images.targets)
    drawn = np.bincount(classes[last.batches.epoch(0)[0]], minlength=classes.max() + 1)
    shares = np.bincount(classes) / len(classes)
    if job.recipe.training.sampler == "balanced":
        shares = (shares > 0) / np.count_nonzero(shares)
    return TrainedFold(
        competition=competition,
        targets=held.targets,
        predictions=held.predictions,
        groups=job.train["group"][held_out].to_numpy()[held.first],
        prior=losses.target_columns(competition, images.targets).mean(axis=0),
        losses=trained.history["loss"].to_numpy(),
        learning=learning,
        predicting=np.asarray(trained.predicts(batch, training=False)),
        drawn=drawn,
        shares=shares,
    )


@contextmanager
def _in_one_line(topic: str) -> Iterator[None]:
    """Within the block, what TensorFlow complains of becomes a UserError."""
    try:
        yield
    except Exception as error:
        name = type(error).__name__  # by name: another backend has other classes
        if name == "ResourceExhaustedError" or "RESOURCE_EXHAUSTED" in str(error):
            fix = "Halve training.batch_size and double training.accumulate, or take smaller images"
            raise UserError("the memory of the machine or its GPU does not suffice", topic, fix) from None
        if name == "InvalidArgumentError":
            raise UserError(f"TensorFlow: {error.message.splitlines()[0]}", topic) from None
        raise


def _refuse_blind(choices: Recipe) -> None:
    if choices.backbone.weights == "none":
        fix = "Set backbone.weights to imagenet or a file, or training.head_epochs to 0"
        raise UserError("a backbone without weights has no features to learn from", "training.head_epochs", fix)


def _few(classes: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The positions of so many images, drawn from each class in turn."""
    order = np.random.default_rng(seed).permutation(len(classes))
    turn = pd.Series(classes[order]).groupby(classes[order]).cumcount().to_numpy()
    return order[np.argsort(turn, kind="stable")][:count]
