"""Settings of a recipe that contradict each other, have no effect, or harm the training."""

import re
from collections.abc import Callable
from typing import Any

from medfold import config
from medfold.competition.recipe import Recipe
from medfold.competition.recipe_sections import TrainingSettings
from medfold.earlier_versions import RECIPE
from medfold.errors import UserError

# Names of the nets in keras.applications begin with one of these.
KERAS_NETS = re.compile("ConvNeXt|DenseNet|EfficientNet|Inception|MobileNet|NASNet|ResNet|VGG|Xception")
MIN_PRETRAINED_BATCH_SIZE = 8


def check_no_contradictions(training: TrainingSettings, location: Callable[[str], str]) -> None:
    """Refuses choices that undo or distort each other; not in the schema, so that older runs can still be read.

    Args:
        training: the section `training` of a recipe.
        location: returns where a key is set, as text for the message.

    Raises:
        UserError: two settings contradict each other; the message names the key to change.
    """
    soft_targets = [key for key in ("mixup", "cutmix", "label_smoothing") if getattr(training, key)]
    for contradiction, key, what, fix in (
        (
            training.patience and training.keep != "best",
            "patience",
            "it waits for a better epoch, and 'training.keep: final' keeps the last one",
            "Set training.keep to best, or patience to 0",
        ),
        (
            training.sampler == "balanced" and training.class_weights == "balanced",
            "class_weights",
            "the sampler already draws all classes equally often, so a rare class would count twice",
            "Set one of them to none (sampler: shuffled)",
        ),
        (
            training.loss == "focal" and soft_targets,
            "loss",
            f"focal loss needs targets of 0 and 1, which {' and '.join(soft_targets)} would change",
            f"Set it to cross_entropy, or {', '.join(soft_targets)} to 0",
        ),
    ):
        if contradiction:
            raise UserError(what, f"{location(f'training.{key}')}: 'training.{key}'", fix)


def ineffective_settings(recipe: Recipe, symmetry: str) -> dict[str, str]:
    """Finds settings of a recipe that have no effect.

    Args:
        recipe: the resolved recipe.
        symmetry: `images.symmetry` of the competition.

    Returns:
        The reason for each key, such as `training.cutmix`, that differs from its default and has no effect.
    """
    training = recipe.training
    backbone = recipe.backbone
    only_head = "training.epochs is 0: only the head is trained, on precomputed features"
    no_setting = f"{backbone.name} has no such setting"
    built_in = backbone.name in ("simple_cnn", "resnet9")
    takes_no_width = backbone.name == "simple_cnn" or KERAS_NETS.match(backbone.name)  # a plugin's backbone may take it
    reasons = {
        "augment": (not training.epochs and recipe.augment != "none", only_head),
        "training.learning_rate": (not training.epochs, only_head),
        "training.cutmix": (not training.epochs, only_head),
        "backbone.freeze_norm": (built_in or not training.epochs, no_setting if built_in else only_head),
        "training.head_learning_rate": (not training.head_epochs, "training.head_epochs is 0"),
        "training.warmup": (training.schedule == "constant", "training.schedule is constant"),
        "training.focal_gamma": (training.loss != "focal", f"training.loss is {training.loss}"),
        "backbone.width": (bool(takes_no_width), no_setting),
        "backbone.pooling": (backbone.name == "simple_cnn", no_setting),
        "tta": (symmetry == "none", "images.symmetry is none: there is one view of an image"),
    }
    settings, defaults = (config.flat(values.model_dump(mode="json")) for values in (recipe, Recipe()))
    return {key: why for key, (ineffective, why) in reasons.items() if ineffective and settings[key] != defaults[key]}


def batch_size_warning(recipe: Recipe) -> str:
    """Returns a warning if the batches are too small for the batch normalisation before a pretrained net's head.

    It standardises each feature by the mean and deviation of one batch. Of two images, a feature becomes -1 and 1,
    whatever its values are; more accumulation steps do not change that.

    Args:
        recipe: the resolved recipe.

    Returns:
        One line; '' for a net without pretrained weights, or if the batches are large enough.
    """
    size = recipe.training.batch_size
    if recipe.backbone.weights == "none" or size >= MIN_PRETRAINED_BATCH_SIZE:
        return ""
    return (
        f"training.batch_size is {size}: too few images for the batch normalisation before the head, and "
        f"accumulation_steps does not help. Set it to {MIN_PRETRAINED_BATCH_SIZE} or more, with smaller images if "
        "memory is short"
    )


def effective_recipe(recipe: dict[str, Any], symmetry: str) -> dict[str, Any]:
    """Returns the flat recipe of a run (keys as `training.epochs`), settings without effect reset to their default.

    A recipe that is no longer valid is only flattened.
    """
    flat_recipe = config.flat(config.current_settings(recipe, RECIPE, "recipe"))
    try:
        validated_recipe = Recipe.model_validate(recipe)
    except ValueError:
        return flat_recipe
    defaults = config.flat(Recipe().model_dump(mode="json"))
    return flat_recipe | {key: defaults[key] for key in ineffective_settings(validated_recipe, symmetry)}
