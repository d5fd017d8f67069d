"""Conversion of nets to layers of Keras alone, so that they can be loaded without medfold."""

import keras
import numpy as np
from keras import layers

from medfold.models.heads import CutPoints


def to_plain_keras(net: keras.Model) -> keras.Model:
    """Returns an equivalent net without layers that need code of medfold.

    - `CutPoints` becomes two dense layers: the sigmoid for each cut, and the differences between them.
    - A `Lambda` that selects a channel becomes a 1 x 1 convolution.

    Args:
        net: a net from `build_net` that computes in float32.

    Returns:
        A net that `keras.models.load_model` can load without medfold; its predictions are equal up to rounding.
    """
    plain = keras.models.clone_model(net, clone_function=_plain_layer)
    for layer in net.layers:
        replacement = plain.get_layer(layer.name)
        if isinstance(layer, CutPoints):
            _set_cut_points(replacement, layer)
        elif isinstance(layer, layers.Lambda):
            kernel = np.zeros((1, 1, replacement.input.shape[-1], 1), np.float32)
            kernel[0, 0, layer.arguments["number"], 0] = 1
            replacement.set_weights([kernel])
        else:
            replacement.set_weights(layer.get_weights())
    return plain


def _plain_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Returns the layer of Keras alone that replaces a layer; its weights are set later."""
    if isinstance(layer, CutPoints):
        above = layers.Dense(layer.num_classes - 1, activation="sigmoid", name="above")
        between = layers.Dense(layer.num_classes, name="between")
        return keras.Sequential([keras.Input((1,)), above, between], name=layer.name)
    if isinstance(layer, layers.Lambda):
        selection = layers.Conv2D(1, 1, use_bias=False)
        return keras.Sequential([keras.Input(layer.input.shape[1:]), selection], name=layer.name)
    return layer.__class__.from_config(layer.get_config())


def _set_cut_points(replacement: keras.Sequential, layer: CutPoints) -> None:
    """Sets the weights of the dense layers that replace a `CutPoints` layer."""
    steps = np.asarray(layer.cuts, np.float64)
    cuts = np.cumsum(np.concatenate([steps[:1], np.log1p(np.exp(steps[1:]))]))
    num_cuts = layer.num_classes - 1
    # P(class k) = P(above cut k - 1) - P(above cut k); before the first cut it is 1, after the last 0.
    differences = np.zeros((num_cuts, num_cuts + 1))
    for cut in range(num_cuts):
        differences[cut, cut], differences[cut, cut + 1] = -1, 1
    bias = np.eye(1, num_cuts + 1)[0]
    replacement.set_weights([np.ones((1, num_cuts)), -cuts, differences, bias])
