"""Augmentation within the symmetry: transforms that mirror or turn images are refused, others are accepted."""

import numpy as np
import pytest

from medfold.training.batches.augmentation import build_augmenter
from tests.support.helpers import refused


@pytest.mark.parametrize(
    ("spec", "symmetry", "message"),
    [
        ("fundus", "none", "pipeline fundus mirrors images, or rotates them by more than 46 degrees, which"),
        ("fundus", "horizontal", "pipeline fundus mirrors images, or rotates them .* images.symmetry: horizontal"),
        ([{"Rotate": {"limit": [170, 180]}}], "none", "Rotate mirrors images, or rotates them"),
        ([{"Affine": {"rotate": [180, 180]}}], "horizontal", "Affine mirrors images, or rotates them"),
        ([{"Affine": {"scale": [-1, -1]}}], "none", "Affine"),
        ([{"SafeRotate": {"limit": [-90, 90]}}], "none", "SafeRotate mirrors images, or rotates them"),
    ],
)
def test_transform_that_mirrors_or_turns_images_is_refused(spec, symmetry, message):
    with refused(message) as caught:
        build_augmenter(spec, symmetry, (20, 20, 1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("symmetry", ["none", pytest.param("horizontal", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "spec",
    [
        "light",
        "xray",
        "histology",
        [{"Rotate": {"limit": [-30, 30]}}],
        ["InvertImg"],
        ["GaussNoise"],
        ["CoarseDropout"],
        [
            {
                "CoarseDropout": {
                    "num_holes_range": [8, 16],
                    "hole_height_range": [0.2, 0.3],
                    "hole_width_range": [0.2, 0.3],
                }
            }
        ],
        [{"Erasing": {"p": 0.5}}],
        ["GridDistortion"],
        [{"Perspective": {"scale": [0.05, 0.1]}}],
    ],
)
def test_orientation_preserving_transforms_are_accepted(spec, symmetry):
    for shape in ((28, 28, 1), (64, 96, 3)):
        image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        augment = build_augmenter(spec, symmetry, shape)
        views = [augment(image, seed) for seed in range(20)]
        assert {(view.shape, view.dtype.name) for view in views} == {(shape, "uint8")}
        unchanged = {image.tobytes(), image[:, ::-1].tobytes()}
        assert any(view.tobytes() not in unchanged for view in views)
