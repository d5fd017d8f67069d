"""One fold, in the order of work: trains on the other folds, predicts the fold itself and the test set, saves."""

import time
from typing import Any

import cv2
import keras
import numpy as np
import pandas as pd

from medfold.models import build_net, make_deterministic, resolve_precision
from medfold.prediction import Predictor
from medfold.runs import check_finite, predictions_table
from medfold.scoring import aggregate, metric_of, to_classes, to_labels
from medfold.terminal.console import format_duration, say, warn
from medfold.terminal.progress import progress_bar
from medfold.text import count_of
from medfold.training.batches import class_balance
from medfold.training.fold.fold_files import FoldFiles
from medfold.training.fold.frozen_features import compute_features
from medfold.training.fold.kept_nets import KeptNets
from medfold.training.fold.recipe_checks import (
    check_num_batches,
    check_trainable,
    check_training_images,
)
from medfold.training.fold.self_check import self_check, self_check_input
from medfold.training.fold.tensorflow_errors import tensorflow_errors_explained
from medfold.training.fold.trained_net import TrainedNet, in_full_precision
from medfold.training.fold_inputs import FoldInputs
from medfold.training.loop.callbacks import build_callbacks
from medfold.training.loop.phases import Phase, TrainingImages, plan_phases
from medfold.training.loop.training_loop import TrainingLoop
from medfold.training.loop.training_state import RemainingPhase, remaining_phases

NUM_STATISTICS_IMAGES_PER_EPOCH = 128  # more change the score of an epoch by less than its sampling error
NUM_STATISTICS_IMAGES_FINAL = 2048  # once per fold; not tuned


def train_fold(fold: FoldInputs, kept_nets: KeptNets | None = None) -> float:
    """Trains a fold and writes its weights, history, OOF and test predictions, and a marker that it is trained.

    Args:
        fold: settings and data of the fold.
        kept_nets: the nets of the fold before in this process, for a shorter start. Defaults to none.

    Returns:
        The score on the fold; nan if undefined.

    Raises:
        UserError: the recipe cannot be trained on these images, or the loss or a prediction is not a number.
    """
    inputs = fold.run_inputs
    fold_files = FoldFiles(fold.paths)
    fold_files.remove_temporaries()
    cv2.setNumThreads(1)  # workers process the images in parallel already
    with tensorflow_errors_explained(fold.topic):
        trained = _train(fold, kept_nets or KeptNets())
        oof, test = _predict(fold, trained)
    oof_table = predictions_table(inputs.facts, fold.validation["id"], oof, fold=fold.number)
    test_table = predictions_table(inputs.facts, inputs.test["id"], test)
    fold_files.write_net_and_predictions(trained, oof_table, test_table)
    warnings = self_check(self_check_input(fold, trained, oof))  # runs the net: after its weights are saved
    for warning in warnings:
        warn(fold.topic, f"SUSPICIOUS: {warning}")
    if warnings:
        warn(fold.topic, 'what to look at first: docs/honest-scores.md, "Failed training"')
    fold_files.mark_trained(warnings)
    return _score(fold, oof)


def _train(fold: FoldInputs, kept_nets: KeptNets) -> TrainedNet:
    """Trains all phases of a fold, from the start or from a checkpoint."""
    inputs = fold.run_inputs
    training = inputs.recipe.training
    images = _training_images(fold)
    check_trainable(inputs.facts, inputs.recipe)
    check_training_images(inputs.facts, training, images, fold.topic)
    if training.head_epochs:
        compute_features(inputs)
    precision = resolve_precision(training.precision)

    def build() -> tuple[keras.Model, list[Phase]]:
        make_deterministic(images.seed, training.deterministic)
        net = build_net(inputs.facts, inputs.recipe, precision=precision)
        return net, plan_phases(inputs.facts, inputs.recipe, net, images, precision)

    # A plugin may put other things than variables into a trace, and a callback may change the net or its optimizer.
    is_traced_alike = not inputs.plugins_hash and not training.callbacks
    net, phases = (kept_nets if is_traced_alike else KeptNets()).prepare(build)
    check_num_batches(training, phases, fold.topic)
    history = _train_phases(fold, remaining_phases(phases, fold.paths.checkpoint, _identity(fold, images), precision))
    inference_net = in_full_precision(inputs, net, phases[-1], precision)
    trained = TrainedNet(inputs.facts, net, phases[-1], inference_net, images, pd.DataFrame(history))
    if training.check_memorised:
        _report_memorisation(trained, fold.topic)
    return trained


