"""Backbones: the registry, and the two built-in ones. A backbone is a function with the decorator `@backbone`."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from keras import layers

from medfold.competition import BackboneSettings
from medfold.registry import Registry

WEIGHTS_ERRORS = (OSError, RuntimeError, KeyError)  # h5py raises them for a damaged weights file


@dataclass(frozen=True)
class Backbone:
    """A registered backbone.

    Args:
        build: function (images, backbone_settings) -> feature map or feature vector.
        scaling: the input scaling that its weights expect.
        pretrained: True if pretrained weights can be loaded; its input then always has three channels. Defaults to
            False.
        min_size: smallest height and width of its input, in pixels. Defaults to 8.
    """

    build: Callable
    scaling: str
    pretrained: bool = False
    min_size: int = 8


BACKBONES: Registry[Backbone] = Registry("backbone")


def backbone(scaling: str, **arguments) -> Callable:
    """Registers a function (images, backbone_settings) -> features as a backbone under its name.

    Args:
        scaling: the input scaling that its weights expect.
        arguments: the other arguments of `Backbone`.
    """

    def register(build: Callable) -> Callable:
        BACKBONES.register(build.__name__, Backbone(build, scaling, **arguments), build.__module__)
        return build

    return register


def describe_weights_error(error: Exception) -> str:
    """Describes in a line why Keras could not load a weights file into a net: its first layer that does not fit."""
    text = str(error)
    if isinstance(error, WEIGHTS_ERRORS):
        return f"not a readable weights file: {text.splitlines()[0]}"
    layer = re.search(r"<\w+ name=([^,>]+)", text)
    if not layer:
        return text.splitlines()[0]
    shapes = re.search(r"variable\.shape=(\([\d, ]*\)), Received: value\.shape=(\([\d, ]*\))", text)
    if shapes:
        return f"layer '{layer[1]}' needs weights of shape {shapes[1]}, and the file has {shapes[2]}"
    return f"the file has other weights than layer '{layer[1]}' needs"


@backbone("unit")
def simple_cnn(images, backbone_settings: BackboneSettings):
    """A naive net to beat: one convolution, one pooling, one dense layer."""
    x = layers.Conv2D(32, 3, activation="relu")(images)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    return layers.Dense(128, activation="relu")(x)


@backbone("unit")
def resnet9(images, backbone_settings: BackboneSettings):
    """A small residual net for small images and CPUs.

    It follows ResNet-9 of David Page's DAWNBench entry (https://myrtle.ai/learn/how-to-train-your-resnet/), with global
    average pooling. Each image is first normalised to mean 0 and standard deviation 1, since exposure varies between
    images. The first convolution has stride 2 for images of 64 px and more.
    """
    width = backbone_settings.width
    stride = 2 if images.shape[1] >= 64 else 1
    x = layers.GroupNormalization(groups=1, center=False, scale=False, name="exposure")(images)
    x = _convolution(x, width, stride)
    x = layers.MaxPooling2D(2)(_convolution(x, 2 * width))
    x = layers.Add()([x, _convolution(_convolution(x, 2 * width), 2 * width)])
    x = layers.MaxPooling2D(2)(_convolution(x, 4 * width))
    x = layers.MaxPooling2D(2)(_convolution(x, 8 * width))
    return layers.Add()([x, _convolution(_convolution(x, 8 * width), 8 * width)])


def _convolution(x, filters: int, stride: int = 1):
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    # The default momentum of Keras, 0.99, needs more steps than a short training has.
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return layers.ReLU()(x)
