"""Nets: an input scaling, a backbone, a head. Built anew from a recipe; only weights are stored.

A new backbone is one function with the decorator `@backbone`.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import layers

from medfold.competition import recipe
from medfold.competition.facts import Competition
from medfold.errors import UserError, nearest

# Pixel values enter as 0..255. Mean and deviation of ImageNet, as torchvision states them for 0..1.
TORCH_MEAN, TORCH_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
# Mean of ImageNet in blue, green, red, as Caffe's nets expect it subtracted.
CAFFE_MEAN = [103.939, 116.779, 123.68]


@dataclass(frozen=True)
class Backbone:
    """How a backbone is built and what it expects.

    Args:
        build: (images, recipe.backbone) -> a feature map or a vector of features.
        scaling: the input scaling that its weights expect.
        pretrained: True if it takes weights, so that it sees three channels always.
        smallest: the least height and width it takes, pixels.
    """

    build: Callable
    scaling: str
    pretrained: bool = False
    smallest: int = 8


BACKBONES: dict[str, Backbone] = {}


def backbone(scaling: str, **facts) -> Callable:
    """Registers a function as a backbone under its own name."""

    def register(build: Callable) -> Callable:
        BACKBONES[build.__name__] = Backbone(build, scaling, **facts)
        return build

    return register


@backbone("unit")
def simple_cnn(images, options: recipe.Backbone):
    """The net people start from: one convolution, one pooling, one dense layer."""
    x = layers.Conv2D(32, 3, activation="relu")(images)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    return layers.Dense(128, activation="relu")(x)


@backbone("unit")
def resnet9(images, options: recipe.Backbone):
    """A small residual net for small images and CPUs.

    After ResNet-9 of David Page's DAWNBench entry (https://myrtle.ai/learn/how-to-train-your-resnet/), with global
    average pooling. Every image is first brought to mean 0 and deviation 1, since exposure differs between images.
    Images of 64 px and more go through a stem of stride 2.
    """
    width = options.width
    stride = 2 if images.shape[1] >= 64 else 1
    x = layers.GroupNormalization(groups=1, center=False, scale=False, name="exposure")(images)
    x = _convolution(x, width, stride)
    x = layers.MaxPooling2D(2)(_convolution(x, 2 * width))
    x = layers.Add()([x, _convolution(_convolution(x, 2 * width), 2 * width)])
    x = layers.MaxPooling2D(2)(_convolution(x, 4 * width))
    x = layers.MaxPooling2D(2)(_convolution(x, 8 * width))
    return layers.Add()([x, _convolution(_convolution(x, 8 * width), 8 * width)])


# Families of keras.applications, by the input scaling that their ImageNet weights expect; "own": the net scales
# 0..255 itself. A family is all nets of keras.applications whose names begin so.
_FAMILIES = {
    "tf": ("MobileNet", "MobileNetV2", "ResNetV2", "InceptionV3", "InceptionResNetV2", "Xception", "NASNet"),
    "torch": ("DenseNet",),
    "caffe": ("VGG", "ResNet"),
    "own": ("ConvNeXt", "EfficientNetB", "EfficientNetV2", "MobileNetV3"),
}
_SMALLEST = {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71}


def _family(name: str) -> str:
    """'ResNet50V2' -> 'ResNetV2': the longest family name that the net's name, without its depth, begins with."""
    plain = re.sub(r"^ResNet\d+", "ResNet", name)
    return max((each for names in _FAMILIES.values() for each in names if plain.startswith(each)), key=len, default="")


def _register_applications() -> None:
    for name in dir(keras.applications):
        family = _family(name) if name[0].isupper() else ""
        for scaling, families in _FAMILIES.items():
            if family in families:
                BACKBONES[name] = Backbone(
                    build=partial(_of_applications, name),
                    scaling=scaling,
                    pretrained=True,
                    smallest=_SMALLEST.get(family, 32),
                )


