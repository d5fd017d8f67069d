"""Recipes of files and shared ones, loaded with overrides."""

import pytest

from medfold.competition import effective_recipe, ineffective_settings, parse_overrides
from medfold.competition.recipe_files import load_recipe, own_settings
from medfold.earlier_versions import RECIPE, with_former_names
from medfold.paths import ProjectPaths
from tests.support.helpers import refused


def load(name="baseline", **overrides):
    project_paths = ProjectPaths.find()
    return load_recipe(project_paths.competition("small"), name, overrides)


def test_unknown_recipe_suggests_the_nearest(project_folder):
    with refused("did you mean 'baseline'"):
        load("baselin")


def test_unknown_override_names_file_and_key(project_folder):
    with refused(r"^SET: unknown key 'training.epoch'"):
        load(training={"epoch": 3})


@pytest.mark.parametrize("key", ["training.mixup", "training.epochs", "training.num_images"])
@pytest.mark.parametrize("value", ["yes", "true", "off"])
def test_yes_no_values_are_refused_for_numbers(project_folder, key, value):
    with refused(f"'{key}': expected a (whole )?number, received (true|false)"):
        load(**parse_overrides(f"{key}={value}"))


def test_the_former_name_of_the_number_of_images_is_read(project_folder):
    assert load(training={"images": 4}) == load(training={"num_images": 4})
    content = load(training={"num_images": 4}).portable()
    assert with_former_names(content, RECIPE)["training"]["images"] == 4
    assert effective_recipe({"training": {"images": 4}}, "none")["training.num_images"] == 4
    with refused(r"'training\.images' is the former name of 'training\.num_images'"):
        load(training={"images": 4, "num_images": 4})


def test_the_former_name_of_a_section_is_read_in_files_and_overrides(project_folder):
    folder = project_folder / "competition" / "small"
    (folder / "mine.yaml").write_text("extends: simple_cnn\nimages: {size: 24, fit: pad}\n")
    (folder / "larger.yaml").write_text("extends: mine\npreparation: {size: 40}\n")
    assert (load("larger").preparation.size, load("larger").preparation.fit) == (40, "pad")
    assert load("larger", images={"size": 48}) == load("larger", preparation={"size": 48})
    assert with_former_names(load("mine").portable(), RECIPE)["images"] == {"size": 24, "steps": [], "fit": "pad"}
    with refused("SET: 'images' is the former name of 'preparation': remove one of them"):
        load("mine", images={"size": 48}, preparation={"fit": "crop"})


def test_a_former_name_overrides_the_setting_of_a_base(project_folder):
    assert load("debug").training.ema_decay == 0
    assert load("debug", training={"ema": 0.5}) == load("debug", training={"ema_decay": 0.5})
    assert load("debug", training={"ema": 0.5}).training.ema_decay == 0.5
    (project_folder / "competition" / "small" / "mine.yaml").write_text("extends: debug\ntraining: {ema: 0.25}\n")
    assert load("mine").training.ema_decay == 0.25


def test_shared_recipes_need_no_file(project_folder):
    assert load("simple_cnn").backbone.name == "simple_cnn"
    debug = load("debug")
    assert debug.training.check_memorised
    assert (debug.training.num_images, debug.preparation, debug.backbone) == (32, load().preparation, load().backbone)
    mobilenet = load("mobilenet")
    assert (mobilenet.backbone.name, mobilenet.training.epochs) == ("MobileNetV2", 0)
    own = own_settings(ProjectPaths.find().competition("small"), "mobilenet", {})
    assert not own & set(ineffective_settings(mobilenet, "horizontal"))
    with refused(r"^SET: unknown key 'training.epoch'"):
        load("simple_cnn", training={"epoch": 3})


def test_own_settings_are_those_of_the_file_and_of_overrides(project_folder):
    paths = ProjectPaths.find().competition("small")
    (paths.folder / "mine.yaml").write_text("extends: mobilenet\ntraining: {ema: 0.5}\n")
    assert own_settings(paths, "mine", {"images": {"size": 24}}) == {
        "extends",
        "training.ema_decay",
        "preparation.size",
    }
    assert {"backbone.name", "training.epochs"} < own_settings(paths, "mobilenet", {})
    assert "training.cutmix" not in own_settings(paths, "mobilenet", {})


def test_shared_file_that_is_only_extended_is_refused_as_a_recipe(project_folder):
    with refused("gpu_small: small has no such recipe; the shared file of that name is only to be extended. It has: "):
        load("gpu_small")


def test_gpu_of_a_competition_extends_the_shared_file_of_that_name(project_folder):
    assert (load("gpu").backbone.name, load("gpu").training.epochs) == ("ConvNeXtTiny", 10)
    (project_folder / "competition" / "small" / "gpu.yaml").write_text("extends: gpu\ntraining: {epochs: 2}\n")
    assert (load("gpu").backbone.name, load("gpu").training.epochs) == ("ConvNeXtTiny", 2)


def test_gpu_changes_the_baseline(project_folder):
    folder = project_folder / "competition" / "small"
    (folder / "baseline.yaml").write_text("augment: xray\ntraining: {class_weights: balanced, epochs: 9}\n")
    gpu = load("gpu")
    assert (gpu.augment, gpu.training.class_weights, gpu.training.epochs) == ("xray", "balanced", 10)


def test_file_of_the_competition_replaces_shared_recipe(project_folder):
    (project_folder / "competition" / "small" / "simple_cnn.yaml").write_text("extends: simple_cnn\ntta: true\n")
    assert load("simple_cnn").tta is True
