"""Phases of a training: the head alone on features of a frozen backbone, all layers, or both in turn."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from medfold.competition import CompetitionFacts, Recipe
from medfold.models import resolve_compile, split_backbone_and_head
from medfold.training.batches import class_balance
from medfold.training.batches.augmentation import build_augmenter, random_view
from medfold.training.batches.batches import TrainingBatches
from medfold.training.batches.mixup import Mixer, build_mixer
from medfold.training.loop import losses
from medfold.training.loop.batch_statistics import BatchStatistics
from medfold.training.loop.batch_trainer import BatchTrainer
from medfold.training.loop.optimizer import build_optimizer


@dataclass(frozen=True)
class TrainingImages:
    """Images and targets to train a fold on.

    Args:
        store_pixels: uint8 (images, height, width, channels), may be memory-mapped: all images of the store, including
            images of other folds.
        features_file: file with the features of a frozen backbone; read only if the head is trained alone.
        rows: int (n,), the images to train on.
        targets: int (n,) or (n, labels), in the order of `rows`.
        seed: seed of the order, the augmentation and the mixing.
        num_workers: number of processes that make batches.
    """

    store_pixels: np.ndarray
    features_file: Path
    rows: np.ndarray
    targets: np.ndarray
    seed: int
    num_workers: int


@dataclass(frozen=True)
class Phase:
    """A phase of a training: the net, its data and its number of epochs.

    Args:
        name: head (the head alone) or all (all layers); written to the history.
        batch_trainer: trains the net, with its optimizer.
        net_inputs: what the net predicts on: pixels, or the features of a frozen backbone.
        view_of: (images of a batch, number of the view) -> input of the net; None for pixels.
        batches: the training batches.
        epochs: number of epochs.
        num_workers: number of processes that make batches.
        statistics: recomputes the batch normalisation statistics of the net.
    """

    name: str
    batch_trainer: BatchTrainer
    net_inputs: np.ndarray
    view_of: Callable[[np.ndarray, int], np.ndarray] | None
    batches: TrainingBatches
    epochs: int
    num_workers: int
    statistics: BatchStatistics

    def trained_by(self, traced: "Phase") -> "Phase":
        """Returns this phase with the traced net of another phase. Both must have the same net and constants.

        Args:
            traced: the phase that gives its net and its trainer; they get the initial values of this phase.
        """
        traced.batch_trainer.restore(self.batch_trainer.values(), num_batches=0, updates_before=0)
        statistics = self.statistics.computed_by(traced.statistics)
        return replace(self, batch_trainer=traced.batch_trainer, statistics=statistics)

    @property
    def trains_head_only(self) -> bool:
        """True if the backbone is frozen, and the net is the head alone."""
        return self.name == "head"

    @property
    def prefix(self) -> str:
        """Text before an epoch's number on the terminal."""
        return "head, " if self.trains_head_only else ""


def plan_phases(
    facts: CompetitionFacts, recipe: Recipe, net: keras.Model, images: TrainingImages, precision: str
) -> list[Phase]:
    """Plans the phases of a recipe in order, each with its net compiled.

    Args:
        facts: facts of the competition (task, classes, symmetry).
        recipe: the recipe (the epochs of each phase, and how to train).
        net: the whole net, backbone and head.
        images: the images and targets of the fold.
        precision: precision of the computations: float32, float16 or bfloat16.
    """
    builder = _PhaseBuilder(facts, recipe, images, precision)
    training = recipe.training
    head = [builder.build_head_phase(net)] if training.head_epochs else []
    return head + ([builder.build_all_layers_phase(net)] if training.epochs else [])


@dataclass(frozen=True)
class _PhaseBuilder:
    """Builds the phases of a training, which share their settings."""

    facts: CompetitionFacts
    recipe: Recipe
    images: TrainingImages
    precision: str

    def build_head_phase(self, net: keras.Model) -> Phase:
        """Builds the phase that trains the head alone, on features of the frozen backbone."""
        training = self.recipe.training
        features = np.load(self.images.features_file, mmap_mode="r")
        _, head = split_backbone_and_head(net)
        net_inputs = features[:, :1] if self.recipe.augment == "none" else features
        batches = self._build_batches(net_inputs, random_view, Mixer(training.mixup, 0) if training.mixup else None)
        return Phase(
            name="head",
            batch_trainer=self._build_batch_trainer(
                head, training.head_learning_rate, batches.batches_per_epoch * training.head_epochs
            ),
            net_inputs=features,
            view_of=_view,
            batches=batches,
            epochs=training.head_epochs,
            num_workers=0,
            statistics=self._build_statistics(head, features, lambda batch: _view(batch, 0)),
        )

    def build_all_layers_phase(self, net: keras.Model) -> Phase:
        """Builds the phase that trains all layers, on pixels."""
        training = self.recipe.training
        pixels = self.images.store_pixels
        augment = build_augmenter(self.recipe.augment, self.facts.images.symmetry, pixels.shape[1:])
        batches = self._build_batches(pixels, augment, build_mixer(training))
        return Phase(
            name="all",
            batch_trainer=self._build_batch_trainer(
                net, training.learning_rate, batches.batches_per_epoch * training.epochs
            ),
            net_inputs=pixels,
            view_of=None,
            batches=batches,
            epochs=training.epochs,
            num_workers=self.images.num_workers,
            statistics=self._build_statistics(net, pixels, lambda batch: batch),
        )

    def _build_batches(self, net_inputs: np.ndarray, augment: Callable, mix: Mixer | None) -> TrainingBatches:
        """Builds the batches of a phase.

        Args:
            net_inputs: (images, ...), pixels or features of all images.
            augment: (image, seed) -> input of the net.
            mix: mixes the images of a batch; None for no mixing.
        """
        facts = self.facts
        training = self.recipe.training
        targets = self.images.targets
        return TrainingBatches(
            net_inputs=net_inputs,
            rows=self.images.rows,
            targets=class_balance.target_columns(facts, targets),
            sample_weights=class_balance.sample_weights(facts, training.class_weights, targets),
            augment=augment,
            batch_size=training.batch_size,
            seed=self.images.seed,
            mix=mix,
            classes=class_balance.balancing_classes(facts, targets) if training.sampler == "balanced" else None,
        )

    def _build_batch_trainer(self, net: keras.Model, learning_rate: float, num_batches: int) -> BatchTrainer:
        """Builds the trainer of a phase: its net compiled with optimizer and loss.

        Args:
            net: the net to train.
            learning_rate: the highest learning rate.
            num_batches: number of batches in the whole phase.
        """
        training = self.recipe.training
        optimizer = build_optimizer(training, learning_rate, num_batches)
        if self.precision == "float16":  # small gradients would underflow
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")
        loss = losses.build_loss(self.facts, training, self.images.targets)
        return BatchTrainer(net, optimizer, loss, jit_compile=resolve_compile(training.jit_compile))

    def _build_statistics(self, net: keras.Model, net_inputs: np.ndarray, view: Callable) -> BatchStatistics:
        """Builds the object that recomputes the batch normalisation statistics of a net.

        Args:
            net: the net whose statistics are recomputed.
            net_inputs: (images, ...), pixels or features of all images.
            view: (images of a batch) -> input of the net.
        """
        return BatchStatistics(net, net_inputs, self.images.rows, view, self.images.seed)


def _view(batch: np.ndarray, number: int) -> np.ndarray:
    return batch[:, number]
