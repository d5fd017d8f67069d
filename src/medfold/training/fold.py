"""One fold, in the order of work: trains on the other folds, predicts the held-out fold and the test set, saves."""

import time
from typing import Any

import cv2
import keras
import numpy as np
import pandas as pd

from medfold.models import (
    build_net,
    make_deterministic,
    resolve_precision,
    split_backbone_and_head,
)
from medfold.prediction import Predictor
from medfold.run_paths import FoldPaths
from medfold.runs import check_finite, predictions_table
from medfold.scoring import aggregate, decide, metric_of
from medfold.terminal.console import format_duration, say, warn
from medfold.terminal.progress import progress_bar
from medfold.text import count_of
from medfold.training import losses
from medfold.training.callbacks import build_callbacks
from medfold.training.fold_files import FoldFiles
from medfold.training.frozen_features import write_features
from medfold.training.phases import TrainingImages, plan_phases
from medfold.training.recipe_checks import (
    check_num_batches,
    check_pretrained_weights,
    check_trainable,
    check_training_images,
)
from medfold.training.self_check import self_check, self_check_input
from medfold.training.tensorflow_errors import tensorflow_errors_explained
from medfold.training.trained_net import TrainedNet, in_full_precision
from medfold.training.training_inputs import TrainingInputs
from medfold.training.training_loop import TrainingLoop
from medfold.training.training_state import RemainingPhase, remaining_phases

NUM_STATISTICS_IMAGES_PER_EPOCH, NUM_STATISTICS_IMAGES_FINAL = 512, 2048  # training images for batch statistics


def compute_features(inputs: TrainingInputs) -> None:
    """Computes the features of the frozen backbone in float32 and writes them, unless their file exists.

    Args:
        inputs: the settings and data of the run.

    Raises:
        UserError: the backbone has no pretrained weights.
    """
    check_pretrained_weights(inputs.recipe)
    if inputs.features_file.is_file():
        return
    make_deterministic(inputs.seed, inputs.recipe.training.deterministic)
    with tensorflow_errors_explained("features"):
        backbone, _ = split_backbone_and_head(build_net(inputs.facts, inputs.recipe))
        write_features(backbone, inputs.store.pixels, inputs.facts.images.symmetry, inputs.features_file)


def train_fold(inputs: TrainingInputs, fold: int, fold_paths: FoldPaths) -> float:
    """Trains a fold and writes its weights, history, OOF and test predictions, and a marker that it is done.

    Args:
        inputs: the settings and data of the run.
        fold: number of the fold.
        fold_paths: the files of the fold.

    Returns:
        The score on the fold; nan if undefined.

    Raises:
        UserError: the recipe cannot be trained on these images, or the loss or a prediction is not a number.
    """
    fold_files = FoldFiles(fold_paths)
    fold_files.remove_temporaries()
    keras.backend.clear_session()
    cv2.setNumThreads(1)  # workers process the images in parallel already
    topic = f"fold {fold}"
    held_out = (inputs.train["fold"] == fold).to_numpy()
    with tensorflow_errors_explained(topic):
        trained = _train(inputs, fold, held_out, fold_paths)
        oof, test = _predict(inputs, trained, held_out, topic)
    oof_table = predictions_table(inputs.facts, inputs.train["id"][held_out], oof, fold=fold)
    test_table = predictions_table(inputs.facts, inputs.test["id"], test)
    fold_files.write_net_and_predictions(trained, oof_table, test_table)
    warnings = self_check(self_check_input(inputs, trained, held_out, oof))  # runs the net: after its weights are saved
    for warning in warnings:
        warn(topic, f"SUSPICIOUS: {warning}")
    fold_files.finish(warnings)
    return _score(inputs, held_out, oof)


def _predict(
    inputs: TrainingInputs, trained: TrainedNet, held_out: np.ndarray, topic: str
) -> tuple[np.ndarray, np.ndarray]:
    """Predicts the held-out images and the test set, with a progress bar.

    Returns:
        Two arrays, float32 (images, columns).

    Raises:
        UserError: a prediction is not a number.
    """
    oof_ids, test_ids = inputs.train["id"][held_out], inputs.test["id"]
    with progress_bar(topic, len(oof_ids) + len(test_ids)) as bar:
        bar.describe("predict")
        oof = trained.predict(inputs.store.rows_of(oof_ids), inputs.recipe.tta, bar.advance)
        test = trained.predict(inputs.store.rows_of(test_ids), inputs.recipe.tta, bar.advance)
    check_finite(oof, oof_ids, f"{topic}, OOF")
    check_finite(test, test_ids, f"{topic}, test set")
    return oof, test


def _score(inputs: TrainingInputs, held_out: np.ndarray, predictions: np.ndarray) -> float:
    """Scores the predictions of the held-out images by the metric of the competition; nan if undefined."""
    unit = inputs.train["unit"][held_out].to_numpy()
    aggregated = aggregate(inputs.facts, unit, inputs.targets[held_out], predictions)
    return metric_of(inputs.facts)(aggregated.targets, aggregated.predictions)


