"""Recipes of a new competition: size, epochs and settings that suit its images."""

import pytest
import yaml

from medfold.scaffold import Draft
from medfold.scaffold.recipes import MIN_GPU_SIZE, baseline_recipe, gpu_recipe
from tests.support.helpers import REPOSITORY


@pytest.mark.parametrize(
    ("facts", "side", "expected"),
    [
        (
            {"images": {"train": "train/{id}.dcm"}, "task": "binary"},
            2000,
            {"extends": "gpu"},
        ),
        (
            {"images": {"train": "{id}.png", "channels": 1}, "task": "binary"},
            200,
            {"extends": "gpu", "preparation": {"size": 200}},
        ),
        (
            {"images": {"train": "{id}.png", "channels": 1}, "task": "binary"},
            48,
            {"extends": "gpu", "preparation": {"size": MIN_GPU_SIZE}},
        ),
        (
            {"title": "Chest x-rays", "images": {"channels": 1}, "task": "binary"},
            2000,
            {"extends": "gpu"},
        ),
        ({"title": "Retinal grades", "images": {}, "task": "ordinal"}, 3000, {"extends": "gpu"}),
        (
            {"title": "Fundus", "images": {}, "task": "binary"},
            3000,
            {"extends": "gpu"},
        ),
        (
            {"images": {"channels": 3}, "task": "binary"},
            224,
            {"extends": "gpu_small", "preparation": {"size": 224}},
        ),
        (
            {"images": {"channels": 3}, "task": "binary"},
            96,
            {"extends": "gpu_small", "preparation": {"size": MIN_GPU_SIZE}},
        ),
        ({"images": {"channels": 3}, "task": "binary"}, 600, {"extends": "gpu"}),
        ({"images": {"channels": 3}, "task": "binary"}, None, {"extends": "gpu"}),
    ],
)
def test_gpu_recipe_extends_the_one_for_such_images_and_gives_reasons(facts, side, expected):
    facts = {"source": {"kind": "own"}, "labels": {"targets": ["label"]}, **facts}
    text = gpu_recipe(Draft(facts, largest_side=side))
    assert yaml.safe_load(text) == expected
    settings = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(" # " in line for line in settings)
    assert (REPOSITORY / "competition" / "_base" / f"{expected['extends']}.yaml").is_file()


@pytest.mark.parametrize(
    ("facts", "preparation", "other"),
    [
        ({"title": "Chest x-rays", "images": {"channels": 1}, "task": "binary"}, {}, {"augment": "xray"}),
        ({"title": "Mammograms", "images": {"train": "{id}.dcm"}, "task": "binary"}, {}, {"augment": "xray"}),
        ({"title": "Chest x-rays", "images": {"channels": 3}, "task": "binary"}, {}, {}),
        ({"title": "Fundus", "images": {}, "task": "binary"}, {"steps": ["circle_crop"]}, {}),
        ({"title": "Retinal grades", "images": {}, "task": "ordinal"}, {"steps": ["circle_crop"]}, {"head": "both"}),
        ({"title": "Lesions", "images": {}, "task": "ordinal"}, {}, {}),
    ],
)
def test_settings_that_suit_the_images_are_in_the_baseline(facts, preparation, other):
    facts = {"source": {"kind": "own"}, "labels": {"targets": ["label"]}, **facts}
    text = baseline_recipe(Draft(facts, largest_side=3000, num_images=50_000))
    expected = {"preparation": {"size": 96, "fit": "pad", **preparation}, "training": {"epochs": 1}, **other}
    assert yaml.safe_load(text) == expected
    assert "augment: " in text  # set, or named in a comment
    assert all(len(line) <= 120 for line in text.splitlines())
    assert all(" # " in line for line in text.splitlines() if not line.startswith("#"))


def test_smallest_size_of_a_gpu_recipe_is_that_of_the_shipped_one_for_patches():
    shipped_recipe = REPOSITORY / "competition" / "histopathologic-cancer-detection" / "gpu.yaml"
    assert yaml.safe_load(shipped_recipe.read_text())["preparation"]["size"] == MIN_GPU_SIZE


@pytest.mark.parametrize(
    ("num_images", "epochs"), [(200, 40), (1_250, 40), (5_000, 10), (12_000, 4), (50_000, 1), (200_000, 1)]
)
def test_epochs_of_the_baseline_depend_on_the_number_of_images(num_images, epochs):
    facts = {"source": {"kind": "own"}, "task": "binary", "labels": {"targets": ["label"]}, "images": {}}
    text = baseline_recipe(Draft(facts, num_images=num_images))
    assert yaml.safe_load(text)["training"] == {"epochs": epochs}
    assert f"# 50,000 / {num_images:,} images, at least 1, at most 40\n" in text
