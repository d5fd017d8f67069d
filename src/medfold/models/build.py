"""Building the net of a recipe: input scaling, backbone, pooling, head.

A net is always rebuilt from its recipe; only its weights are stored.
"""

import keras
from keras import layers

from medfold.competition import CompetitionFacts, Recipe
from medfold.errors import SettingError
from medfold.models.backbones import BACKBONES
from medfold.models.device import compute_precision
from medfold.models.heads import DROPOUT, STANDARDISED, add_head
from medfold.models.input_scaling import scale_input, to_three_channels
from medfold.models.keras_applications import has_preprocessing, weights_file
from medfold.models.pooling import feature_maps, pyramid


def build_net(
    facts: CompetitionFacts, recipe: Recipe, pretrained: bool = True, precision: str = "float32"
) -> keras.Model:
    """Builds the untrained net of a recipe.

    Args:
        facts: facts of the competition (channels, task, number of outputs).
        recipe: the recipe (backbone, image size, dropout).
        pretrained: False does not load pretrained weights, for a net whose trained weights are loaded next. Defaults to
            True.
        precision: float32, float16 or bfloat16, for the computations; weights and outputs are always float32. Defaults
            to float32.

    Returns:
        A net from float32 images (batch, size, size, channels) in 0..255 to float32 probabilities (batch, columns):
        one sigmoid per label, or a softmax over the classes.

    Raises:
        UserError: a net that cannot be built (`check_buildable`), or weights of a different net.
    """
    check_buildable(facts, recipe, pretrained)
    backbone_settings = recipe.backbone
    backbone = BACKBONES[recipe.backbone.name]
    if not pretrained:
        backbone_settings = backbone_settings.model_copy(update={"weights": "none"})
    with compute_precision(precision):
        size = recipe.preparation.size
        images = keras.Input((size, size, facts.images.num_channels), name="image")
        x = images
        if backbone.pretrained and facts.images.num_channels != 3:
            x = to_three_channels(x)
        scaling = backbone_settings.input_scaling
        x = scale_input(x, backbone.scaling if scaling == "auto" else scaling)
        x = backbone.build(x, backbone_settings)
        if backbone_settings.pooling == "pyramid":
            x = pyramid(feature_maps(keras.Model(images, x)) if not isinstance(x, list) else x)
        if len(x.shape) == 4:
            x = layers.GlobalAveragePooling2D(name="pool")(x)
        if recipe.backbone.weights != "none":
            # The scales of pretrained features have nothing to do with the task.
            x = layers.BatchNormalization(center=False, scale=False, momentum=0.9, name=STANDARDISED)(x)
        x = layers.Dropout(recipe.training.dropout, name=DROPOUT)(x)
        return keras.Model(images, add_head(facts, recipe.head, x), name=backbone_settings.name)


def check_buildable(facts: CompetitionFacts, recipe: Recipe, pretrained: bool = True) -> None:
    """Checks that a net can be built from a recipe, without building it.

    Args:
        facts: facts of the competition (the task).
        recipe: the recipe (backbone, image size, head).
        pretrained: False skips the check of the weights file. Defaults to True.

    Raises:
        SettingError: the backbone is unknown (the nearest name is suggested), its weights are unsupported or missing,
            the images are too small for it, or the scaling or the head is not possible.
    """
    backbone_settings = recipe.backbone
    known = "simple_cnn, resnet9, the nets of keras.applications by their names there, and those of plugins.py"
    backbone = BACKBONES.find(backbone_settings.name, "backbone.name", known)
    if backbone_settings.weights != "none" and not backbone.pretrained:
        raise SettingError(f"{backbone_settings.name} has no pretrained weights", "backbone.weights", "Set it to none")
    if pretrained:
        weights_file(backbone_settings.weights)
    sets_scaling = backbone_settings.input_scaling != "auto"
    if backbone.scaling == "own" and sets_scaling and not has_preprocessing(backbone_settings.name):
        raise SettingError(
            f"{backbone_settings.name} scales its input itself", "backbone.input_scaling", "Set it to auto"
        )
    if recipe.preparation.size < backbone.min_size:
        fix = f"Set it to {backbone.min_size} or more"
        what = f"{recipe.preparation.size} px are too small for {backbone_settings.name}"
        raise SettingError(what, "preparation.size", fix)
    if recipe.head != "classification" and facts.task != "ordinal":
        raise SettingError(f"task {facts.task} has no ordered classes", "head", "Set it to classification")
