"""Building the net of a recipe: input scaling, backbone, pooling, head.

A net is always rebuilt from its recipe; only its weights are stored.
"""

import keras
from keras import layers

from medfold.competition import Competition, Recipe
from medfold.errors import UserError
from medfold.models.backbones import BACKBONES
from medfold.models.device import compute_precision
from medfold.models.heads import DROPOUT, STANDARDISED, add_head
from medfold.models.input_scaling import scale_input, to_three_channels
from medfold.models.keras_applications import has_preprocessing, weights_file
from medfold.models.pooling import feature_maps, pyramid


def build_model(
    competition: Competition, choices: Recipe, pretrained: bool = True, precision: str = "float32"
) -> keras.Model:
    """Builds the untrained net of a recipe.

    Args:
        competition: gives channels, task and number of outputs.
        choices: gives backbone, image size and dropout.
        pretrained: False does not load pretrained weights, for a net whose trained weights are loaded next. Defaults to
            True.
        precision: float32, float16 or bfloat16, for the computations; weights and outputs are always float32. Defaults
            to float32.

    Returns:
        A model from float32 images (batch, size, size, channels) in 0..255 to float32 probabilities (batch, columns):
        one sigmoid per label, or a softmax over the classes.

    Raises:
        UserError: see `check_buildable`; or the weights are those of another net.
    """
    check_buildable(competition, choices, pretrained)
    options, backbone = choices.backbone, BACKBONES[choices.backbone.name]
    if not pretrained:
        options = options.model_copy(update={"weights": "none"})
    with compute_precision(precision):
        images = keras.Input((choices.images.size, choices.images.size, competition.images.num_channels), name="image")
        x = images
        if backbone.pretrained and competition.images.num_channels != 3:
            x = to_three_channels(x)
        x = scale_input(x, backbone.scaling if options.input_scaling == "auto" else options.input_scaling)
        x = backbone.build(x, options)
        if options.pooling == "pyramid":
            x = pyramid(feature_maps(keras.Model(images, x)) if not isinstance(x, list) else x)
        if len(x.shape) == 4:
            x = layers.GlobalAveragePooling2D(name="pool")(x)
        if choices.backbone.weights != "none":
            # The scales of pretrained features have nothing to do with the task.
            x = layers.BatchNormalization(center=False, scale=False, momentum=0.9, name=STANDARDISED)(x)
        x = layers.Dropout(choices.training.dropout, name=DROPOUT)(x)
        return keras.Model(images, add_head(competition, choices.head, x), name=options.name)


def check_buildable(competition: Competition, choices: Recipe, pretrained: bool = True) -> None:
    """Checks that a net can be built from a recipe, without building it.

    Args:
        competition: gives the task.
        choices: gives backbone, image size and head.
        pretrained: False skips the check of the weights file. Defaults to True.

    Raises:
        UserError: the backbone is unknown (the nearest name is suggested), its weights are unsupported or missing, the
            images are too small for it, or the scaling or the head is not possible.
    """
    options = choices.backbone
    known = "simple_cnn, resnet9 and the nets of keras.applications, by their names there"
    backbone = BACKBONES.find(options.name, "backbone.name", known)
    if options.weights != "none" and not backbone.pretrained:
        raise UserError(f"{options.name} has no pretrained weights", "backbone.weights", "Set it to none")
    if pretrained:
        weights_file(options.weights)
    if backbone.scaling == "own" and options.input_scaling != "auto" and not has_preprocessing(options.name):
        raise UserError(f"{options.name} scales its input itself", "backbone.input_scaling", "Set it to auto")
    if choices.images.size < backbone.smallest:
        fix = f"Set it to {backbone.smallest} or more"
        raise UserError(f"{choices.images.size} px are too small for {options.name}", "images.size", fix)
    if choices.head != "classes" and competition.task != "ordinal":
        raise UserError(f"task {competition.task} has no ordered classes", "head", "Set it to classes")
