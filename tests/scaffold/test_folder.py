"""The files of a new competition folder."""

import pytest
import yaml

from medfold.scaffold.folder import SIZE_OF_GPU_HISTOLOGY, folder_files
from tests.support.helpers import REPOSITORY


@pytest.mark.parametrize(
    ("facts", "side", "expected"),
    [
        ({"images": {"train": "train/{id}.dcm"}, "task": "binary"}, 2000, "extends: gpu_radiograph\n"),
        (
            {"images": {"train": "{id}.png", "channels": 1}, "task": "binary"},
            200,
            "extends: gpu_radiograph\nimages: {size: 200}\n",
        ),
        ({"title": "Retinal grades", "images": {}, "task": "ordinal"}, 3000, "extends: gpu_fundus\n"),
        ({"title": "Fundus", "images": {}, "task": "binary"}, 3000, "extends: gpu_fundus\nhead: classes\n"),
        ({"images": {"channels": 3}, "task": "binary"}, 224, "extends: gpu_histology\nimages: {size: 224}\n"),
        ({"images": {"channels": 3}, "task": "binary"}, 96, "extends: gpu_histology\n"),
        ({"images": {"channels": 3}, "task": "binary"}, 600, "extends: gpu_screening\n"),
        ({"images": {"channels": 3}, "task": "binary"}, None, "extends: gpu_screening\n"),
    ],
)
def test_gpu_recipe_extends_the_one_for_such_images(facts, side, expected):
    facts = {"source": {"kind": "own"}, "labels": {"targets": ["label"]}, **facts}
    text = folder_files("theirs", facts, side)["gpu.yaml"]
    assert text.startswith("# make train COMPETITION=theirs RECIPE=gpu\n")
    assert text.endswith(expected)
    name = yaml.safe_load(text)["extends"]
    base = REPOSITORY / "competition" / "_base" / f"{name}.yaml"
    assert base.is_file()
    if name == "gpu_histology":
        assert yaml.safe_load(base.read_text())["images"]["size"] == SIZE_OF_GPU_HISTOLOGY


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
