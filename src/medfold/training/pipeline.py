"""The input pipeline: position k of epoch e is a function of (seed, e, k) alone, whoever computes it and when."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import grain
import numpy as np
import tensorflow as tf

from medfold.training.mix import Mix


@dataclass(frozen=True)
class Pipeline:
    """An endless, shuffled, augmented sequence of training batches.

    Args:
        pixels: uint8 (images, height, width, channels), may be memory-mapped.
        rows: int (n,), the images to train on.
        targets: float32 (n, columns).
        weights: float32 (n,), how much each image counts.
        augment: (pixels, seed) -> pixels.
        batch_size: images per batch.
        seed: of order, augmentation and mixing.
        mix: (images, targets, weights, random generator) -> the same, mixed within the batch. Defaults to none.
        classes: int (n,), the class of each image, if each shall be drawn equally often. Defaults to none.
    """

    pixels: np.ndarray
    rows: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    augment: Callable[[np.ndarray, int], np.ndarray]
    batch_size: int
    seed: int
    mix: Mix | None = None
    classes: np.ndarray | None = None

    @property
    def steps(self) -> int:
        """Batches per epoch. The last incomplete one is left out; the next epoch shuffles anew."""
        return len(self.rows) // self.batch_size

    def order(self, epoch: int) -> np.ndarray:
        """The order of the images in an epoch: int (steps * batch_size,), positions in `rows`."""
        rng, size = np.random.default_rng([self.seed, epoch]), self.steps * self.batch_size
        if self.classes is None:
            return rng.permutation(len(self.rows))[:size]
        # Each class is gone through as often as it takes, in a new order each time.
        members = [np.flatnonzero(self.classes == each) for each in np.unique(self.classes)]
        share = -(-size // len(members))
        drawn = [np.concatenate([rng.permutation(m) for _ in range(-(-share // len(m)))])[:share] for m in members]
        return rng.permutation(np.stack(drawn, axis=1).ravel()[:size])

    def at(self, epoch: int, position: int, order: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.float32]:
        """Image float32 0..255, targets and weight at a position of an epoch."""
        sample = order[position]
        seed = int(np.random.SeedSequence([self.seed, epoch, position]).generate_state(1)[0])
        image = self.augment(np.asarray(self.pixels[self.rows[sample]]), seed)
        return image.astype(np.float32), self.targets[sample], self.weights[sample]

    def dataset(self, start: int, stop: int) -> tf.data.Dataset:
        """The batches of steps `start` to `stop`, counted through all epochs.

        Reading ahead and augmenting run in threads; tf.data's autotuner is off, since it makes the end of a dataset
        wait for its own thread.
        """
        size = self.steps * self.batch_size
        order = lru_cache(maxsize=4)(self.order)

        def sample(number: int):
            epoch, position = divmod(number, size)
            return *self.at(epoch, position, order(epoch)), number

        threads = grain.ReadOptions(num_threads=2, prefetch_buffer_size=4 * self.batch_size)
        batches = (
            grain.MapDataset.range(start * self.batch_size, stop * self.batch_size)
            .map(sample)
            .to_iter_dataset(threads)
            .batch(self.batch_size)
        )

        def mixed(batch):
            *parts, numbers = batch
            if self.mix is None:
                return tuple(parts)
            step = int(numbers[0]) // self.batch_size
            return self.mix(*parts, np.random.default_rng([self.seed, step, 1 << 32]))

        batches = batches.map(mixed)
        height, width, channels = self.pixels.shape[1:]
        signature = (
            tf.TensorSpec((self.batch_size, height, width, channels), tf.float32),
            tf.TensorSpec((self.batch_size, self.targets.shape[1]), tf.float32),
            tf.TensorSpec((self.batch_size,), tf.float32),
        )
        options = tf.data.Options()
        options.autotune.enabled = False
        dataset = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=signature)
        return dataset.prefetch(2).with_options(options)
