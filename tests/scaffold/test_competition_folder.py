"""The files of a new competition folder."""

import re

import pytest
import yaml

from medfold.scaffold.competition_folder import KEY_ORDER, MIN_GPU_SIZE, SECTION_KEY_ORDER, complete_facts, folder_files
from medfold.scaffold.draft import Doubt, Draft, Reason
from tests.support.helpers import REPOSITORY


@pytest.mark.parametrize(
    ("facts", "side", "expected"),
    [
        (
            {"images": {"train": "train/{id}.dcm"}, "task": "binary"},
            2000,
            {"extends": ["baseline", "gpu"]},
        ),
        (
            {"images": {"train": "{id}.png", "channels": 1}, "task": "binary"},
            200,
            {"extends": ["baseline", "gpu"], "preparation": {"size": 200}},
        ),
        (
            {"images": {"train": "{id}.png", "channels": 1}, "task": "binary"},
            48,
            {"extends": ["baseline", "gpu"], "preparation": {"size": MIN_GPU_SIZE}},
        ),
        (
            {"title": "Chest x-rays", "images": {"channels": 1}, "task": "binary"},
            2000,
            {"extends": ["baseline", "gpu"]},
        ),
        ({"title": "Retinal grades", "images": {}, "task": "ordinal"}, 3000, {"extends": ["baseline", "gpu"]}),
        (
            {"title": "Fundus", "images": {}, "task": "binary"},
            3000,
            {"extends": ["baseline", "gpu"]},
        ),
        (
            {"images": {"channels": 3}, "task": "binary"},
            224,
            {"extends": ["baseline", "gpu_small"], "preparation": {"size": 224}},
        ),
        (
            {"images": {"channels": 3}, "task": "binary"},
            96,
            {"extends": ["baseline", "gpu_small"], "preparation": {"size": MIN_GPU_SIZE}},
        ),
        ({"images": {"channels": 3}, "task": "binary"}, 600, {"extends": ["baseline", "gpu"]}),
        ({"images": {"channels": 3}, "task": "binary"}, None, {"extends": ["baseline", "gpu"]}),
    ],
)
def test_gpu_recipe_extends_the_one_for_such_images_and_gives_reasons(facts, side, expected):
    facts = {"source": {"kind": "own"}, "labels": {"targets": ["label"]}, **facts}
    text = folder_files("theirs", facts, Draft(largest_side=side))["gpu.yaml"]
    assert text.startswith("# make train COMPETITION=theirs RECIPE=gpu\n")
    assert yaml.safe_load(text) == expected
    settings = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(" # " in line for line in settings)
    baseline, shared = expected["extends"]
    assert baseline == "baseline"
    assert (REPOSITORY / "competition" / "_base" / f"{shared}.yaml").is_file()


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
    text = folder_files("theirs", facts, Draft(largest_side=3000, num_images=50_000))["baseline.yaml"]
    expected = {"preparation": {"size": 96, "fit": "pad", **preparation}, "training": {"epochs": 1}, **other}
    assert yaml.safe_load(text) == expected
    assert "augment: " in text  # set, or named in a comment
    assert all(len(line) <= 120 for line in text.splitlines())
    assert all(" # " in line for line in text.splitlines() if not line.startswith("#"))


def test_smallest_size_of_a_gpu_recipe_is_that_of_the_shipped_one_for_patches():
    shipped_recipe = REPOSITORY / "competition" / "histopathologic-cancer-detection" / "gpu.yaml"
    assert yaml.safe_load(shipped_recipe.read_text())["preparation"]["size"] == MIN_GPU_SIZE


@pytest.mark.parametrize(("layout", "expected"), [("wide", "labels:\n  targets: [grade]\n"), ("folders", None)])
def test_drafted_facts_leave_out_the_default_layout_and_explain_symmetry(layout, expected):
    facts = {
        "source": {"kind": "own"},
        "task": "binary",
        "labels": {"layout": layout, "targets": ["grade"]},
        "images": {"train": "{id}.png", "symmetry": "none"},
    }
    text = folder_files("theirs", facts, Draft())["competition.yaml"]
    assert (expected or "labels:\n  layout: folders\n  targets: [grade]\n") in text
    assert "symmetry: none # horizontal or dihedral, if images may be mirrored or turned\n" in text
    assert yaml.safe_load(text)["images"]["symmetry"] == "none"