def build(
    competition: Competition, choices: recipe.Recipe, pretrained: bool = True, precision: str = "float32"
) -> keras.Model:
    """The untrained net of a recipe.

    Args:
        competition: gives channels, task and number of outputs.
        choices: gives backbone, image size and dropout.
        pretrained: False leaves pretrained weights unread, for a net whose own weights are loaded next.
        precision: float32, float16 or bfloat16: what is computed in. Weights and outputs are float32 always.

    Returns:
        A model from float32 (batch, size, size, channels) in 0..255 to float32 probabilities (batch, columns): one
        sigmoid for each label, or a softmax over the classes.

    Raises:
        UserError: what `refuse_impossible` raises, or weights of another net.
    """
    refuse_impossible(competition, choices, pretrained)
    options, chosen = choices.backbone, BACKBONES[choices.backbone.name]
    if not pretrained:
        options = options.model_copy(update={"weights": "none"})
    with _computed_in(precision):
        images = keras.Input((choices.images.size, choices.images.size, competition.images.depth), name="image")
        x = images
        if chosen.pretrained and competition.images.depth != 3:
            x = _three_channels(x)
        x = _scaled(x, chosen.scaling if options.input_scaling == "auto" else options.input_scaling)
        x = chosen.build(x, options)
        if options.pooling == "pyramid":
            x = _pyramid(_resolutions(keras.Model(images, x)) if not isinstance(x, list) else x)
        if len(x.shape) == 4:
            x = layers.GlobalAveragePooling2D(name="pool")(x)
        if choices.backbone.weights != "none":
            # What a pretrained backbone sees lies on scales that have nothing to do with the task.
            x = layers.BatchNormalization(center=False, scale=False, momentum=0.9, name=_STANDARDISED)(x)
        x = layers.Dropout(choices.training.dropout, name=_DROPOUT)(x)
        return keras.Model(images, _outputs(competition, choices.head, x), name=options.name)


def refuse_impossible(competition: Competition, choices: recipe.Recipe, pretrained: bool = True) -> None:
    """What no net can be built from, told without building one.

    Args:
        pretrained: False if pretrained weights are not going to be read. Defaults to True.

    Raises:
        UserError: an unknown backbone (nearest named), weights that it does not take or that are missing, images that
            are too small for it, a scaling or a head that it cannot have.
    """
    options = choices.backbone
    if options.name not in BACKBONES:
        hint = nearest(options.name, BACKBONES)
        known = "Known: simple_cnn, resnet9 and the nets of keras.applications, by their names there"
        raise UserError(f"unknown backbone '{options.name}'{hint}", "backbone.name", known)
    chosen = BACKBONES[options.name]
    if options.weights != "none" and not chosen.pretrained:
        raise UserError(f"{options.name} has no pretrained weights", "backbone.weights", "Set it to none")
    if pretrained:
        _weights(options.weights)
    if chosen.scaling == "own" and options.input_scaling != "auto" and not _has_preprocessing(options.name):
        raise UserError(f"{options.name} scales its input itself", "backbone.input_scaling", "Set it to auto")
    if choices.images.size < chosen.smallest:
        fix = f"Set it to {chosen.smallest} or more"
        raise UserError(f"{choices.images.size} px are too small for {options.name}", "images.size", fix)
    if choices.head != "classes" and competition.task != "ordinal":
        raise UserError(f"task {competition.task} has no order to cut", "head", "Set it to classes")


def _three_channels(x):
    """What a net made for colour sees of grey images, and of those with more channels than three.

    Of these it sees the first three at first, and learns what the others are worth if all layers are trained.
    """
    depth = x.shape[-1]
    if depth == 1:
        return layers.Concatenate(name="grey_to_colour")([x, x, x])
    start = keras.initializers.Constant(np.eye(depth, 3, dtype=np.float32)[None, None])
    return layers.Conv2D(3, 1, use_bias=False, kernel_initializer=start, name="channels_to_colour")(x)


def split(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """A net as two that share its layers.

    Returns:
        The backbone, from float32 images to features float32 (batch, d); the head, from those to probabilities.
    """
    names = [layer.name for layer in model.layers]
    features = model.get_layer(_STANDARDISED if _STANDARDISED in names else _DROPOUT).input
    backbone = keras.Model(model.input, layers.Activation("linear", dtype="float32")(features))
    return backbone, keras.Model(features, model.output)


def _resolutions(net: keras.Model) -> list:
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


def _pyramid(maps: list):
    pools = layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D
    pooled = [pool()(each) for each in maps for pool in pools] if len(maps[0].shape) == 4 else maps
    return layers.Concatenate(name="pyramid")(pooled) if len(pooled) > 1 else pooled[0]


_STANDARDISED, _DROPOUT = "standardised", "dropout"  # the head begins with the first of them that is there


def _outputs(competition: Competition, head: str, x):
    # Small first weights: the first predictions are undecided, so no step is spent on unlearning chance.
    more = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02), "dtype": "float32"}
    columns = len(competition.columns)
    classes = cuts = None
    if head != "cut_points":
        activation = "softmax" if competition.one_of_many else "sigmoid"
        classes = layers.Dense(columns, activation=activation, name="head", **more)(x)
    if head != "classes":
        grade = layers.Dense(1, use_bias=False, name="grade", **more)(x)
        cuts = CutPoints(columns, dtype="float32", name="cut_points")(grade)
    if head == "both":
        return layers.Average(dtype="float32")([classes, cuts])
    return cuts if classes is None else classes


