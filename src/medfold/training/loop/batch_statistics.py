"""Batch normalisation statistics, recomputed exactly for the weights that are scored and saved.

During training each layer keeps a moving average of mean and variance, with a momentum that is fixed by the net
(0.99 in most of keras.applications). After a few hundred batches this average still contains the initial values, and
it never belongs to averaged weights. So it is not used: before a net predicts, its statistics are computed over
training images without augmentation (Wu and Johnson 2021, arXiv 2105.07576, 'precise batch normalisation').
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import numpy as np

from medfold.models import resolve_compile
from medfold.system.array_files import release_pages

MAX_BATCH_SIZE = 64  # images per forward pass


class BatchStatistics:
    """Batch normalisation statistics of a net, recomputed over training images.

    Frozen layers keep theirs. For a net without batch normalisation this costs nothing.

    Args:
        net: the net whose statistics are recomputed.
        net_inputs: (images, ...), may be memory-mapped: uint8 pixels, or features.
        rows: int (n,), the images to train on.
        view: (images of a batch) -> input of the net.
        seed: seed of the choice of the images, if there are more than requested.
    """

    def __init__(
        self,
        net: keras.Model,
        net_inputs: np.ndarray,
        rows: np.ndarray,
        view: Callable[[np.ndarray], np.ndarray],
        seed: int,
    ):
        self._net = net
        self._net_inputs = net_inputs
        self._view = view
        self._rows = np.random.default_rng([seed, 2**33]).permutation(rows)
        self._layers = [layer for layer in _normalisation_layers(net) if layer.trainable]
        # Shares the layers but is compiled separately: the predicting net must not be compiled while they are patched.
        self._statistics_net = keras.Model(net.inputs, net.outputs)
        self._statistics_net.jit_compile = resolve_compile("auto")

    def computed_by(self, traced: "BatchStatistics") -> "BatchStatistics":
        """Returns the statistics over these images, computed in the net of others, which is traced already."""
        result = copy.copy(self)
        result._net, result._layers, result._statistics_net = traced._net, traced._layers, traced._statistics_net
        return result

    def gather(self, max_images: int) -> int:
        """Sets mean and variance of each layer to the mean and variance over training images.

        Args:
            max_images: number of images to use; all if there are fewer.

        Returns:
            The number of images used; 0 for a net without batch normalisation.
        """
        if not self._layers:
            return 0
        rows = self._rows[:max_images]  # in random order: the images may be sorted by class
        num_batches = -(-len(rows) // MAX_BATCH_SIZE)
        batch_size = len(rows) // num_batches
        before = [(np.array(layer.moving_mean), np.array(layer.moving_variance)) for layer in self._layers]
        if not all(np.isfinite(value).all() for pair in before for value in pair):  # a batch overflowed
            before = [(np.zeros_like(mean), np.ones_like(variance)) for mean, variance in before]
            self._set(before)
        sums = None
        for index in range(num_batches):
            batch_rows = np.sort(rows[index * batch_size : (index + 1) * batch_size])
            batch = np.asarray(self._net_inputs[batch_rows], np.float32)
            statistics = self._statistics(self._view(batch))
            means, variances = statistics[::2], statistics[1::2]
            moments = [*means, *(v + m**2 for m, v in zip(means, variances, strict=True))]
            sums = moments if sums is None else [total + moment for total, moment in zip(sums, moments, strict=True)]
        release_pages(self._net_inputs)
        averages = [total / num_batches for total in sums]
        num_layers = len(self._layers)
        gathered = [
            (mean, np.maximum(square - mean**2, 0))
            for mean, square in zip(averages[:num_layers], averages[num_layers:], strict=True)
        ]
        overflowed = not all(np.isfinite(value).all() for pair in gathered for value in pair)
        self._set(before if overflowed else gathered)
        return num_batches * batch_size

    def _set(self, statistics: list[tuple[np.ndarray, np.ndarray]]) -> None:
        for layer, (mean, variance) in zip(self._layers, statistics, strict=True):
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(variance)

    def _statistics(self, batch: np.ndarray) -> list[np.ndarray]:
        """Returns mean and variance of a batch at each layer in turn, float64."""
        with _statistics_of_one_batch(self._layers):
            self._statistics_net.predict_on_batch(batch)
        moving = [value for layer in self._layers for value in (layer.moving_mean, layer.moving_variance)]
        return [np.array(value, np.float64) for value in moving]


@contextmanager
def _statistics_of_one_batch(layers: list[keras.layers.BatchNormalization]) -> Iterator[None]:
    """Makes layers normalise by the current batch and store its statistics within the block, in any mode of the net.

    All other layers stay in inference mode: dropout would change the inputs of later layers.
    """
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
        layer.call = _in_training_mode(layer.call)
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
            del layer.call


def _in_training_mode(call: Callable) -> Callable:
    return lambda inputs, training=None, mask=None: call(inputs, training=True, mask=mask)


def _normalisation_layers(net: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    """Yields the batch normalisation layers of a net and of the nets inside it."""
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            yield layer
        elif isinstance(layer, keras.Model):
            yield from _normalisation_layers(layer)