def test_reasons_of_the_guesses_are_comments_of_the_facts():
    facts = {
        "source": {"kind": "own"},
        "task": "multilabel",
        "labels": {"layout": "folders", "targets": [f"finding number {number}" for number in range(12)]},
        "images": {"train": "{id}.png", "channels": 1},
    }
    reasons = [
        Reason("task", "multilabel", "12 target columns"),
        Reason("images.channels", "1", "24 of the 24 images examined are grey"),
        Reason("labels.targets", "...", "columns of 0 and 1"),
        Reason("labels.id", "id", "the default, so not written"),
    ]
    text = folder_files("theirs", facts, Draft(reasons=reasons))["competition.yaml"]
    assert "task: multilabel # 12 target columns\n" in text
    assert "  channels: 1 # 24 of the 24 images examined are grey\n" in text
    assert "  # columns of 0 and 1\n  targets: [" in text
    assert "not written" not in text
    assert yaml.safe_load(text) == facts
    assert all(len(line) <= 120 for line in text.splitlines())


def test_drafted_facts_are_in_the_style_of_the_shipped_ones():
    facts = {
        "source": {"kind": "kaggle", "slug": "theirs"},
        "task": "binary",
        "labels": {"targets": ["no"], "group_pattern": "[a-z]\\d+"},
        "images": {"train": "{id}.png"},
    }
    text = folder_files("theirs", facts, Draft())["competition.yaml"]
    assert "source: {kind: kaggle, slug: theirs}\n" in text
    assert '  targets: ["no"]\n' in text
    assert "  group_pattern: '[a-z]\\d+'\n" in text
    assert '  train: "{id}.png"\n' in text
    assert yaml.safe_load(text) == facts


def test_doubts_are_comments_above_their_key_or_at_the_top_of_its_section():
    facts = {
        "source": {"kind": "own"},
        "task": "ordinal",
        "labels": {"layout": "folders", "targets": ["grade"]},
        "images": {"train": "{label}/{id}.png"},
    }
    doubts = [
        Doubt("", "copy/ is a second copy of the files beside it: not used"),
        Doubt("task", "ordinal if a higher number is a higher grade, else multiclass"),
        Doubt("labels.group_pattern", "do the file names contain patient ids?"),
        Doubt("images.train", "a long text, " * 20),
    ]
    text = folder_files("theirs", facts, Draft(doubts=doubts))["competition.yaml"]
    lines = text.splitlines()
    assert lines[1] == "# check copy/ is a second copy of the files beside it: not used"
    assert "# check task: ordinal if a higher number is a higher grade, else multiclass\ntask: ordinal\n" in text
    assert "labels:\n  # check labels.group_pattern: do the file names contain patient ids?\n" in text
    assert "images:\n  # check images.train: a long text" in text
    assert yaml.safe_load(text) == facts
    assert all(len(line) <= 120 for line in lines)


@pytest.mark.parametrize(
    ("num_images", "epochs"), [(200, 40), (1_250, 40), (5_000, 10), (12_000, 4), (50_000, 1), (200_000, 1)]
)
def test_epochs_of_the_baseline_depend_on_the_number_of_images(num_images, epochs):
    facts = {"source": {"kind": "own"}, "task": "binary", "labels": {"targets": ["label"]}, "images": {}}
    text = folder_files("theirs", facts, Draft(num_images=num_images))["baseline.yaml"]
    assert yaml.safe_load(text)["training"] == {"epochs": epochs}
    assert f"# 50,000 / {num_images:,} images, at least 1, at most 40\n" in text


def test_keys_of_a_draft_are_in_the_order_of_the_reference():
    reference = (REPOSITORY / "docs" / "reference.md").read_text(encoding="utf-8")
    for section, keys in SECTION_KEY_ORDER.items():
        documented = re.findall(rf"^\| `{section}\.(\w+)` ", reference, re.MULTILINE)
        assert keys == [key for key in dict.fromkeys(documented) if key in keys]
    facts = {section: dict.fromkeys(reversed(keys), "x") for section, keys in SECTION_KEY_ORDER.items()}
    draft = Draft({**facts, "task": "binary"})
    completed = complete_facts(draft, "theirs", {"kind": "own"})
    assert list(completed) == [key for key in KEY_ORDER if key in completed]
    for section, keys in SECTION_KEY_ORDER.items():
        assert list(completed[section]) == keys


def test_mappings_within_sections_are_on_one_line():
    facts = {"source": {"kind": "own"}, "task": "binary", "labels": {"map": {"": None, "-1": "1"}}, "images": {}}
    text = folder_files("theirs", facts, Draft(reasons=[Reason("labels.map", "", "2 rows")]))["competition.yaml"]
    assert '  map: {"": null, "-1": "1"} # 2 rows\n' in text
    assert yaml.safe_load(text) == facts
