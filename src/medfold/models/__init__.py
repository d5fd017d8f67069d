"""Nets: backbones, pooling, heads, input scaling. It imports Keras."""

from medfold.models.backbones import backbone
from medfold.models.build import build_model, refuse_impossible
from medfold.models.device import compiles, gpus, make_deterministic, precision_of
from medfold.models.heads import split_backbone_and_head
from medfold.models.plain import plain_model

__all__ = [
    "backbone",
    "build_model",
    "compiles",
    "gpus",
    "make_deterministic",
    "plain_model",
    "precision_of",
    "refuse_impossible",
    "split_backbone_and_head",
]
