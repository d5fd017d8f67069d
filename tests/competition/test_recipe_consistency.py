"""Settings that contradict each other are refused, those without effect are listed."""

import pytest

from medfold import config
from medfold.competition import Recipe, load_recipe, parse_overrides
from medfold.competition.recipe_consistency import batch_size_warning, effective_recipe, ineffective_settings
from tests.support.helpers import refused


@pytest.mark.parametrize(
    ("overrides", "symmetry", "keys"),
    [
        (
            {"training": {"epochs": 0, "head_epochs": 3, "learning_rate": 0.1, "cutmix": 0.5}, "augment": "fundus"},
            "dihedral",
            ["augment", "training.learning_rate", "training.cutmix"],
        ),
        ({"training": {"epochs": 0, "head_epochs": 3, "mixup": 0.5}, "augment": "none"}, "none", []),
        (
            {"training": {"head_learning_rate": 0.1, "focal_gamma": 1.0}},
            "none",
            ["training.head_learning_rate", "training.focal_gamma"],
        ),
        ({"training": {"loss": "focal", "focal_gamma": 1.0}, "tta": False}, "horizontal", []),
        (
            {"backbone": {"name": "simple_cnn", "width": 8, "pooling": "pyramid", "freeze_norm": True}, "tta": False},
            "none",
            ["backbone.freeze_norm", "backbone.width", "backbone.pooling", "tta"],
        ),
        ({"backbone": {"name": "two_convolutions", "width": 8}}, "none", []),  # a plugin's backbone
        ({"backbone": {"name": "MobileNetV2", "width": 8}}, "none", ["backbone.width"]),
        ({"training": {"schedule": "constant", "warmup": 0.2}}, "none", ["training.warmup"]),
        ({}, "none", []),
    ],
)
def test_ineffective_settings_are_listed_and_reset(overrides, symmetry, keys):
    choices = Recipe.model_validate(overrides)
    assert list(ineffective_settings(choices, symmetry)) == keys
    usual = config.flat(Recipe().model_dump(mode="json"))
    effective = effective_recipe(choices.model_dump(mode="json"), symmetry)
    assert all(effective[key] == usual[key] for key in keys)


@pytest.mark.parametrize(
    ("weights", "batch_size", "is_warned"),
    [("imagenet", 7, True), ("imagenet", 8, False), ("net.weights.h5", 2, True), ("none", 2, False)],
)
def test_small_batches_of_a_pretrained_net_are_warned_about(weights, batch_size, is_warned):
    training = {"batch_size": batch_size, "accumulation_steps": 16}
    recipe = Recipe.model_validate({"backbone": {"weights": weights}, "training": training})
    assert batch_size_warning(recipe).startswith(f"training.batch_size is {batch_size}: too few images") == is_warned


def test_effective_recipe_keeps_unknown_keys_of_older_recipes():
    assert effective_recipe({"training": {"gone": 1}}, "none") == {"training.gone": 1}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("training.patience=3", "'training.patience': it waits for a better epoch, and 'training.keep: final'"),
        (
            "training.sampler=balanced training.class_weights=balanced",
            "'training.class_weights': the sampler already draws",
        ),
        (
            "training.loss=focal training.mixup=0.2",
            "'training.loss': focal loss needs targets of 0 and 1, which mixup would change",
        ),
        ("training.loss=focal training.label_smoothing=0.1", "which label_smoothing would change"),
    ],
)
def test_conflicting_settings_are_refused(small, words, message):
    with refused(message):
        load_recipe(small.paths, "baseline", parse_overrides(words))
