"""Nets: an input scaling, a backbone, a head. Built anew from a recipe; only weights are stored.

A new backbone is one function with the decorator `@backbone`.
"""

import keras
from keras import layers

from medfold.competition import Competition, Recipe
from medfold.errors import UserError
from medfold.models.backbones import BACKBONES
from medfold.models.device import compute_precision
from medfold.models.heads import DROPOUT, STANDARDISED, add_head
from medfold.models.input_scaling import scale_input, to_three_channels
from medfold.models.keras_applications import (
    has_preprocessing,
    weights_file,
)
from medfold.models.pooling import feature_maps, pyramid


def build_model(
    competition: Competition, choices: Recipe, pretrained: bool = True, precision: str = "float32"
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
    with compute_precision(precision):
        images = keras.Input((choices.images.size, choices.images.size, competition.images.num_channels), name="image")
        x = images
        if chosen.pretrained and competition.images.num_channels != 3:
            x = to_three_channels(x)
        x = scale_input(x, chosen.scaling if options.input_scaling == "auto" else options.input_scaling)
        x = chosen.build(x, options)
        if options.pooling == "pyramid":
            x = pyramid(feature_maps(keras.Model(images, x)) if not isinstance(x, list) else x)
        if len(x.shape) == 4:
            x = layers.GlobalAveragePooling2D(name="pool")(x)
        if choices.backbone.weights != "none":
            # What a pretrained backbone sees lies on scales that have nothing to do with the task.
            x = layers.BatchNormalization(center=False, scale=False, momentum=0.9, name=STANDARDISED)(x)
        x = layers.Dropout(choices.training.dropout, name=DROPOUT)(x)
        return keras.Model(images, add_head(competition, choices.head, x), name=options.name)


def refuse_impossible(competition: Competition, choices: Recipe, pretrained: bool = True) -> None:
    """What no net can be built from, told without building one.

    Args:
        pretrained: False if pretrained weights are not going to be read. Defaults to True.

    Raises:
        UserError: an unknown backbone (nearest named), weights that it does not take or that are missing, images that
            are too small for it, a scaling or a head that it cannot have.
    """
    options = choices.backbone
    known = "simple_cnn, resnet9 and the nets of keras.applications, by their names there"
    chosen = BACKBONES.find(options.name, "backbone.name", known)
    if options.weights != "none" and not chosen.pretrained:
        raise UserError(f"{options.name} has no pretrained weights", "backbone.weights", "Set it to none")
    if pretrained:
        weights_file(options.weights)
    if chosen.scaling == "own" and options.input_scaling != "auto" and not has_preprocessing(options.name):
        raise UserError(f"{options.name} scales its input itself", "backbone.input_scaling", "Set it to auto")
    if choices.images.size < chosen.smallest:
        fix = f"Set it to {chosen.smallest} or more"
        raise UserError(f"{choices.images.size} px are too small for {options.name}", "images.size", fix)
    if choices.head != "classes" and competition.task != "ordinal":
        raise UserError(f"task {competition.task} has no order to cut", "head", "Set it to classes")
