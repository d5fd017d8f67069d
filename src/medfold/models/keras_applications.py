"""The nets of keras.applications as backbones, by their names there."""

import inspect
import re
from functools import partial
from pathlib import Path

import keras
from keras import layers

from medfold.competition import BackboneSettings
from medfold.errors import UserError
from medfold.models.backbones import BACKBONES, Backbone
from medfold.models.pooling import feature_maps

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
                made = Backbone(
                    build=partial(_of_applications, name),
                    scaling=scaling,
                    pretrained=True,
                    smallest=_SMALLEST.get(family, 32),
                )
                BACKBONES.register(name, made)


def _of_applications(name: str, images, options: BackboneSettings):
    """A net of keras.applications without its top."""
    make, weights = getattr(keras.applications, name), weights_file(options.weights)
    more = {}
    if has_preprocessing(name):
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
        net = keras.Model(net.input, feature_maps(net), name=net.name)
    return net(images)


def has_preprocessing(name: str) -> bool:
    """True if the scaling that a net of keras.applications brings can be left out."""
    return "include_preprocessing" in inspect.signature(getattr(keras.applications, name)).parameters


def weights_file(weights: str) -> str | None:
    """`weights` as keras.applications takes them, with a file checked to be there and to be one."""
    if weights in ("none", "imagenet"):
        return None if weights == "none" else weights
    path = Path(weights).expanduser()
    if not path.is_file():
        raise UserError("no such weights file", path, "backbone.weights is none, imagenet or the path of a file")
    if not path.name.endswith((".weights.h5", ".h5")):
        raise UserError("not a Keras weights file", path, "Expected a name ending in .weights.h5 or .h5")
    return str(path)


_register_applications()
