"""The image files of a competition: what is a mask, and what is not."""

import pytest

from tests.support.drafts import drafted, facts_and_doubts, pictures, write_images
from tests.support.helpers import picture


def test_masks_are_excluded_and_reported(tmp_path):
    write_images(
        tmp_path / "one",
        "benign/x ({n}).png",
        "benign/x ({n})_mask.png",
        "normal/y ({n}).png",
        "normal/y ({n})_mask.png",
    )
    picture(tmp_path / "one/benign/x (0)_mask_1.png")
    facts, report = drafted(tmp_path / "one")
    assert facts["images"]["exclude"] == ["*_mask.*", "*_mask_1.*"]
    assert "13 images are named like others" in report
    write_images(
        tmp_path / "two", *(f"{label}/{kind}/{{n}}.png" for label in ("sick", "well") for kind in ("images", "masks"))
    )
    facts, _ = drafted(tmp_path / "two")
    assert facts["classes"] == ["sick", "well"]
    assert facts["images"]["train"] == "{label}/images/{id}.png"
    assert facts["images"]["exclude"] == ["*/masks/*"]


def test_possible_masks_are_kept_and_reported(tmp_path):
    write_images(tmp_path, "a/{n}.png", "a/{n}_b.png", "b/{n}.png", "b/{n}_b.png")
    facts, report = drafted(tmp_path)
    assert "exclude" not in facts["images"]
    assert "12 images are named like others with '_b' added" in report


def test_class_name_containing_roi_is_not_a_mask(tmp_path):
    write_images(tmp_path, "thyroid/{n}.png", "normal/{n}.png", "fibroid/{n}.png")
    facts, _ = drafted(tmp_path)
    assert facts["classes"] == ["fibroid", "normal", "thyroid"]
    assert "exclude" not in facts["images"]


@pytest.mark.parametrize(
    ("paths", "exclude"),
    [
        (
            ("images/benign/b{n}.png", "images/normal/n{n}.png", "masks/benign/b{n}.png", "masks/normal/n{n}.png"),
            "masks/*",
        ),
        (
            ("benign/b{n}_image.png", "benign/b{n}_mask.png", "normal/n{n}_image.png", "normal/n{n}_mask.png"),
            "*_mask.*",
        ),
        (("benign/b{n}.png", "benign/mask_b{n}.png", "normal/n{n}.png", "normal/mask_n{n}.png"), "*/mask_*"),
    ],
    ids=["folders above", "two endings", "in front"],
)
def test_masks_are_excluded_however_they_are_named(tmp_path, paths, exclude):
    pictures(tmp_path, *paths)
    facts, _ = facts_and_doubts(tmp_path)
    assert exclude in facts["images"]["exclude"]
    assert facts["classes"] == ["benign", "normal"]


def test_class_folders_named_like_masks_are_not_excluded(tmp_path):
    pictures(tmp_path, *(f"train/{name}/{{n}}.png" for name in ("band", "lymphocyte", "monocyte", "segmented")))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["classes"] == ["band", "lymphocyte", "monocyte", "segmented"]
    pictures(tmp_path / "two", "label_0/{n}.png", "label_1/{n}.png")
    assert facts_and_doubts(tmp_path / "two")[0]["classes"] == ["label_0", "label_1"]