def _training_images(fold: FoldInputs) -> TrainingImages:
    """Returns the images of the other folds, or `training.num_images` of them, evenly from all classes."""
    inputs = fold.run_inputs
    is_used = ~fold.is_validation
    rows, targets = inputs.store.rows_of(inputs.train["id"][is_used]), inputs.targets[is_used]
    seed = int(np.random.SeedSequence([inputs.seed, fold.number]).generate_state(1)[0])
    if inputs.recipe.training.num_images:
        classes = class_balance.balancing_classes(inputs.facts, targets)
        subset = _subset(classes, inputs.recipe.training.num_images, seed)
        rows, targets = rows[subset], targets[subset]
    return TrainingImages(inputs.store.pixels, inputs.features_file, rows, targets, seed, inputs.num_workers)


def _subset(classes: np.ndarray, num_images: int, seed: int) -> np.ndarray:
    """Returns the positions of `num_images` images, taken from each class in turn."""
    order = np.random.default_rng(seed).permutation(len(classes))
    rank_in_class = pd.Series(classes[order]).groupby(classes[order]).cumcount().to_numpy()
    return order[np.argsort(rank_in_class, kind="stable")][:num_images]


def _identity(fold: FoldInputs, images: TrainingImages) -> list[Any]:
    """Returns what identifies a training: a checkpoint of another one is not resumed."""
    plugins = [fold.run_inputs.plugins_hash] if fold.run_inputs.plugins_hash else []
    return [images.seed, fold.run_inputs.recipe.fingerprint_input(), images.rows.tolist(), *plugins]


def _train_phases(fold: FoldInputs, remaining: list[RemainingPhase]) -> list[dict[str, Any]]:
    """Trains the remaining phases of a fold, one after the other, and returns the history: one row per epoch."""
    if remaining[0].is_resumed:
        say(fold.topic, f"resuming at {remaining[0].position}")
    history: list[dict[str, Any]] = []
    for phase in remaining:
        history = _train_phase(fold, phase.continuing(history))
    return history


def _train_phase(fold: FoldInputs, remaining: RemainingPhase) -> list[dict[str, Any]]:
    """Trains one phase to its end, computes the final batch statistics of its net, and returns the history so far."""
    inputs, phase = fold.run_inputs, remaining.phase
    predictor = Predictor(phase.batch_trainer.net, inputs.facts.images.symmetry, tta=False, view_of=phase.view_of)

    def compute_score() -> float:
        phase.statistics.gather(NUM_STATISTICS_IMAGES_PER_EPOCH)
        return _score(fold, predictor(phase.net_inputs, inputs.store.rows_of(fold.validation["id"])))

    training = inputs.recipe.training
    callbacks = build_callbacks(training.callbacks, fold.paths.folder)
    history = TrainingLoop(remaining, training, metric_of(inputs.facts), compute_score, callbacks, fold.topic).run()
    began = time.monotonic()
    if num_images := phase.statistics.gather(NUM_STATISTICS_IMAGES_FINAL):
        took = format_duration(time.monotonic() - began)
        say(fold.topic, f"batch statistics computed on {count_of(num_images, 'image')}, {took}")
    return history


def _report_memorisation(trained: TrainedNet, topic: str) -> None:
    """Reports the share of training images that are memorised: if it is not nearly all, the set-up is broken."""
    outputs = trained.predict(trained.images.rows, tta=False)
    targets = trained.images.targets
    decided = to_classes(outputs) if trained.facts.has_exclusive_classes else to_labels(outputs)
    share = float(np.mean(decided.reshape(len(targets), -1) == targets.reshape(len(targets), -1)))
    failure = "NOT learnt: check images, labels and the learning rate"
    verdict = "the set-up can learn" if share >= 0.95 else failure
    say(topic, f"{share:.0%} of {count_of(len(targets), 'training image')} memorised: {verdict}")


def _predict(fold: FoldInputs, trained: TrainedNet) -> tuple[np.ndarray, np.ndarray]:
    """Predicts the validation images and the test set, with a progress bar.

    Returns:
        Two arrays, float32 (images, columns).

    Raises:
        UserError: a prediction is not a number.
    """
    inputs = fold.run_inputs
    oof_ids, test_ids = fold.validation["id"], inputs.test["id"]
    with progress_bar(fold.topic, len(oof_ids) + len(test_ids)) as bar:
        bar.describe("predict")
        oof = trained.predict(inputs.store.rows_of(oof_ids), inputs.recipe.tta, bar.advance)
        test = trained.predict(inputs.store.rows_of(test_ids), inputs.recipe.tta, bar.advance)
    check_finite(oof, oof_ids, f"{fold.topic}, OOF")
    check_finite(test, test_ids, f"{fold.topic}, test set")
    return oof, test


def _score(fold: FoldInputs, predictions: np.ndarray) -> float:
    """Scores the predictions of the validation images by the metric of the competition; nan if undefined."""
    facts = fold.run_inputs.facts
    aggregated = aggregate(facts, fold.validation["unit"].to_numpy(), fold.validation_targets, predictions)
    return metric_of(facts)(aggregated.targets, aggregated.predictions)
