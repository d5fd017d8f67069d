"""Backbones from keras.applications, registered under their names there."""

import inspect
import re
import warnings
from functools import partial
from pathlib import Path

import keras
from keras import layers

from medfold.competition import BackboneSettings
from medfold.errors import SettingError, UserError
from medfold.models.backbones import BACKBONES, WEIGHTS_ERRORS, Backbone, describe_weights_error
from medfold.models.pooling import feature_maps
from medfold.project_root import display_path
from medfold.terminal.command_text import variable

# Families of keras.applications by the input scaling that their ImageNet weights expect; "own" means that the net
# contains a scaling of 0..255. A family is all nets whose names begin with its name, see _family.
_FAMILIES = {
    "tf": ("MobileNet", "MobileNetV2", "ResNetV2", "InceptionV3", "InceptionResNetV2", "Xception", "NASNet"),
    "torch": ("DenseNet",),
    "caffe": ("VGG", "ResNet"),
    "own": ("ConvNeXt", "EfficientNetB", "EfficientNetV2", "MobileNetV3"),
}
# Smallest input in pixels, where it is not 32.
_MIN_SIZES = {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71}


def _family(name: str) -> str:
    """Returns the longest family name that a net's name begins with, as in 'ResNet50V2' -> 'ResNetV2'; '' if none."""
    without_depth = re.sub(r"^ResNet\d+", "ResNet", name)
    families = (family for names in _FAMILIES.values() for family in names if without_depth.startswith(family))
    return max(families, key=len, default="")


def _register_applications() -> None:
    """Registers all nets of keras.applications whose family is known."""
    for name in dir(keras.applications):
        family = _family(name) if name[0].isupper() else ""
        for scaling, families in _FAMILIES.items():
            if family in families:
                backbone = Backbone(
                    build=partial(_build_application, name),
                    scaling=scaling,
                    pretrained=True,
                    min_size=_MIN_SIZES.get(family, 32),
                )
                BACKBONES.register(name, backbone, __name__)


def _build_application(name: str, images, backbone_settings: BackboneSettings):
    """Builds a net of keras.applications without its top layers, and returns its output."""
    application = getattr(keras.applications, name)
    weights = weights_file(backbone_settings.weights)
    arguments = {}
    if has_preprocessing(name):
        arguments["include_preprocessing"] = backbone_settings.input_scaling == "auto"
    input_shape = tuple(images.shape[1:])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras names the image size that the weights were trained on
            net = application(include_top=False, weights=weights, input_shape=input_shape, **arguments)
    except (*WEIGHTS_ERRORS, ValueError) as error:
        if weights in (None, "imagenet"):
            raise
        fix = f"Name a file of weights of {name} without its top layers, or set backbone.weights to none"
        raise UserError(f"weights do not fit {name} ({describe_weights_error(error)})", weights, fix) from None
    except Exception as error:  # Keras raises a plain Exception when a download fails
        if weights != "imagenet" or "fetch failure" not in str(error):
            raise
        fix = "Download the file on another machine and name it: "
        fix += variable("SET", "backbone.weights=file.weights.h5")
        raise SettingError(f"ImageNet weights cannot be downloaded ({error})", "backbone.weights", fix) from None
    if backbone_settings.freeze_norm:
        for layer in net._flatten_layers():
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
    if backbone_settings.pooling == "pyramid":
        net = keras.Model(net.input, feature_maps(net), name=net.name)
    return net(images)


def has_preprocessing(name: str) -> bool:
    """Returns True if the built-in input scaling of a net of keras.applications can be switched off."""
    return "include_preprocessing" in inspect.signature(getattr(keras.applications, name)).parameters


def weights_file(weights: str) -> str | None:
    """Converts `backbone.weights` to the argument of keras.applications.

    Args:
        weights: none, imagenet, or the path of a file.

    Returns:
        None, "imagenet" or the path.

    Raises:
        SettingError: the file does not exist, or its name is not that of a Keras weights file.
    """
    if weights in ("none", "imagenet"):
        return None if weights == "none" else weights
    path = Path(weights).expanduser()
    if not path.is_file():
        fix = "Set it to none, imagenet or the path of a file"
        raise SettingError(f"{display_path(path)}: no such weights file", "backbone.weights", fix)
    if not path.name.endswith((".weights.h5", ".h5")):
        fix = "Expected a name ending in .weights.h5 or .h5"
        raise SettingError(f"{display_path(path)}: not a Keras weights file", "backbone.weights", fix)
    return str(path)


_register_applications()
