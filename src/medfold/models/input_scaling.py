"""Input scaling: from pixels in 0..255 to what the weights of a backbone expect."""

import keras
import numpy as np
from keras import layers

# Pixel values enter as 0..255. Mean and deviation of ImageNet, as torchvision states them for 0..1.
TORCH_MEAN, TORCH_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


# Mean of ImageNet in blue, green, red, as Caffe's nets expect it subtracted.
CAFFE_MEAN = [103.939, 116.779, 123.68]


def to_three_channels(x):
    """What a net made for colour sees of grey images, and of those with more channels than three.

    Of these it sees the first three at first, and learns what the others are worth if all layers are trained.
    """
    depth = x.shape[-1]
    if depth == 1:
        return layers.Concatenate(name="grey_to_colour")([x, x, x])
    start = keras.initializers.Constant(np.eye(depth, 3, dtype=np.float32)[None, None])
    return layers.Conv2D(3, 1, use_bias=False, kernel_initializer=start, name="channels_to_colour")(x)


def scale_input(x, scaling: str):
    channels = x.shape[-1]
    if scaling == "own":
        return x
    if scaling == "unit":
        return layers.Rescaling(1 / 255, name="scale", dtype="float32")(x)
    if scaling == "tf":
        return layers.Rescaling(1 / 127.5, offset=-1, name="scale", dtype="float32")(x)
    if scaling == "torch":
        mean, deviation = (TORCH_MEAN, TORCH_STD) if channels == 3 else ([sum(TORCH_MEAN) / 3], [sum(TORCH_STD) / 3])
        scale = [1 / (255 * s) for s in deviation]
        return layers.Rescaling(
            scale, offset=[-m / s for m, s in zip(mean, deviation, strict=True)], name="scale", dtype="float32"
        )(x)
    # caffe: blue first, mean subtracted, not scaled
    if channels == 3:
        red, green, blue = (layers.Lambda(_channel, arguments={"number": n}, name=f"channel{n}")(x) for n in range(3))
        x = layers.Concatenate(name="blue_first")([blue, green, red])
    return layers.Rescaling(1.0, offset=[-m for m in CAFFE_MEAN][:channels], name="scale", dtype="float32")(x)


def _channel(x, number: int):
    return x[..., number : number + 1]