def _train(inputs: TrainingInputs, fold: int, held_out: np.ndarray, fold_paths: FoldPaths) -> TrainedNet:
    """Trains all phases of a fold, from the start or from a checkpoint.

    Args:
        inputs: the settings and data of the run.
        fold: number of the fold.
        held_out: bool (samples,), True for the samples of the fold.
        fold_paths: the files of the fold.
    """
    facts = inputs.facts
    training = inputs.recipe.training
    topic = f"fold {fold}"
    images = _training_images(inputs, fold, held_out)
    check_trainable(facts, inputs.recipe)
    check_training_images(facts, training, images, topic)
    if training.head_epochs:
        compute_features(inputs)
        keras.backend.clear_session()  # layer names contain a counter, and a checkpoint identifies layers by name
    make_deterministic(images.seed, training.deterministic)
    precision = resolve_precision(training.precision)
    net = build_net(facts, inputs.recipe, precision=precision)
    phases = plan_phases(facts, inputs.recipe, net, images, precision)
    check_num_batches(training, phases, topic)

    identity = [
        images.seed,
        inputs.recipe.fingerprint_input(),
        images.rows.tolist(),
        *([inputs.plugins_hash] if inputs.plugins_hash else []),
    ]
    remaining = remaining_phases(phases, fold_paths.checkpoint, identity, precision)
    if remaining[0].is_resumed:
        say(topic, f"resuming at {remaining[0].position}")
    history: list[dict[str, Any]] = []
    for current in remaining:
        if not current.is_resumed:
            current.state.history = history  # continues that of the phases before it
        _train_phase(inputs, current, held_out, fold_paths, topic)
        history = current.state.history
    inference_net = in_full_precision(inputs, net, phases[-1], precision)
    trained = TrainedNet(facts, net, phases[-1], inference_net, images, pd.DataFrame(history))
    if training.num_images:
        _report_memorisation(trained, topic)
    return trained


def _train_phase(
    inputs: TrainingInputs, remaining: RemainingPhase, held_out: np.ndarray, fold_paths: FoldPaths, topic: str
) -> None:
    """Trains one phase of a fold to its end, and computes the final batch statistics of its net."""
    phase = remaining.phase
    symmetry = inputs.facts.images.symmetry
    predictor = Predictor(phase.batch_trainer.net, symmetry, tta=False, view_of=phase.view_of)

    def compute_score() -> float:
        phase.statistics.gather(NUM_STATISTICS_IMAGES_PER_EPOCH)
        return _score(inputs, held_out, predictor(phase.net_inputs, inputs.store.rows_of(inputs.train["id"][held_out])))

    training = inputs.recipe.training
    callbacks = build_callbacks(training.callbacks, fold_paths.folder)
    TrainingLoop(remaining, training, metric_of(inputs.facts), compute_score, callbacks, topic).run()
    began = time.monotonic()
    if num_images := phase.statistics.gather(NUM_STATISTICS_IMAGES_FINAL):
        took = format_duration(time.monotonic() - began)
        say(topic, f"batch statistics computed on {count_of(num_images, 'image')}, {took}")


def _training_images(inputs: TrainingInputs, fold: int, held_out: np.ndarray) -> TrainingImages:
    """Returns the images that are not held out, or `training.num_images` of them, evenly from all classes."""
    rows, targets = inputs.store.rows_of(inputs.train["id"][~held_out]), inputs.targets[~held_out]
    seed = int(np.random.SeedSequence([inputs.seed, fold]).generate_state(1)[0])
    if inputs.recipe.training.num_images:
        subset = _subset(losses.balancing_classes(inputs.facts, targets), inputs.recipe.training.num_images, seed)
        rows, targets = rows[subset], targets[subset]
    return TrainingImages(inputs.store.pixels, inputs.features_file, rows, targets, seed, inputs.num_workers)


def _report_memorisation(trained: TrainedNet, topic: str) -> None:
    """Reports the share of training images that are memorised: if it is not nearly all, the set-up is broken."""
    outputs = trained.predict(trained.images.rows, tta=False)
    targets = trained.images.targets
    exclusive = trained.facts.exclusive_classes
    decided = decide(outputs, exclusive)
    share = float(np.mean(decided.reshape(len(targets), -1) == targets.reshape(len(targets), -1)))
    failure = "NOT learnt: check images, labels and the learning rate"
    verdict = "the set-up can learn" if share >= 0.95 else failure
    say(topic, f"{share:.0%} of {count_of(len(targets), 'training image')} memorised: {verdict}")


def _subset(classes: np.ndarray, num_images: int, seed: int) -> np.ndarray:
    """Returns the positions of `num_images` images, taken from each class in turn."""
    order = np.random.default_rng(seed).permutation(len(classes))
    rank_in_class = pd.Series(classes[order]).groupby(classes[order]).cumcount().to_numpy()
    return order[np.argsort(rank_in_class, kind="stable")][:num_images]
