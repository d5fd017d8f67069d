"""From the feature maps of a backbone to one vector."""

import keras
from keras import layers


def feature_maps(net: keras.Model) -> list:
    """The last feature map of each resolution from a quarter of the image on; of a net that ends in a vector, that."""
    if len(net.output.shape) != 4:
        return [net.output]
    least, most = net.output.shape[1], -(-net.input.shape[1] // 4)
    found = {}
    for step in net.operations:
        # Padding makes a size of its own, for the convolution that follows.
        if not isinstance(step, (layers.ZeroPadding2D, layers.InputLayer)) and len(step.output.shape) == 4:
            found[step.output.shape[1]] = step.output
    return [found[size] for size in sorted(found, reverse=True) if least <= size <= max(most, least)]


def pyramid(maps: list):
    pools = layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D
    pooled = [pool()(each) for each in maps for pool in pools] if len(maps[0].shape) == 4 else maps
    return layers.Concatenate(name="pyramid")(pooled) if len(pooled) > 1 else pooled[0]
