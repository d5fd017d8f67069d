"""Nets: backbones, pooling, heads, input scaling. It imports Keras."""

from medfold.models.backbones import backbone
from medfold.models.build import build_model, refuse_impossible
from medfold.models.device import gpus, make_deterministic, resolve_compile, resolve_precision
from medfold.models.heads import split_backbone_and_head
from medfold.models.plain import to_plain_keras

__all__ = [
    "backbone",
    "build_model",
    "gpus",
    "make_deterministic",
    "refuse_impossible",
    "resolve_compile",
    "resolve_precision",
    "split_backbone_and_head",
    "to_plain_keras",
]
