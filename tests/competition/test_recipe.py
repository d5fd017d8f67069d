"""Recipes: overrides, settings without effect, run names."""

import json

import pytest

from medfold import config
from medfold.competition import recipe
from medfold.competition.recipe import effective_recipe, format_overrides, ineffective_settings, load_recipe, run_name
from medfold.earlier_versions import SETTINGS, with_former_names
from medfold.paths import ProjectPaths
from medfold.system.hashes import fingerprint
from tests.support.helpers import refused


def load(name="baseline", **overrides):
    project_paths = ProjectPaths.find()
    return load_recipe(project_paths.competition("small"), name, overrides)


def test_overrides_change_nested_keys(project_folder):
    overrides = recipe.parse_overrides("training.epochs=3 tta=false augment=[HorizontalFlip]")
    assert overrides == {"training": {"epochs": 3}, "tta": False, "augment": ["HorizontalFlip"]}
    loaded = load(**overrides)
    assert (loaded.training.epochs, loaded.tta, loaded.training.batch_size) == (3, False, 8)


def test_quoted_override_keeps_its_spaces():
    overrides = recipe.parse_overrides(r"backbone.weights='C:\my nets\net.weights.h5' tta=false")
    assert overrides == {"backbone": {"weights": r"C:\my nets\net.weights.h5"}, "tta": False}
    compact = recipe.parse_overrides('augment=[{"GaussNoise":{"p":0.3}}]')
    assert compact == {"augment": [{"GaussNoise": {"p": 0.3}}]}


def test_overrides_in_json_are_parsed_unchanged():
    overrides = {
        "augment": [{"GaussNoise": {"std_range": [1e-05, 0.01]}}],
        "tta": False,
        "backbone": {"name": "my 'x'"},
    }
    assert recipe.parse_overrides(json.dumps(overrides)) == overrides


@pytest.mark.parametrize("text", ["training.epochs", "=3", "training..epochs=3", "a=[1", "a='b", "{a: 1}"])
def test_malformed_override_is_refused(text):
    with refused("SET"):
        recipe.parse_overrides(text)


def test_unknown_recipe_suggests_the_nearest(project_folder):
    with refused("did you mean 'baseline'"):
        load("baselin")


def test_unknown_override_names_file_and_key(project_folder):
    with refused(r"^SET: unknown key 'training.epoch'"):
        load(training={"epoch": 3})


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
        ({}, "none", []),
    ],
)
def test_ineffective_settings_are_listed_and_reset(overrides, symmetry, keys):
    choices = recipe.Recipe.model_validate(overrides)
    assert list(ineffective_settings(choices, symmetry)) == keys
    usual = config.flat(recipe.Recipe().model_dump(mode="json"))
    effective = effective_recipe(choices.model_dump(mode="json"), symmetry)
    assert all(effective[key] == usual[key] for key in keys)


def test_effective_recipe_keeps_unknown_keys_of_older_recipes():
    assert effective_recipe({"training": {"gone": 1}}, "none") == {"training.gone": 1}


@pytest.mark.parametrize("key", ["training.mixup", "training.epochs", "training.num_images"])
@pytest.mark.parametrize("value", ["yes", "true", "off"])
def test_yes_no_values_are_refused_for_numbers(project_folder, key, value):
    with refused(f"'{key}': expected a (whole )?number, received (true|false)"):
        load(**recipe.parse_overrides(f"{key}={value}"))


def test_run_name_has_seed_and_hash_of_overrides():
    assert run_name("baseline", 0, {}) == "baseline"
    assert run_name("baseline", 2, {}) == "baseline-s2"
    named = run_name("baseline", 0, {"tta": False})
    assert named.startswith("baseline-")
    assert len(named) == len("baseline-") + 6


@pytest.mark.parametrize(
    "text",
    [
        "training.epochs=3 tta=false",
        "training.learning_rate=0.0003 images.size=96",
        "backbone.weights='my weights.h5' backbone.name=MobileNetV2",
        "images.steps=[circle_crop,clahe]",
        "backbone.weights='123'",
    ],
)
def test_format_overrides_gives_the_typed_text(text):
    overrides = recipe.parse_overrides(text)
    assert format_overrides(overrides) == text
    assert recipe.parse_overrides(format_overrides(overrides)) == overrides


