"""Pooling of feature maps of several resolutions into one vector."""

import keras
from keras import layers


def feature_maps(net: keras.Model) -> list:
    """Returns the last feature map of each resolution, from a quarter of the image size down to that of the output.

    For a net whose output is not a feature map, the list contains only its output.
    """
    if len(net.output.shape) != 4:
        return [net.output]
    smallest, largest = net.output.shape[1], -(-net.input.shape[1] // 4)
    maps = {}
    for operation in net.operations:
        # Padding gives a size that only the next convolution uses.
        if not isinstance(operation, (layers.ZeroPadding2D, layers.InputLayer)) and len(operation.output.shape) == 4:
            maps[operation.output.shape[1]] = operation.output
    return [maps[size] for size in sorted(maps, reverse=True) if smallest <= size <= max(largest, smallest)]


def pyramid(maps: list):
    """Concatenates the global averages and maxima of feature maps; vectors are concatenated unchanged."""
    pools = layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D
    pooled = [pool()(feature_map) for feature_map in maps for pool in pools] if len(maps[0].shape) == 4 else maps
    return layers.Concatenate(name="pyramid")(pooled) if len(pooled) > 1 else pooled[0]
