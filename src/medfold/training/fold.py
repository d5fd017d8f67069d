"""Training of one fold: fits on the other folds, predicts the held-out fold and the test set."""

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
from medfold.errors import UserError, count_of
from medfold.images import Store, steps_of
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
from medfold.scoring import aggregate, decide, metric_of
from medfold.training import losses
from medfold.training.allocator import keep_freed_memory
from medfold.training.augmentation import build_augmenter
from medfold.training.callbacks import build_callbacks
from medfold.training.checkpoint import Checkpoint
from medfold.training.frozen_features import write_features
from medfold.training.phases import Phase, TrainingImages, plan_phases
from medfold.training.resume import NUM_SUMS, TrainingState, load_state
from medfold.training.self_check import TrainedFold, self_check
from medfold.training.trainer import format_position, train

NUM_STATISTICS_PER_EPOCH, NUM_STATISTICS_FINAL = 512, 2048  # number of training images for batch statistics
NUM_SELF_CHECK_IMAGES = 32  # number of training images for the self-check


@dataclass(frozen=True)
class FoldJob:
    """Settings and data for training the folds of a run.

    Args:
        competition, recipe, seed: as of the run.
        store: the prepared images.
        train: the training samples: id, unit, group, fold; in the order of `targets`.
        targets: int (n,) or (n, labels).
        test: the test samples: id.
        features: file for the features of the frozen backbone; written when it is needed.
        num_workers: number of processes that make batches; it does not change the result. Defaults to 0: batches are
            made in this process.
        plugins: hash of the competition's plugins.py; a checkpoint with another hash is ignored. Defaults to none.
    """

    competition: Competition
    recipe: Recipe
    seed: int
    store: Store
    train: pd.DataFrame
    targets: np.ndarray
    test: pd.DataFrame
    features: Path
    num_workers: int = 0
    plugins: str | None = None


def refuse_untrainable(competition: Competition, recipe: Recipe) -> None:
    """Refuses a recipe that no fold can be trained with, before images are prepared.

    Raises:
        UserError: preparation, backbone, weights, head or augmentation are impossible, or the recipe has no epochs.
    """
    steps_of(recipe.images)
    check_buildable(competition, recipe)
    build_augmenter(
        recipe.augment, competition.images.symmetry, (recipe.images.size,) * 2 + (competition.images.num_channels,)
    )
    if not recipe.training.epochs and not recipe.training.head_epochs:
        raise UserError("nothing is trained", "training.epochs", "Set it, or training.head_epochs, to 1 or more")
    if recipe.training.head_epochs:
        _refuse_no_pretrained_weights(recipe)


def compute_features(job: FoldJob) -> None:
    """Computes the features of the frozen backbone in float32 and writes them to `job.features`, unless they exist.

    Raises:
        UserError: the backbone has no pretrained weights.
    """
    _refuse_no_pretrained_weights(job.recipe)
    if job.features.is_file():
        return
    keep_freed_memory()
    make_deterministic(job.seed, job.recipe.training.deterministic)
    with _errors_in_one_line("features"):
        backbone, _ = split_backbone_and_head(build_model(job.competition, job.recipe))
        write_features(backbone, job.store.pixels, job.competition.images.symmetry, job.features)


def train_fold(job: FoldJob, fold: int, paths: FoldPaths) -> float:
    """Trains a fold and writes its weights, history, OOF and test predictions, and a marker that it is done.

    Returns:
        The score on the fold; nan if undefined.

    Raises:
        UserError: the recipe cannot be trained on these images, or the loss is not a number.
    """
    keras.backend.clear_session()
    keep_freed_memory()
    cv2.setNumThreads(1)  # workers process the images in parallel already
    competition, topic = job.competition, f"fold {fold}"
    output_paths = (paths.weights, paths.history, paths.oof, paths.test)
    for path in (paths.checkpoint, paths.done, *output_paths):
        files.remove_temporaries(path)
    held_out = (job.train["fold"] == fold).to_numpy()
    with _errors_in_one_line(topic):
        trained = _train(job, fold, held_out, paths)
    with _errors_in_one_line(topic), progress_bar(topic, int(held_out.sum()) + len(job.test)) as bar:
        bar.describe("predict")

        def predict(ids: pd.Series) -> np.ndarray:
            return trained.predict(job.store.rows_of(ids), job.recipe.tta, bar.advance)

        oof, test = predict(job.train["id"][held_out]), predict(job.test["id"])

    for stale in (paths.done, *output_paths):
        stale.unlink(missing_ok=True)
    save_weights(trained.model, paths.weights)
    files.write_csv(trained.history, paths.history)
    files.write_csv(predictions_table(competition, job.train["id"][held_out], oof, fold=fold), paths.oof)
    files.write_csv(predictions_table(competition, job.test["id"], test), paths.test)
    warnings = self_check(_self_check_input(job, trained, held_out, oof))
    for warning in warnings:
        warn(topic, f"SUSPICIOUS: {warning}")
    files.write_json(warnings, paths.checks)
    hashes = {file.name: files.sha256(file) for file in output_paths}
    files.write_json(hashes, paths.done)
    Checkpoint(paths.checkpoint, None).remove()
    return _score(competition, job.train["unit"][held_out], job.targets[held_out], oof)


