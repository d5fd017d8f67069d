"""Phases of a training: the head alone on features of a frozen backbone, all layers, or both in turn."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from medfold.competition import Competition, Recipe
from medfold.models import resolve_compile, split_backbone_and_head
from medfold.training import losses
from medfold.training.augmentation import build_augmenter, random_view
from medfold.training.batch_statistics import BatchStatistics
from medfold.training.batches import TrainingBatches
from medfold.training.mixup import Mixer, build_mixer
from medfold.training.optimizer import build_optimizer
from medfold.training.step import TrainingStep


@dataclass(frozen=True)
class TrainingImages:
    """Images and targets to train a fold on.

    Args:
        pixels: uint8 (images, height, width, channels), may be memory-mapped: all images, including those of other
            folds.
        features: file with the features of a frozen backbone; read only if the head is trained alone.
        rows: int (n,), the images to train on.
        targets: int (n,) or (n, labels), in the order of `rows`.
        seed: of order, augmentation and mixing.
        workers: number of processes that make batches.
    """

    pixels: np.ndarray
    features: Path
    rows: np.ndarray
    targets: np.ndarray
    seed: int
    workers: int


@dataclass(frozen=True)
class Phase:
    """A phase of a training: the net, its data and its number of epochs.

    Args:
        name: head (the head alone) or all (all layers); written to the history.
        step: the net with its optimizer.
        images: input for predictions: pixels, or the features of a frozen backbone.
        view_of: (images of a batch, number of the view) -> input of the net; None for pixels.
        batches: the training batches.
        epochs: number of epochs.
        workers: number of processes that make batches.
        statistics: of the batch normalisation of the net.
    """

    name: str
    step: TrainingStep
    images: np.ndarray
    view_of: Callable[[np.ndarray, int], np.ndarray] | None
    batches: TrainingBatches
    epochs: int
    workers: int
    statistics: BatchStatistics

    @property
    def prefix(self) -> str:
        """Text before an epoch's number on the terminal."""
        return "head, " if self.name == "head" else ""


def plan_phases(
    competition: Competition, recipe: Recipe, model: keras.Model, images: TrainingImages, precision: str
) -> list[Phase]:
    """Plans the phases of a recipe in order, each with its net compiled.

    Args:
        model: the whole net.
        images: to train on.
        precision: of the computation: float32, float16 or bfloat16.
    """
    plan, choices = _Plan(competition, recipe, images, precision), recipe.training
    head = [_head_phase(plan, model)] if choices.head_epochs else []
    return head + ([_whole_phase(plan, model)] if choices.epochs else [])


@dataclass(frozen=True)
class _Plan:
    """Settings and builders that the phases of a training share."""

    competition: Competition
    recipe: Recipe
    images: TrainingImages
    precision: str

    def batches(self, inputs: np.ndarray, augment: Callable, mix: Mixer | None) -> TrainingBatches:
        competition, choices, targets = self.competition, self.recipe.training, self.images.targets
        return TrainingBatches(
            images=inputs,
            rows=self.images.rows,
            targets=losses.target_columns(competition, targets),
            weights=losses.sample_weights(competition, choices.class_weights, targets),
            augment=augment,
            batch_size=choices.batch_size,
            seed=self.images.seed,
            mix=mix,
            classes=losses.balancing_classes(competition, targets) if choices.sampler == "balanced" else None,
        )

    def step(self, model: keras.Model, learning_rate: float, steps: int) -> TrainingStep:
        choices = self.recipe.training
        optimizer = build_optimizer(choices, learning_rate, steps)
        if self.precision == "float16":  # small gradients would underflow
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        loss = losses.build_loss(self.competition, choices, self.images.targets)
        return TrainingStep(model, optimizer, loss, jit_compile=resolve_compile(choices.compile))

    def statistics(self, model: keras.Model, inputs: np.ndarray, view: Callable) -> BatchStatistics:
        return BatchStatistics(model, inputs, self.images.rows, view, self.images.seed)


def _head_phase(plan: _Plan, model: keras.Model) -> Phase:
    choices, features = plan.recipe.training, np.load(plan.images.features, mmap_mode="r")
    _, head = split_backbone_and_head(model)
    inputs = features[:, :1] if plan.recipe.augment == "none" else features
    batches = plan.batches(inputs, random_view, Mixer(choices.mixup, 0) if choices.mixup else None)
    return Phase(
        name="head",
        step=plan.step(head, choices.head_learning_rate, batches.steps * choices.head_epochs),
        images=features,
        view_of=_view,
        batches=batches,
        epochs=choices.head_epochs,
        workers=0,
        statistics=plan.statistics(head, features, lambda batch: _view(batch, 0)),
    )


def _whole_phase(plan: _Plan, model: keras.Model) -> Phase:
    choices, pixels = plan.recipe.training, plan.images.pixels
    augment = build_augmenter(plan.recipe.augment, plan.competition.images.symmetry, pixels.shape[1:])
    batches = plan.batches(pixels, augment, build_mixer(choices))
    return Phase(
        name="all",
        step=plan.step(model, choices.learning_rate, batches.steps * choices.epochs),
        images=pixels,
        view_of=None,
        batches=batches,
        epochs=choices.epochs,
        workers=plan.images.workers,
        statistics=plan.statistics(model, pixels, lambda batch: batch),
    )


def _view(batch: np.ndarray, number: int) -> np.ndarray:
    return batch[:, number]
