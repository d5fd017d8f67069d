"""Augmentation: reproducible, within the symmetry of the competition, and invalid pipelines refused."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from medfold.training.batches.augmentation import PIPELINES, build_augmenter
from tests.support.helpers import refused

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 20, 20, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_depend_only_on_pixels_and_seed(name):
    one, other = build_augmenter(name, "dihedral", (20, 20, 3)), build_augmenter(name, "dihedral", (20, 20, 3))
    forwards = [one(image, seed) for seed, image in enumerate(IMAGES)]
    backwards = [other(image, seed) for seed, image in reversed(list(enumerate(IMAGES)))][::-1]
    assert all((a == b).all() for a, b in zip(forwards, backwards, strict=True))
    assert all(a.dtype == np.uint8 and a.shape == (20, 20, 3) for a in forwards)
    changed = np.mean([(a != b).any() for a, b in zip(forwards, IMAGES, strict=True)])
    assert changed == 0 if name == "none" else changed > 0.8


def test_threads_augment_equally():
    augment = build_augmenter("fundus", "dihedral", (20, 20, 3))
    alone = [augment(image, seed) for seed, image in enumerate(IMAGES)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(augment, IMAGES, range(len(IMAGES))))
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


def test_other_seed_gives_other_augmentation():
    augment = build_augmenter("light", "none", (20, 20, 3))
    assert (augment(IMAGES[0], 1) != augment(IMAGES[0], 2)).any()


def augmented_views(symmetry, spec):
    marked = np.zeros((4, 4, 1), np.uint8)
    marked[0, 1] = 255
    augment = build_augmenter(spec, symmetry, (4, 4, 1))
    return {augment(marked, seed).tobytes() for seed in range(200)}


@pytest.mark.parametrize(("symmetry", "views"), [("none", 1), ("horizontal", 2), ("dihedral", 8)])
def test_symmetry_limits_flips_and_rotations(symmetry, views):
    assert len(augmented_views(symmetry, [])) == views


@pytest.mark.parametrize(
    ("spec", "symmetry", "message"),
    [
        ("xrays", "none", "unknown pipeline 'xrays' .did you mean 'xray'"),
        (["HorizontalFlop"], "horizontal", "unknown transform 'HorizontalFlop' .did you mean 'HorizontalFlip'"),
        (["xray", "none"], "none", "'xray' is a whole pipeline, .* of a list. Write augment: xray, or list"),
        (["HorizontalFlip", "none"], "horizontal", "'none' is a whole pipeline, .* of a list. Remove it"),
        (["HorizontalFlip"], "none", "HorizontalFlip is not within images.symmetry: none"),
        (["VerticalFlip"], "horizontal", "VerticalFlip is not within images.symmetry: horizontal"),
        ([{"GaussianBlur": {"sigma": 3}}], "none", "GaussianBlur has no argument .sigma. .did you mean .sigma_limit."),
        (
            [{"Affine": {"rotation": 5}}],
            "none",
            "Affine has no argument 'rotation' .did you mean 'rotate'.*It has: scale",
        ),
        ([{"Affine": {"scale": "big"}}], "none", "Affine: 'scale': expected .*a number.* received 'big'. Check"),
        ([{"RandomCrop": {"height": 2}}], "none", "RandomCrop: 'width' is missing. Check"),
        ([{"Rotate": {"p": 3}}], "none", "Rotate: 'p': expected at most 1, received 3. Check"),
        ([{"Blur": {"blur_limit": -3}}], "none", r"adjusted to \(3, 3\)\. Check"),
        (["ChannelDropout"], "none", "ChannelDropout fails on images of "),
        (["ToFloat"], "none", "ToFloat changes the pixels from uint8 to float32"),
        ([{"RandomCrop": {"height": 2, "width": 2}}], "none", "RandomCrop changes the size"),
        ([{"ToRGB": {}}], "none", "ToRGB changes the channels from 1 to 3"),
        ([{"OneOf": {"transforms": ["Blurr"]}}], "none", "unknown transform 'Blurr' .did you mean 'Blur'"),
        ([{"OneOf": {}}], "none", "OneOf needs a list of transforms. Example: OneOf: {transforms: .Blur, Sharpen"),
        ([{"SomeOf": {"transforms": ["Blur", "VerticalFlip"], "n": 2}}], "none", "VerticalFlip is not within"),
        (
            [{"Sequential": {"transforms": [{"OneOf": {"transforms": [{"Rotate": {"limit": [170, 180]}}]}}]}}],
            "none",
            "Rotate mirrors images, or rotates them",
        ),
        (["Compose"], "none", "unknown transform 'Compose'"),
        ([{"Affine": {}, "D4": {}}], "none", "one transform per list item"),
    ],
)
def test_invalid_pipeline_raises_in_one_line(spec, symmetry, message):
    with refused(message) as caught:
        build_augmenter(spec, symmetry, (20, 20, 1))
    assert "\n" not in str(caught.value)


def test_transforms_are_drawn_independently():
    brighter = {"RandomBrightnessContrast": {"brightness_limit": [0.2, 0.2], "contrast_limit": [0, 0], "p": 0.5}}
    augment = build_augmenter([brighter], "horizontal", (4, 4, 1))
    marked = np.full((4, 4, 1), 100, np.uint8)
    marked[0, 0] = 0
    seen = [augment(marked, seed) for seed in range(400)]
    flipped, bright = np.array([[image[0, 0, 0] > image[0, 3, 0], image[3, 1, 0] > 100] for image in seen]).T
    assert abs(flipped.mean() - 0.5) < 0.1
    assert abs(bright.mean() - 0.5) < 0.1
    assert abs((flipped & bright).mean() - 0.25) < 0.1


def test_augmenter_can_be_pickled():
    augment = build_augmenter("fundus", "dihedral", (20, 20, 3))
    augment(IMAGES[0], 0)
    again = pickle.loads(pickle.dumps(augment))
    assert all((augment(image, seed) == again(image, seed)).all() for seed, image in enumerate(IMAGES))


INVERSION, FEWER_LEVELS = {"InvertImg": {"p": 1}}, {"Posterize": {"num_bits": 2, "p": 1}}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"OneOf": {"transforms": [INVERSION, FEWER_LEVELS], "p": 1.0}}, 2),
        ({"OneOf": {"transforms": [INVERSION, FEWER_LEVELS], "p": 0.5}}, 3),
        ({"SomeOf": {"transforms": [INVERSION, FEWER_LEVELS], "n": 2}}, 1),
        ({"Sequential": {"transforms": [INVERSION, FEWER_LEVELS], "p": 0.5}}, 2),
    ],
)
def test_composed_transforms_depend_on_the_seed(choice, expected):
    pixels = np.arange(16 * 16, dtype=np.uint8).reshape(16, 16, 1)
    augment = build_augmenter([choice], "none", (16, 16, 1))
    seen = [augment(pixels, seed).tobytes() for seed in range(60)]
    assert len(set(seen)) == expected
    assert seen == [augment(pixels, seed).tobytes() for seed in range(60)]
    again = pickle.loads(pickle.dumps(augment))
    assert [again(pixels, seed).tobytes() for seed in range(60)] == seen
