"""Training batches: drawn, augmented and mixed.

A batch depends on the seed and its number only, not on the worker that makes it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from medfold.system.array_files import release_pages

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]  # images, targets, sample_weights
Mix = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], Batch]


@dataclass(eq=False)
class TrainingBatches:
    """An endless, shuffled, augmented sequence of training batches.

    Args:
        net_inputs: (images, ...), may be memory-mapped: uint8 pixels (images, height, width, channels), or features.
        rows: int (n,), the images to train on.
        targets: float32 (n, columns).
        sample_weights: float32 (n,), the weight of each image in the loss.
        augment: (image, seed) -> input of the net, always of one shape and type.
        batch_size: images per batch.
        seed: seed of the order, the augmentation and the mixing.
        mix: (images, targets, sample weights, random generator) -> the same, mixed within the batch. Defaults to none.
        classes: int (n,), the class of each image, to draw all classes equally often. Defaults to plain shuffling.
    """

    net_inputs: np.ndarray
    rows: np.ndarray
    targets: np.ndarray
    sample_weights: np.ndarray
    augment: Callable[[np.ndarray, int], np.ndarray]
    batch_size: int
    seed: int
    mix: Mix | None = None
    classes: np.ndarray | None = None

    def __post_init__(self) -> None:
        self._cached_draw = lru_cache(maxsize=2)(self._draw)

    @property
    def batches_per_epoch(self) -> int:
        """Number of batches per epoch. The last, incomplete batch is dropped; the next epoch shuffles again."""
        return len(self.rows) // self.batch_size

    def drawn(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns what an epoch draws: positions in `rows`, int (batches * batch_size,), and the seed of each."""
        return self._cached_draw(epoch)

    def sample(self, epoch: int, position: int) -> tuple[np.ndarray, np.ndarray, np.float32]:
        """Returns augmented image, targets and weight at a position of an epoch."""
        order, seeds = self.drawn(epoch)
        index = order[position]
        image = self.augment(np.asarray(self.net_inputs)[self.rows[index]], int(seeds[position]))
        return image, self.targets[index], self.sample_weights[index]

    def batch_shape_and_dtype(self) -> tuple[tuple[int, ...], np.dtype]:
        """Returns shape and dtype of a batch of images: as the augmented images have; float32 if they are mixed."""
        first, _, _ = self.sample(0, 0)
        return (self.batch_size, *first.shape), np.dtype(np.float32) if self.mix else first.dtype

    def batch(self, number: int, into: np.ndarray | None = None) -> Batch:
        """Computes a batch.

        Args:
            number: number of the batch, counted from 0 through all epochs.
            into: array of `batch_shape_and_dtype` to write the images to. Defaults to a new array.

        Returns:
            Images (batch, ...), targets float32 (batch, columns), sample_weights float32 (batch,).
        """
        epoch, number_in_epoch = divmod(number, self.batches_per_epoch)
        positions = range(number_in_epoch * self.batch_size, (number_in_epoch + 1) * self.batch_size)
        samples = [self.sample(epoch, position) for position in positions]
        unmixed = None if self.mix else into
        images = np.stack([image for image, _, _ in samples], out=unmixed)
        release_pages(self.net_inputs)
        targets = np.stack([target for _, target, _ in samples])
        sample_weights = np.array([weight for _, _, weight in samples])
        if self.mix is None:
            return images, targets, sample_weights
        rng = np.random.default_rng([self.seed, number, 1 << 32])
        images, targets, sample_weights = self.mix(images.astype(np.float32), targets, sample_weights, rng)
        if into is None:
            return images, targets, sample_weights
        into[:] = images
        return into, targets, sample_weights

    def _draw(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws an epoch: positions in `rows`, int (batches * batch_size,), and the augmentation seed of each."""
        rng = np.random.default_rng([self.seed, epoch])
        num_drawn = self.batches_per_epoch * self.batch_size
        seeds = rng.integers(1 << 62, size=num_drawn)
        if self.classes is None:
            return rng.permutation(len(self.rows))[:num_drawn], seeds
        # Each class is repeated as often as needed, in a new order each time. The classes are shuffled: epochs then
        # differ in what is cut off at the end. This matters if there are many: sets of labels.
        members = [np.flatnonzero(self.classes == number) for number in rng.permutation(np.unique(self.classes))]
        num_per_class = -(-num_drawn // len(members))
        drawn = [_repeated(rows, num_per_class, rng) for rows in members]
        return rng.permutation(np.stack(drawn, axis=1).ravel()[:num_drawn]), seeds

    def __getstate__(self) -> dict[str, Any]:
        state = {key: value for key, value in vars(self).items() if key != "_cached_draw"}
        if isinstance(self.net_inputs, np.memmap):  # another process maps the file itself
            location = {"filename": self.net_inputs.filename, "offset": self.net_inputs.offset}
            state["net_inputs"] = {**location, "dtype": self.net_inputs.dtype, "shape": self.net_inputs.shape}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state["net_inputs"], dict):
            state["net_inputs"] = np.memmap(mode="r", **state["net_inputs"])
        vars(self).update(state)
        self.__post_init__()


def _repeated(values: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Repeats values to a given size, in a new order each time."""
    return np.concatenate([rng.permutation(values) for _ in range(-(-size // len(values)))])[:size]