def test_the_former_name_of_the_number_of_images_is_read(project_folder):
    assert load(training={"images": 4}) == load(training={"num_images": 4})
    content = load(training={"num_images": 4}).portable()
    assert with_former_names(content, SETTINGS)["training"]["images"] == 4
    assert effective_recipe({"training": {"images": 4}}, "none")["training.num_images"] == 4
    with refused(r"'training\.images' is the former name of 'training\.num_images'"):
        load(training={"images": 4, "num_images": 4})


def test_the_identity_of_a_recipe_is_that_of_earlier_versions():
    former = {"num_images": 4, "compile": True, "accumulate": 2, "ema": 0.5, "clip_norm": 2.0}
    changed = recipe.Recipe.model_validate({"training": former})
    assert (changed.training.accumulation_steps, changed.training.global_clipnorm) == (2, 2.0)
    assert (changed.training.ema_decay, changed.training.jit_compile) == (0.5, True)
    identities = [with_former_names(each.portable(), SETTINGS) for each in (changed, recipe.Recipe())]
    assert [fingerprint(identity) for identity in identities] == ["ee0ff12f1ed8f579", "eefb4ec774d78a34"]


def test_a_former_name_overrides_the_setting_of_a_base(project_folder):
    assert load("debug").training.ema_decay == 0
    assert load("debug", training={"ema": 0.5}) == load("debug", training={"ema_decay": 0.5})
    assert load("debug", training={"ema": 0.5}).training.ema_decay == 0.5
    (project_folder / "competition" / "small" / "mine.yaml").write_text("extends: debug\ntraining: {ema: 0.25}\n")
    assert load("mine").training.ema_decay == 0.25


def test_run_name_is_the_same_for_former_names():
    assert run_name("baseline", 0, {"training": {"ema": 0.5}}) == "baseline-0f4dc0"
    assert run_name("baseline", 0, {"training": {"ema_decay": 0.5}}) == "baseline-0f4dc0"


def test_portable_recipe_has_no_local_folders():
    kept = recipe.Recipe.model_validate({"backbone": {"name": "MobileNetV2", "weights": "/home/alice/net.h5"}})
    portable = recipe.Recipe.model_validate(kept.portable()).model_dump(mode="json")
    assert portable == {**kept.model_dump(mode="json"), "backbone": portable["backbone"]}
    assert kept.portable()["backbone"]["weights"] == "net.h5"
    for word in ("none", "imagenet"):
        same = recipe.Recipe.model_validate({"backbone": {"name": "MobileNetV2", "weights": word}})
        assert recipe.Recipe.model_validate(same.portable()) == same
    changed = recipe.Recipe.model_validate({"training": {"schedule": "constant"}})
    assert changed.portable()["training"]["schedule"] == "constant"
    assert not {"schedule", "callbacks", "jit_compile", "deterministic"} & set(same.portable()["training"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("training.patience=3", "training.patience: it waits for a better epoch, and 'training.keep: final'"),
        (
            "training.sampler=balanced training.class_weights=balanced",
            "training.class_weights: the sampler already draws",
        ),
        ("training.loss=focal training.mixup=0.2", "training.loss: focal loss is for hard labels: with mixup a target"),
        ("training.loss=focal training.label_smoothing=0.1", "with label_smoothing a target of 0.7 would be learnt as"),
    ],
)
def test_conflicting_settings_are_refused(small, words, message):
    with refused(message):
        load_recipe(small.paths, "baseline", recipe.parse_overrides(words))


def test_shared_recipes_need_no_file(project_folder):
    assert load("simple_cnn").backbone.name == "simple_cnn"
    debug = load("debug")
    assert (debug.training.num_images, debug.images, debug.backbone) == (32, load().images, load().backbone)
    mobilenet = load("mobilenet")
    assert (mobilenet.backbone.name, mobilenet.training.epochs) == ("MobileNetV2", 0)
    assert ineffective_settings(mobilenet, "horizontal") == {}
    with refused(r"^SET: unknown key 'training.epoch'"):
        load("simple_cnn", training={"epoch": 3})


def test_shared_file_that_is_only_extended_is_refused_as_a_recipe(project_folder):
    with refused("gpu_grey: a file to extend, not to run. Write extends: gpu_grey into a recipe"):
        load("gpu_grey")


def test_file_of_the_competition_replaces_shared_recipe(project_folder):
    (project_folder / "competition" / "small" / "simple_cnn.yaml").write_text("extends: simple_cnn\ntta: true\n")
    assert load("simple_cnn").tta is True