def _score(competition: Competition, unit: pd.Series, targets: np.ndarray, predictions: np.ndarray) -> float:
    aggregated = aggregate(competition, unit.to_numpy(), targets, predictions)
    return metric_of(competition)(aggregated.targets, aggregated.predictions)


@dataclass(frozen=True)
class _Trained:
    """A trained net, ready to predict.

    Args:
        model: the whole net, as it is saved.
        last_phase: the last phase of its training.
        inference_net: the net of that phase in float32, whatever the precision of the training: so the weights give the
            same numbers later, on any machine.
        images: the images that it was trained on.
        history: one row per epoch.
    """

    competition: Competition
    model: keras.Model
    last_phase: Phase
    inference_net: keras.Model
    images: TrainingImages
    history: pd.DataFrame

    def predict(self, rows: np.ndarray, tta: bool, advance: Callable[[int], None] = lambda count: None) -> np.ndarray:
        """Predicts images of the store: probabilities, float32 (n, columns)."""
        symmetry, last_phase = self.competition.images.symmetry, self.last_phase
        return Predictor(self.inference_net, symmetry, tta, view_of=last_phase.view_of)(
            last_phase.images, rows, advance
        )


def _train(job: FoldJob, fold: int, held_out: np.ndarray, paths: FoldPaths) -> _Trained:
    """Trains all phases, from the start or from a saved state."""
    competition, training, topic = job.competition, job.recipe.training, f"fold {fold}"
    images = _training_images(job, fold, held_out)
    refuse_untrainable(competition, job.recipe)
    _refuse_too_few(competition, training, images, topic)
    if training.head_epochs:
        compute_features(job)
        keras.backend.clear_session()  # layer names contain a counter, and a checkpoint identifies layers by name
    make_deterministic(images.seed, training.deterministic)
    precision = resolve_precision(training.precision)
    model = build_model(competition, job.recipe, precision=precision)
    phases = plan_phases(competition, job.recipe, model, images, precision)
    for phase in phases:
        num_batches = phase.batches.steps_per_epoch * phase.epochs
        if num_batches < training.accumulate:
            what = f"{training.accumulate} batches make a step, and there are {num_batches}: no step is ever taken"
            raise UserError(what, f"{topic}, training.accumulate", f"Set it to {num_batches} or less")

    identity = [images.seed, job.recipe.portable(), images.rows.tolist(), *([job.plugins] if job.plugins else [])]
    checkpoints = [_checkpoint(phase, paths.checkpoint, identity, precision) for phase in phases]
    saved_states = [load_state(checkpoint, phase) for checkpoint, phase in zip(checkpoints, phases, strict=True)]
    first_phase = max((number for number, state in enumerate(saved_states) if state), default=0)
    if any(saved_states):
        say(topic, f"resuming at {format_position(saved_states[first_phase], phases[first_phase])}")
    history: list[dict[str, Any]] = []
    for phase, checkpoint, state in list(zip(phases, checkpoints, saved_states, strict=True))[first_phase:]:
        state = state or TrainingState(history=history)
        predictor = Predictor(phase.training_step.model, competition.images.symmetry, tta=False, view_of=phase.view_of)

        def score(phase: Phase = phase, predictor: Predictor = predictor) -> float:
            phase.statistics.gather(NUM_STATISTICS_PER_EPOCH)
            predictions = predictor(phase.images, job.store.rows_of(job.train["id"][held_out]))
            return _score(competition, job.train["unit"][held_out], job.targets[held_out], predictions)

        callbacks = build_callbacks(training.callbacks, paths.folder)
        train(phase, training, metric_of(competition), score, state, checkpoint, callbacks, topic)
        history = state.history
        began = time.monotonic()
        if num_images := phase.statistics.gather(NUM_STATISTICS_FINAL):
            took = format_duration(time.monotonic() - began)
            say(topic, f"batch statistics computed on {count_of(num_images, 'image')}, {took}")
    inference_net = _in_full_precision(job, model, phases[-1], precision)
    trained = _Trained(competition, model, phases[-1], inference_net, images, pd.DataFrame(history))
    if training.images:
        _report_memorisation(trained, topic)
    return trained


def _training_images(job: FoldJob, fold: int, held_out: np.ndarray) -> TrainingImages:
    rows, targets = job.store.rows_of(job.train["id"][~held_out]), job.targets[~held_out]
    seed = int(np.random.SeedSequence([job.seed, fold]).generate_state(1)[0])
    if job.recipe.training.images:
        subset = _subset(losses.balancing_classes(job.competition, targets), job.recipe.training.images, seed)
        rows, targets = rows[subset], targets[subset]
    return TrainingImages(job.store.pixels, job.features, rows, targets, seed, job.num_workers)


