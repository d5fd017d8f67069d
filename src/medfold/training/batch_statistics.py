"""Batch normalisation: mean and variance of what a net sees, gathered anew for the weights that are scored and kept.

During training each layer averages the statistics of the batches as it goes, with a momentum that is fixed by the net
(0.99 in most of keras.applications). After a few hundred steps such an average still holds what the net was initialised
with, and it is never that of averaged weights. So it is not used: before a net is asked for predictions, its statistics
are gathered exactly, over training images as they are, without augmentation (Wu and Johnson 2021, arXiv 2105.07576,
'precise batch normalisation').
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import numpy as np

from medfold import files
from medfold.models import resolve_compile

BATCH = 64  # images at a time, at most


class BatchStatistics:
    """Gathers the statistics of a net's batch normalisation.

    Layers that are frozen keep theirs; a net without such layers costs nothing.

    Args:
        model: the net.
        images: (images, ...), may be memory-mapped.
        rows: int (n,), the images to train on.
        view: (images of a batch) -> what the net takes.
        seed: decides which of them are taken, where there are more than are asked for.
    """

    def __init__(
        self,
        model: keras.Model,
        images: np.ndarray,
        rows: np.ndarray,
        view: Callable[[np.ndarray], np.ndarray],
        seed: int,
    ):
        self._model, self._images, self._view = model, images, view
        self._rows = np.random.default_rng([seed, 2**33]).permutation(rows)
        self._layers = [each for each in _normalisations(model) if each.trainable]
        # The same layers, compiled apart: what predicts must not be compiled while they normalise by the batch.
        self._twin = keras.Model(model.inputs, model.outputs)
        self._twin.jit_compile = resolve_compile("auto")

    def gather(self, most: int) -> int:
        """Sets mean and variance of each layer to those over training images.

        Args:
            most: so many images, or all if there are fewer.

        Returns:
            How many images were looked at; 0 for a net without batch normalisation.
        """
        if not self._layers:
            return 0
        rows = self._rows[:most]  # in random order: a batch of one class alone would not be like the others
        batches = -(-len(rows) // BATCH)
        size = len(rows) // batches
        before = [(np.array(each.moving_mean), np.array(each.moving_variance)) for each in self._layers]
        if not all(np.isfinite(each).all() for pair in before for each in pair):  # a step overflowed
            before = [(np.zeros_like(mean), np.ones_like(variance)) for mean, variance in before]
            self._set(before)
        sums = None
        for number in range(batches):
            here = np.sort(rows[number * size : (number + 1) * size])
            batch = np.asarray(self._images[here], np.float32)
            found = self._statistics(self._view(batch))
            means, variances = found[::2], found[1::2]
            parts = [*means, *(v + m**2 for m, v in zip(means, variances, strict=True))]
            sums = parts if sums is None else [one + other for one, other in zip(sums, parts, strict=True)]
        files.release_pages(self._images)
        averages = [each / batches for each in sums]
        count = len(self._layers)
        found = [
            (mean, np.maximum(square - mean**2, 0))
            for mean, square in zip(averages[:count], averages[count:], strict=True)
        ]
        overflowed = not all(np.isfinite(each).all() for pair in found for each in pair)
        self._set(before if overflowed else found)
        return batches * size

    def _set(self, statistics: list[tuple[np.ndarray, np.ndarray]]) -> None:
        for layer, (mean, variance) in zip(self._layers, statistics, strict=True):
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(variance)

    def _statistics(self, batch: np.ndarray) -> list[np.ndarray]:
        """Mean and variance of a batch at each layer, one after the other, float64."""
        with _one_batch_at_a_time(self._layers):
            self._twin.predict_on_batch(batch)
        moving = [each for layer in self._layers for each in (layer.moving_mean, layer.moving_variance)]
        return [np.array(each, np.float64) for each in moving]


@contextmanager
def _one_batch_at_a_time(layers: list[keras.layers.BatchNormalization]) -> Iterator[None]:
    """Within the block these layers normalise by the batch and remember it alone, whatever mode the net is in.

    All other layers stay as they are when the net predicts: dropout would change what the next layers see.
    """
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
        layer.call = _always_training(layer.call)
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
            del layer.call


def _always_training(call: Callable) -> Callable:
    return lambda inputs, training=None, mask=None: call(inputs, training=True, mask=mask)


def _normalisations(model: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            yield layer
        elif isinstance(layer, keras.Model):
            yield from _normalisations(layer)
