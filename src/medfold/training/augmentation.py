"""Augmentation: named pipelines of albumentations transforms, bounded by images.symmetry.

A pipeline is a function of (pixels, seed) alone, so what happens to an image does not depend on who does it when.
"""

import copy
import os
import random
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from medfold.competition import Symmetry
from medfold.errors import UserError, did_you_mean

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would look for updates on the network

import albumentations as A

Spec = list[str | dict[str, dict[str, Any]]]

_AFFINE = {"border_mode": cv2.BORDER_REFLECT_101, "p": 0.8}
PIPELINES: dict[str, Spec] = {
    "none": [],
    "light": [
        {"Affine": {"scale": [0.9, 1.1], "translate_percent": [-0.08, 0.08], "rotate": [-10, 10], **_AFFINE}},
        {"RandomBrightnessContrast": {"brightness_limit": 0.15, "contrast_limit": 0.15, "p": 0.5}},
    ],
    "xray": [
        {"Affine": {"scale": [0.9, 1.1], "translate_percent": [-0.06, 0.06], "rotate": [-8, 8], **_AFFINE}},
        {"RandomBrightnessContrast": {"brightness_limit": 0.2, "contrast_limit": 0.2, "p": 0.6}},
        {"RandomGamma": {"gamma_limit": [80, 125], "p": 0.3}},
    ],
    "fundus": [
        {"Affine": {"scale": [0.9, 1.1], "rotate": [-180, 180], "border_mode": cv2.BORDER_CONSTANT, "p": 0.8}},
        {"RandomBrightnessContrast": {"brightness_limit": 0.15, "contrast_limit": 0.15, "p": 0.5}},
        {"HueSaturationValue": {"hue_shift_limit": 5, "sat_shift_limit": 15, "val_shift_limit": 10, "p": 0.3}},
    ],
    "histology": [
        {"Affine": {"scale": [0.9, 1.1], "translate_percent": [-0.05, 0.05], **_AFFINE}},
        {"RandomBrightnessContrast": {"brightness_limit": 0.15, "contrast_limit": 0.15, "p": 0.5}},
        {"HueSaturationValue": {"hue_shift_limit": 10, "sat_shift_limit": 20, "val_shift_limit": 10, "p": 0.5}},
    ],
}

# What each pipeline is for; shown in docs/reference.md.
PURPOSES = {
    "none": "No change at all, no flips or turns either.",
    "light": "Any image: small shifts, turns and changes of scale, brightness and contrast.",
    "xray": "Radiographs: exposure and sharpness vary; strong shifts would cut the lungs off.",
    "fundus": "Fundus photographs: round, so any turn is natural; colour depends on the camera.",
    "histology": "Stained tissue: no up and down; the strength of the stain varies between laboratories.",
}

TRIES = 48  # of each transform, to see whether it keeps left and right, top and bottom
TURN = 46  # degrees that a transform may turn an image by where it has a top
SMALLEST_PROBE = 48  # pixels of the images that this is tried on
VISIBLE = 40  # grey levels by which a mark must show

# Which transforms turn or mirror an image, and the symmetry they ask for.
_NEEDS_DIHEDRAL = {"VerticalFlip", "Transpose", "RandomRotate90", "D4", "SquareSymmetry"}
_NEEDS_HORIZONTAL = {"HorizontalFlip"}
_SYMMETRY: dict[str, Spec] = {
    "none": [],
    "horizontal": [{"HorizontalFlip": {"p": 0.5}}],
    "dihedral": [{"SquareSymmetry": {"p": 1.0}}],
}


CHOICES = ["OneOf", "SomeOf", "Sequential"]  # of the transforms in them


class _Random:
    """The two generators that albumentations draws from, which can be seeded in no time.

    Philox starts from any key as it is (Salmon et al. 2011, doi 10.1145/2063384.2063405); a new numpy generator costs
    more than some of the transforms.
    """

    def __init__(self):
        self._philox, self.python = np.random.Philox(0), random.Random(0)
        self.numpy = np.random.Generator(self._philox)
        self._fresh = self._philox.state
        self._fresh["state"]["counter"][:] = 0

    def seed(self, seed: int) -> None:
        self._fresh["state"]["key"][:] = seed, 0
        self._philox.state = self._fresh
        self.python.seed(seed)


