"""The files of a new competition folder."""

import pytest
import yaml

from medfold.scaffold.folder import MIN_GPU_SIZE, folder_files
from tests.support.helpers import REPOSITORY


@pytest.mark.parametrize(
    ("facts", "side", "expected"),
    [
        (
            {"images": {"train": "train/{id}.dcm"}, "task": "binary"},
            2000,
            {"extends": "gpu_grey"},
        ),
        (
            {"images": {"train": "{id}.png", "channels": 1}, "task": "binary"},
            200,
            {"extends": "gpu_grey", "images": {"size": 200}},
        ),
        (
            {"images": {"train": "{id}.png", "channels": 1}, "task": "binary"},
            48,
            {"extends": "gpu_grey", "images": {"size": MIN_GPU_SIZE}},
        ),
        (
            {"title": "Chest x-rays", "images": {"channels": 1}, "task": "binary"},
            2000,
            {"extends": "gpu_radiograph"},
        ),
        ({"title": "Retinal grades", "images": {}, "task": "ordinal"}, 3000, {"extends": "gpu_fundus"}),
        (
            {"title": "Fundus", "images": {}, "task": "binary"},
            3000,
            {"extends": "gpu_fundus", "head": "classes"},
        ),
        (
            {"images": {"channels": 3}, "task": "binary"},
            224,
            {"extends": "gpu_small", "images": {"size": 224}},
        ),
        (
            {"images": {"channels": 3}, "task": "binary"},
            96,
            {"extends": "gpu_small", "images": {"size": MIN_GPU_SIZE}},
        ),
        ({"images": {"channels": 3}, "task": "binary"}, 600, {"extends": "gpu_screening"}),
        ({"images": {"channels": 3}, "task": "binary"}, None, {"extends": "gpu_screening"}),
    ],
)
def test_gpu_recipe_extends_the_one_for_such_images_and_gives_reasons(facts, side, expected):
    facts = {"source": {"kind": "own"}, "labels": {"targets": ["label"]}, **facts}
    text = folder_files("theirs", facts, side)["gpu.yaml"]
    assert text.startswith("# make train COMPETITION=theirs RECIPE=gpu\n")
    assert yaml.safe_load(text) == expected
    settings = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(" # " in line for line in settings)
    name = expected["extends"]
    base = REPOSITORY / "competition" / "_base" / f"{name}.yaml"
    assert base.is_file()
    if name == "gpu_small":
        assert yaml.safe_load(base.read_text())["images"]["size"] == MIN_GPU_SIZE


@pytest.mark.parametrize(("layout", "expected"), [("wide", "labels:\n  targets: [grade]\n"), ("folders", None)])
def test_drafted_facts_leave_out_the_default_layout_and_explain_symmetry(layout, expected):
    facts = {
        "source": {"kind": "own"},
        "task": "binary",
        "labels": {"layout": layout, "targets": ["grade"]},
        "images": {"train": "{id}.png", "symmetry": "none"},
    }
    text = folder_files("theirs", facts)["competition.yaml"]
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
        ("task", "multilabel", "12 target columns"),
        ("images.channels", "1", "24 of the 24 images examined are grey"),
        ("labels.targets", "...", "columns of 0 and 1"),
        ("labels.id", "id", "the default, so not written"),
    ]
    text = folder_files("theirs", facts, reasons=reasons)["competition.yaml"]
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
    text = folder_files("theirs", facts)["competition.yaml"]
    assert "source: {kind: kaggle, slug: theirs}\n" in text
    assert '  targets: ["no"]\n' in text
    assert "  group_pattern: '[a-z]\\d+'\n" in text
    assert '  train: "{id}.png"\n' in text
    assert yaml.safe_load(text) == facts
