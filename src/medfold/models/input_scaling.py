"""Input scaling, from pixels in 0..255 to the range that the weights of a backbone expect."""

import keras
import numpy as np
from keras import layers

# Mean and standard deviation of ImageNet for pixels in 0..1, from torchvision.
TORCH_MEAN, TORCH_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
# Mean of ImageNet for pixels in 0..255, in the order blue, green, red, which the nets of Caffe expect to be subtracted.
CAFFE_MEAN = [103.939, 116.779, 123.68]


def to_three_channels(images):
    """Converts images to three channels, for backbones pretrained on colour images.

    Grey is repeated. Other numbers of channels go through a learnt 1 x 1 convolution that initially selects the first
    three; it uses the others once all layers are trained.
    """
    num_channels = images.shape[-1]
    if num_channels == 1:
        return layers.Concatenate(name="grey_to_colour")([images, images, images])
    start = keras.initializers.Constant(np.eye(num_channels, 3, dtype=np.float32)[None, None])
    return layers.Conv2D(3, 1, use_bias=False, kernel_initializer=start, name="channels_to_colour")(images)


def scale_input(images, scaling: str):
    """Scales pixels in 0..255.

    Args:
        images: (batch, height, width, channels).
        scaling: unit (0..1), tf (-1..1), torch (mean and deviation of ImageNet), caffe (mean of ImageNet subtracted,
            blue first, not scaled) or own (unchanged, since the backbone scales its input).
    """
    num_channels = images.shape[-1]
    if scaling == "own":
        return images
    if scaling == "unit":
        return layers.Rescaling(1 / 255, name="scale", dtype="float32")(images)
    if scaling == "tf":
        return layers.Rescaling(1 / 127.5, offset=-1, name="scale", dtype="float32")(images)
    if scaling == "torch":
        mean, deviation = (
            (TORCH_MEAN, TORCH_STD) if num_channels == 3 else ([sum(TORCH_MEAN) / 3], [sum(TORCH_STD) / 3])
        )
        scale = [1 / (255 * s) for s in deviation]
        offset = [-m / s for m, s in zip(mean, deviation, strict=True)]
        return layers.Rescaling(scale, offset=offset, name="scale", dtype="float32")(images)
    # caffe
    if num_channels == 3:
        red, green, blue = (
            layers.Lambda(_channel, arguments={"number": n}, name=f"channel{n}")(images) for n in range(3)
        )
        images = layers.Concatenate(name="blue_first")([blue, green, red])
    return layers.Rescaling(1.0, offset=[-m for m in CAFFE_MEAN][:num_channels], name="scale", dtype="float32")(images)


def _channel(images, number: int):
    return images[..., number : number + 1]