class Augmenter:
    """Transforms, applied one after the other: a function of (pixels, seed), safe in many threads and processes.

    The transforms draw from one generator in turn. albumentations' own Compose gives each of them a generator of the
    same seed, so that whether an image is flipped and how bright it gets hang together.

    Args:
        transforms: of albumentations, single ones or choices among several (OneOf, SomeOf, Sequential).
        shape: height, width and channels of the images.
    """

    def __init__(self, transforms: list[A.BasicTransform], shape: tuple[int, int, int]):
        self._transforms, self._shape = transforms, shape
        self._local = threading.local()

    def __call__(self, pixels: np.ndarray, seed: int) -> np.ndarray:
        """Pixels uint8 (height, width, channels) -> pixels of the same shape."""
        if not self._transforms:
            return pixels
        if not hasattr(self._local, "transforms"):  # they hold their random state and may not be shared by threads
            self._local.transforms, self._local.random = copy.deepcopy(self._transforms), _Random()
            for transform in self._local.transforms:
                transform.set_random_state(self._local.random.numpy, self._local.random.python)
        self._local.random.seed(seed)
        for transform in self._local.transforms:
            pixels = transform(image=pixels)["image"]
        return pixels.reshape(self._shape)

    def __getstate__(self) -> dict[str, Any]:
        return {"_transforms": self._transforms, "_shape": self._shape}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["_transforms"], state["_shape"])


def build_augmenter(spec: str | Spec, symmetry: Symmetry, shape: tuple[int, int, int]) -> Augmenter:
    """The augmentation of a recipe: its transforms, after the flips and turns that the symmetry allows.

    Args:
        spec: the name of a pipeline, or a list of albumentations transforms: names, or `{name: {argument: value}}`.
        symmetry: none, horizontal or dihedral.
        shape: height, width and channels of the images.

    Raises:
        UserError: an unknown pipeline or transform (nearest named), a wrong argument, a transform that breaks the
            symmetry or does not take such images.
    """
    if isinstance(spec, str):
        if spec not in PIPELINES:
            raise UserError(
                f"unknown pipeline '{spec}'{did_you_mean(spec, PIPELINES)}", "augment", f"Known: {', '.join(PIPELINES)}"
            )
        steps = [*_SYMMETRY[symmetry], *PIPELINES[spec]] if spec != "none" else []
    else:
        steps = [*_SYMMETRY[symmetry], *spec]
    transforms = [_transform(step, symmetry) for step in steps]
    _try(copy.deepcopy(transforms), shape)
    if symmetry != "dihedral":
        for transform in (leaf for each in copy.deepcopy(transforms) for leaf in _leaves(each)):
            _refuse_turns(transform, symmetry, shape)
    return Augmenter(transforms, shape)


def _transform(step: str | dict[str, dict[str, Any]], symmetry: Symmetry) -> A.BasicTransform | A.BaseCompose:
    if isinstance(step, str):
        step = {step: {}}
    if len(step) != 1:
        raise UserError(f"expected one transform per list item, received {step}", "augment")
    ((name, arguments),) = step.items()
    known = [key for key in vars(A) if isinstance(vars(A)[key], type) and issubclass(vars(A)[key], A.BasicTransform)]
    known += CHOICES
    if name not in known:
        raise UserError(f"unknown transform '{name}'{did_you_mean(name, known)}", "augment")
    allowed = {"none": set(), "horizontal": _NEEDS_HORIZONTAL, "dihedral": _NEEDS_HORIZONTAL | _NEEDS_DIHEDRAL}
    if name in (_NEEDS_DIHEDRAL | _NEEDS_HORIZONTAL) - allowed[symmetry]:
        fix = "Take it out, or change images.symmetry if the images really look the same so"
        raise UserError(f"{name} is not within images.symmetry: {symmetry}", "augment", fix)
    if name in CHOICES:
        steps = arguments.get("transforms")
        if not isinstance(steps, list) or not steps:
            fix = f"Example: {name}: {{transforms: [Blur, Sharpen], p: 0.3}}"
            raise UserError(f"{name} needs a list of transforms", "augment", fix)
        arguments = {**arguments, "transforms": [_transform(each, symmetry) for each in steps]}
    arguments = {
        key: tuple(value) if isinstance(value, list) and key != "transforms" else value
        for key, value in arguments.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # albumentations only warns of an unknown argument
        try:
            return getattr(A, name)(**arguments)
        except (ValueError, TypeError, UserWarning) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"{name}: {reason[:160]}", "augment") from None