def _refuse_too_few(competition: Competition, training: TrainingSettings, images: TrainingImages, topic: str) -> None:
    """Refuses training images that are too few for any training, before a net is built."""
    if len(images.rows) == 0:
        raise UserError("nothing to train on", topic, "Check data/<competition>/bad_images.csv")
    losses.refuse_absent_classes(competition, images.targets, topic)
    if training.batch_size > len(images.rows):
        what = f"a batch of {training.batch_size} is more than the {count_of(len(images.rows), 'image')} to train on"
        raise UserError(what, f"{topic}, training.batch_size", f"Set it to {len(images.rows)} or less")


def _checkpoint(phase: Phase, path: Path, identity: list[Any], precision: str) -> Checkpoint:
    layout = phase.training_step.layout
    return Checkpoint(path, [phase.name, *identity], precision, layout, older_layout=layout[:-NUM_SUMS])


def _in_full_precision(job: FoldJob, model: keras.Model, last_phase: Phase, precision: str) -> keras.Model:
    """Returns the net of the last phase with the same weights, computing in float32."""
    if precision == "float32":
        return last_phase.training_step.model
    float32_model = build_model(job.competition, job.recipe, pretrained=False)
    float32_model.set_weights(model.get_weights())
    return split_backbone_and_head(float32_model)[1] if last_phase.name == "head" else float32_model


def _report_memorisation(trained: _Trained, topic: str) -> None:
    """Reports the share of training images that are memorised: if it is not nearly all, the set-up is broken."""
    outputs, targets = trained.predict(trained.images.rows, tta=False), trained.images.targets
    exclusive = trained.competition.exclusive_classes
    decided = decide(outputs, exclusive)
    share = float(np.mean(decided.reshape(len(targets), -1) == targets.reshape(len(targets), -1)))
    failure = "NOT learnt: check images, labels and the learning rate"
    verdict = "the set-up can learn" if share >= 0.95 else failure
    say(topic, f"{share:.0%} of {count_of(len(targets), 'training image')} memorised: {verdict}")


def _self_check_input(job: FoldJob, trained: _Trained, held_out: np.ndarray, oof: np.ndarray) -> TrainedFold:
    """Collects the input of the self-check.

    Args:
        oof: float (n, columns), the predictions of the held-out images.
    """
    competition, last_phase, images = job.competition, trained.last_phase, trained.images
    units = aggregate(competition, job.train["unit"][held_out].to_numpy(), job.targets[held_out], oof)
    rows = np.sort(np.random.default_rng(images.seed).permutation(images.rows)[:NUM_SELF_CHECK_IMAGES])
    batch = np.asarray(last_phase.images[rows], np.float32)
    batch = last_phase.view_of(batch, 0) if last_phase.view_of else batch
    weights_before = trained.inference_net.get_weights()
    training_outputs = np.asarray(trained.inference_net(batch, training=True))
    trained.inference_net.set_weights(weights_before)  # undoes the update of batch normalisation by these images
    classes = losses.balancing_classes(competition, images.targets)
    drawn_counts = np.bincount(classes[last_phase.batches.epoch(0)[0]], minlength=classes.max() + 1)
    expected_shares = np.bincount(classes) / len(classes)
    if job.recipe.training.sampler == "balanced":
        expected_shares = (expected_shares > 0) / np.count_nonzero(expected_shares)
    return TrainedFold(
        competition=competition,
        targets=units.targets,
        predictions=units.predictions,
        groups=job.train["group"][held_out].to_numpy()[units.first],
        prior=losses.target_columns(competition, images.targets).mean(axis=0),
        losses=trained.history["loss"].to_numpy(),
        training_outputs=training_outputs,
        inference_outputs=np.asarray(trained.inference_net(batch, training=False)),
        drawn_counts=drawn_counts,
        expected_shares=expected_shares,
    )


@contextmanager
def _errors_in_one_line(topic: str) -> Iterator[None]:
    """Turns errors of TensorFlow within the block into a UserError."""
    try:
        yield
    except Exception as error:
        name = type(error).__name__  # by name: other backends have other classes
        if name == "ResourceExhaustedError" or "RESOURCE_EXHAUSTED" in str(error):
            fix = "Halve training.batch_size and double training.accumulate, or use smaller images"
            raise UserError("the machine or its GPU is out of memory", topic, fix) from None
        if name == "InvalidArgumentError":
            fix = "Run the same command with DEBUG=1 for the traceback"
            raise UserError(f"TensorFlow: {error.message.splitlines()[0]}", topic, fix) from None
        raise


def _refuse_no_pretrained_weights(recipe: Recipe) -> None:
    if recipe.backbone.weights == "none":
        fix = "Set backbone.weights to imagenet or a file, or training.head_epochs to 0"
        raise UserError("a backbone without weights has no features to learn from", "training.head_epochs", fix)


def _subset(classes: np.ndarray, num_images: int, seed: int) -> np.ndarray:
    """Returns the positions of `num_images` images, taken from each class in turn."""
    order = np.random.default_rng(seed).permutation(len(classes))
    rank_in_class = pd.Series(classes[order]).groupby(classes[order]).cumcount().to_numpy()
    return order[np.argsort(rank_in_class, kind="stable")][:num_images]
