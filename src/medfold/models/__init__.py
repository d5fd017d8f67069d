"""Nets: backbones, pooling, heads, input scaling. Importing this package imports Keras.

- `build`: the net of a recipe, from `input_scaling`, `backbones`, `keras_applications`, `pooling` and `heads`;
- `device`: GPUs, precision, compilation, determinism;
- `plain_keras`: a net as layers of Keras alone.
"""

from medfold.models.backbones import WEIGHTS_ERRORS, backbone, describe_weights_error
from medfold.models.build import build_net, check_buildable
from medfold.models.device import gpus, make_deterministic, resolve_compile, resolve_precision
from medfold.models.heads import split_backbone_and_head
from medfold.models.plain_keras import to_plain_keras

__all__ = [
    "WEIGHTS_ERRORS",
    "backbone",
    "build_net",
    "check_buildable",
    "describe_weights_error",
    "gpus",
    "make_deterministic",
    "resolve_compile",
    "resolve_precision",
    "split_backbone_and_head",
    "to_plain_keras",
]