def _try(transforms: list[A.BasicTransform], shape: tuple[int, int, int]) -> None:
    """Runs each transform once, so that one that does not take such images is named before training starts."""
    grey = np.full(shape, 128, np.uint8)
    for transform in (leaf for each in transforms for leaf in _leaves(each)):
        name = type(transform).__name__
        transform.p = 1.0
        try:
            result = transform(image=grey)["image"]
        except (ValueError, TypeError, RuntimeError, cv2.error) as error:
            raise UserError(f"{name} does not take {shape[2]}-channel images ({error})", "augment") from None
        if result.shape[:2] != shape[:2]:
            raise UserError(f"{name} changes the size from {shape[:2]} to {result.shape[:2]}", "augment")
        if result.size != grey.size:
            channels = result.shape[2] if result.ndim == 3 else 1
            raise UserError(f"{name} changes the channels from {shape[2]} to {channels}", "augment")
        if result.dtype != np.uint8:
            fix = "Take it out: the net scales the pixels itself, in training and prediction alike"
            raise UserError(f"{name} changes the pixels from uint8 to {result.dtype}", "augment", fix)


def _leaves(transform: A.BasicTransform | A.BaseCompose) -> Iterator[A.BasicTransform]:
    """The single transforms that a choice is made among; of a single one, itself."""
    if isinstance(transform, A.BaseCompose):
        for each in transform.transforms:
            yield from _leaves(each)
    else:
        yield transform


def _refuse_turns(transform: A.BasicTransform, symmetry: Symmetry, shape: tuple[int, int, int]) -> None:
    """Tries a transform on marked images, and refuses it if it mirrors or turns them beyond the symmetry.

    Whatever it is called and however it is set: what is on the left must stay there (or be mirrored, if the symmetry is
    horizontal), what is on top must stay on top.
    """
    name = type(transform).__name__
    for seed in range(TRIES):
        axes = _axes(transform, shape, seed)
        if axes is None:
            continue
        right, down = axes
        if symmetry == "horizontal":
            right = np.abs(right * (1, 0)) + right * (0, 1)
        if _angle(right, (1, 0)) <= TURN and _angle(down, (0, 1)) <= TURN:
            continue
        fix = (
            "Bound its angles and scales, take it out, or change images.symmetry if the images really look the same so"
        )
        what = f"{name} mirrors images, or turns them by more than {TURN} degrees"
        raise UserError(f"{what}, which is not within images.symmetry: {symmetry}", "augment", fix)


def _axes(transform: A.BasicTransform, shape: tuple[int, int, int], seed: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Where a transform takes the directions right and down, as (x, y); None if it loses one of the marks.

    A mark is what differs from the same image without it: holes, noise and borders are the same in both.
    """
    side = SMALLEST_PROBE if min(shape[:2]) < SMALLEST_PROBE else None
    height, width = (side, side) if side else shape[:2]
    found, plain = [], np.full((height, width, shape[2]), 64, np.uint8)
    without = _transformed(transform, plain, seed)
    for x, y in ((0.25, 0.5), (0.75, 0.5), (0.5, 0.25), (0.5, 0.75)):
        marked, radius = plain.copy(), max(2, min(height, width) // 12)
        row, column = round(y * height), round(x * width)
        marked[row - radius : row + radius, column - radius : column + radius] = 255
        result = _transformed(transform, marked, seed)
        if without is None or result is None or (away := np.abs(result - without)).max() < VISIBLE:
            return None
        rows, columns = np.nonzero(away > 0.6 * away.max())
        found.append(np.array([columns.mean() / width, rows.mean() / height]))
    left, right, top, bottom = found
    return right - left, bottom - top


def _transformed(transform: A.BasicTransform, pixels: np.ndarray, seed: int) -> np.ndarray | None:
    """An image after a transform with this seed, float64 (height, width); None if the transform refuses it."""
    transform.set_random_seed(seed)
    try:
        return transform(image=pixels)["image"].astype(np.float64).reshape(*pixels.shape[:2], -1).mean(axis=2)
    except (ValueError, TypeError, RuntimeError, cv2.error):
        return None


def _angle(direction: np.ndarray, expected: tuple[int, int]) -> float:
    cosine = direction @ np.array(expected) / max(float(np.linalg.norm(direction)), 1e-9)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def random_view(views: np.ndarray, seed: int) -> np.ndarray:
    """One of several views of an image, by lot: what augmentation is where the views are computed beforehand."""
    return views[seed % len(views)]
