"""A net made of Keras' own layers alone, so that it is loaded where medfold is not installed."""

import keras
import numpy as np
from keras import layers

from medfold.models.heads import CutPoints


def to_plain_keras(model: keras.Model) -> keras.Model:
    """The same net with medfold's own layers put in other words.

    - `CutPoints` becomes two dense layers: the sigmoids above each cut, and their differences.
    - A `Lambda` that takes a channel becomes a convolution of 1 x 1.

    Args:
        model: as `build_model` builds it, computing in float32.

    Returns:
        A net that `keras.models.load_model` loads by itself, with equal predictions but for rounding.
    """
    plain = keras.models.clone_model(model, clone_function=_in_other_words)
    for layer in model.layers:
        twin = plain.get_layer(layer.name)
        if isinstance(layer, CutPoints):
            _set_cut_points(twin, layer)
        elif isinstance(layer, layers.Lambda):
            kernel = np.zeros((1, 1, twin.input.shape[-1], 1), np.float32)
            kernel[0, 0, layer.arguments["number"], 0] = 1
            twin.set_weights([kernel])
        else:
            twin.set_weights(layer.get_weights())
    return plain


def _in_other_words(layer: keras.layers.Layer) -> keras.layers.Layer:
    if isinstance(layer, CutPoints):
        above = layers.Dense(layer.classes - 1, activation="sigmoid", name="above")
        between = layers.Dense(layer.classes, name="between")
        return keras.Sequential([keras.Input((1,)), above, between], name=layer.name)
    if isinstance(layer, layers.Lambda):
        take = layers.Conv2D(1, 1, use_bias=False)
        return keras.Sequential([keras.Input(layer.input.shape[1:]), take], name=layer.name)
    return layer.__class__.from_config(layer.get_config())


def _set_cut_points(twin: keras.Sequential, layer: CutPoints) -> None:
    steps = np.asarray(layer.cuts, np.float64)
    cuts = np.cumsum(np.concatenate([steps[:1], np.log1p(np.exp(steps[1:]))]))
    count = layer.classes - 1
    # P(class k) = P(above cut k - 1) - P(above cut k); above the first is 1, above the last is 0.
    differences = np.zeros((count, count + 1))
    for cut in range(count):
        differences[cut, cut], differences[cut, cut + 1] = -1, 1
    first = np.eye(1, count + 1)[0]
    twin.set_weights([np.ones((1, count)), -cuts, differences, first])
