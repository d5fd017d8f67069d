"""The input pipeline: position k of epoch e is a function of (seed, e, k) alone, whoever computes it and when."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from medfold import files
from medfold.training.mixup import Batch, Mixer


@dataclass(frozen=True, eq=False)
class TrainingBatches:
    """An endless, shuffled, augmented sequence of training batches.

    Args:
        images: (images, ...), may be memory-mapped: uint8 pixels (images, height, width, channels), or what stands for
            them.
        rows: int (n,), the images to train on.
        targets: float32 (n, columns).
        weights: float32 (n,), how much each image counts.
        augment: (image, seed) -> what the net gets of it, always of one shape and type.
        batch_size: images per batch.
        seed: of order, augmentation and mixing.
        mix: (images, targets, weights, random generator) -> the same, mixed within the batch. Defaults to none.
        classes: int (n,), the class of each image, if each shall be drawn equally often. Defaults to none.
    """

    images: np.ndarray
    rows: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    augment: Callable[[np.ndarray, int], np.ndarray]
    batch_size: int
    seed: int
    mix: Mixer | None = None
    classes: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "epoch", lru_cache(maxsize=2)(self._draw))

    @property
    def steps(self) -> int:
        """Batches per epoch. The last incomplete one is left out; the next epoch shuffles anew."""
        return len(self.rows) // self.batch_size

    def at(self, epoch: int, position: int) -> tuple[np.ndarray, np.ndarray, np.float32]:
        """Augmented image, targets and weight at a position of an epoch."""
        order, seeds = self.epoch(epoch)
        sample = order[position]
        image = self.augment(np.asarray(self.images)[self.rows[sample]], int(seeds[position]))
        return image, self.targets[sample], self.weights[sample]

    def layout(self) -> tuple[tuple[int, ...], np.dtype]:
        """Shape and type of the images of a batch: those of the augmented ones; float32 if they are mixed."""
        first, _, _ = self.at(0, 0)
        return (self.batch_size, *first.shape), np.dtype(np.float32) if self.mix else first.dtype

    def batch(self, step: int, into: np.ndarray | None = None) -> Batch:
        """A batch, counted through all epochs.

        Args:
            step: its number, from 0.
            into: of `layout`, takes the images. Defaults to an array of its own.

        Returns:
            Images (batch, ...), targets float32 (batch, columns), weights float32 (batch,).
        """
        epoch, number = divmod(step, self.steps)
        positions = range(number * self.batch_size, (number + 1) * self.batch_size)
        parts = [self.at(epoch, position) for position in positions]
        into_now = None if self.mix else into
        images = np.stack([image for image, _, _ in parts], out=into_now)
        files.release_pages(self.images)
        targets, weights = np.stack([target for _, target, _ in parts]), np.array([weight for _, _, weight in parts])
        if self.mix is None:
            return images, targets, weights
        rng = np.random.default_rng([self.seed, step, 1 << 32])
        images, targets, weights = self.mix(images.astype(np.float32), targets, weights, rng)
        if into is None:
            return images, targets, weights
        into[:] = images
        return into, targets, weights

    def _draw(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """An epoch: positions in `rows`, int (steps * batch_size,), and the seed of each one's augmentation."""
        rng, size = np.random.default_rng([self.seed, epoch]), self.steps * self.batch_size
        seeds = rng.integers(1 << 62, size=size)
        if self.classes is None:
            return rng.permutation(len(self.rows))[:size], seeds
        # Each class is gone through as often as it takes, in a new order each time. What is cut off at the end is of
        # other classes in each epoch, which matters where there are many: sets of labels.
        members = [np.flatnonzero(self.classes == each) for each in rng.permutation(np.unique(self.classes))]
        share = -(-size // len(members))
        drawn = [np.concatenate([rng.permutation(m) for _ in range(-(-share // len(m)))])[:share] for m in members]
        return rng.permutation(np.stack(drawn, axis=1).ravel()[:size]), seeds

    def __getstate__(self) -> dict[str, Any]:
        state = {key: value for key, value in vars(self).items() if key != "epoch"}
        if isinstance(self.images, np.memmap):  # to another process goes where it is, not what is in it
            where = {"filename": self.images.filename, "offset": self.images.offset}
            state["images"] = {**where, "dtype": self.images.dtype, "shape": self.images.shape}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state["images"], dict):
            state["images"] = np.memmap(mode="r", **state["images"])
        vars(self).update(state)
        self.__post_init__()