class CutPoints(layers.Layer):
    """One number per image, cut into ordered classes at points that are learnt (McCullagh 1980, proportional odds).

    P(class > k) = sigmoid(x - cut[k]); the cuts keep their order, since each is the one before plus something positive.

    Args:
        classes: how many.
    """

    def __init__(self, classes: int, **more):
        super().__init__(**more)
        self.classes = classes

    def build(self, shape):
        # At x = 0 all classes are equally probable.
        share = np.arange(1, self.classes) / self.classes
        cuts = np.log(share / (1 - share))
        steps = np.log(np.expm1(np.diff(cuts)))
        start = keras.initializers.Constant(np.concatenate([cuts[:1], steps]))
        self.cuts = self.add_weight(name="cuts", shape=(self.classes - 1,), initializer=start)
        super().build(shape)

    def call(self, x):
        steps = keras.ops.concatenate([self.cuts[:1], keras.ops.softplus(self.cuts[1:])])
        above = keras.ops.sigmoid(x - keras.ops.cumsum(steps))
        ones = keras.ops.ones_like(above[:, :1])
        return keras.ops.concatenate([ones, above], axis=1) - keras.ops.concatenate([above, 0 * ones], axis=1)


def precision_of(choice: str) -> str:
    """What `training.precision: auto` stands for on this machine.

    float16 on GPUs with units for it (compute capability 7 and above), bfloat16 on CPUs with units for it (AMX), else
    float32: without such units the others are slower or no faster.
    """
    if choice != "auto":
        return choice
    import tensorflow as tf

    gpus_there = tf.config.list_physical_devices("GPU")
    if gpus_there:
        details = tf.config.experimental.get_device_details(gpus_there[0])
        return "float16" if details.get("compute_capability", (0, 0)) >= (7, 0) else "float32"
    facts = Path("/proc/cpuinfo")
    return "bfloat16" if facts.is_file() and "amx_bf16" in facts.read_text() else "float32"


@contextmanager
def _computed_in(precision: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _convolution(x, filters: int, stride: int = 1):
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    # Keras' default momentum of 0.99 needs more steps than a short training has.
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return layers.ReLU()(x)


def _scaled(x, scaling: str):
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


def _of_applications(name: str, images, options: recipe.Backbone):
    """A net of keras.applications without its top."""
    make, weights = getattr(keras.applications, name), _weights(options.weights)
    more = {}
    if _has_preprocessing(name):
        more["include_preprocessing"] = options.input_scaling == "auto"
    try:
        net = make(include_top=False, weights=weights, input_shape=tuple(images.shape[1:]), **more)
    except (ValueError, OSError) as error:
        if weights in (None, "imagenet"):
            raise
        raise UserError(f"weights do not fit {name} ({str(error).splitlines()[0]})", weights) from None
    except Exception as error:  # Keras raises a bare one when its download fails
        if weights != "imagenet" or "fetch failure" not in str(error):
            raise
        fix = 'Fetch the file elsewhere and name it: SET="backbone.weights=file.weights.h5"'
        raise UserError(f"ImageNet weights cannot be downloaded ({error})", "backbone.weights", fix) from None
    if options.freeze_norm:
        for layer in net._flatten_layers():
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
    if options.pooling == "pyramid":
        net = keras.Model(net.input, _resolutions(net), name=net.name)
    return net(images)


_register_applications()


def _channel(x, number: int):
    return x[..., number : number + 1]


def _has_preprocessing(name: str) -> bool:
    """True if the scaling that a net of keras.applications brings can be left out."""
    return "include_preprocessing" in inspect.signature(getattr(keras.applications, name)).parameters


def _weights(weights: str) -> str | None:
    """`weights` as keras.applications takes them, with a file checked to be there and to be one."""
    if weights in ("none", "imagenet"):
        return None if weights == "none" else weights
    path = Path(weights).expanduser()
    if not path.is_file():
        raise UserError("no such weights file", path, "backbone.weights is none, imagenet or the path of a file")
    if not path.name.endswith((".weights.h5", ".h5")):
        raise UserError("not a Keras weights file", path, "Expected a name ending in .weights.h5 or .h5")
    return str(path)


def gpus() -> list[str]:
    """The names of the GPUs that TensorFlow can use."""
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    return [tf.config.experimental.get_device_details(device).get("device_name", device.name) for device in devices]
