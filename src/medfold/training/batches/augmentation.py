"""Augmentation: named pipelines of albumentations transforms, limited by `images.symmetry`.

A pipeline is a pure function of (pixels, seed), so the result does not depend on which worker computes it, or when.
"""

import copy
import inspect
import os
import random
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from pydantic import ValidationError

from medfold.competition import Symmetry
from medfold.config_errors import describe_errors
from medfold.errors import SettingError
from medfold.text import count_of, did_you_mean
from medfold.training.batches.augmentation_checks import check_keeps_sides

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # otherwise it checks for updates over the network

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
    "none": "No change at all, no flips or rotations either.",
    "light": "Any image: small shifts, rotations and changes of scale, brightness and contrast.",
    "xray": "Radiographs: exposure and contrast vary; strong shifts would cut the lungs off.",
    "fundus": "Fundus photographs: round, so any turn is natural; colour depends on the camera.",
    "histology": "Stained tissue: no up and down; the strength of the stain varies between laboratories.",
}

# Transforms that rotate or mirror an image, by the symmetry that they need.
_NEEDS_DIHEDRAL = {"VerticalFlip", "Transpose", "RandomRotate90", "D4", "SquareSymmetry"}
_NEEDS_HORIZONTAL = {"HorizontalFlip"}
_SYMMETRY: dict[str, Spec] = {
    "none": [],
    "horizontal": [{"HorizontalFlip": {"p": 0.5}}],
    "dihedral": [{"SquareSymmetry": {"p": 1.0}}],
}
COMPOSITIONS = ["OneOf", "SomeOf", "Sequential"]  # transforms that hold other transforms


class _Random:
    """The two random generators that albumentations draws from, with fast reseeding.

    Philox (Salmon et al. 2011, doi 10.1145/2063384.2063405) uses any key directly as its state; creating a new numpy
    generator costs more than some of the transforms.
    """

    def __init__(self):
        self._philox = np.random.Philox(0)
        self.python = random.Random(0)
        self.numpy = np.random.Generator(self._philox)
        self._initial_state = self._philox.state
        self._initial_state["state"]["counter"][:] = 0

    def seed(self, seed: int) -> None:
        self._initial_state["state"]["key"][:] = seed, 0
        self._philox.state = self._initial_state
        self.python.seed(seed)


class Augmenter:
    """A sequence of transforms: a pure function of (pixels, seed), safe in threads and processes.

    All transforms draw from one generator in turn. `Compose.set_random_seed` of albumentations 2.0.8 gives each
    transform a generator of the same seed, which correlates their choices, such as whether an image is flipped and how
    bright it becomes.

    Args:
        transforms: albumentations transforms, or compositions of them (OneOf, SomeOf, Sequential).
        shape: height, width and channels of the images.
    """

    def __init__(self, transforms: list[A.BasicTransform], shape: tuple[int, int, int]):
        self._transforms = transforms
        self._shape = shape
        self._local = threading.local()

    def __call__(self, pixels: np.ndarray, seed: int) -> np.ndarray:
        """Transforms pixels uint8 (height, width, channels); the shape stays the same."""
        if not self._transforms:
            return pixels
        if not hasattr(self._local, "transforms"):  # transforms hold a random state: one copy per thread
            self._local.transforms = copy.deepcopy(self._transforms)
            self._local.random = _Random()
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
    """Builds the augmentation of a recipe: the flips and rotations of the symmetry, then the transforms of the recipe.

    Args:
        spec: the name of a pipeline, or a list of albumentations transforms: names, or `{name: {argument: value}}`.
        symmetry: none, horizontal or dihedral.
        shape: height, width and channels of the images.

    Raises:
        UserError: the pipeline or a transform is unknown (the nearest name is suggested), an argument is wrong, or a
            transform breaks the symmetry or does not accept images of this shape.
    """
    if isinstance(spec, str):
        if spec not in PIPELINES:
            raise SettingError(
                f"unknown pipeline '{spec}'{did_you_mean(spec, PIPELINES)}", "augment", f"Known: {', '.join(PIPELINES)}"
            )
        items = [*_SYMMETRY[symmetry], *PIPELINES[spec]] if spec != "none" else []
    else:
        items = [*_SYMMETRY[symmetry], *spec]
    transforms = [_build_transform(item, symmetry) for item in items]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong is said by the errors of the checks
        _check_suitable(copy.deepcopy(transforms), shape)
        if symmetry != "dihedral":
            for transform in (single for item in copy.deepcopy(transforms) for single in _single_transforms(item)):
                check_keeps_sides(transform, symmetry, shape, pipeline=spec if isinstance(spec, str) else None)
    return Augmenter(transforms, shape)


def _build_transform(item: str | dict[str, dict[str, Any]], symmetry: Symmetry) -> A.BasicTransform | A.BaseCompose:
    """Builds one transform of a recipe, with the transforms inside it if it is a composition."""
    if isinstance(item, str):
        item = {item: {}}
    if len(item) != 1:
        fix = "Example: augment: [HorizontalFlip, {Affine: {rotate: [-10, 10]}}]"
        raise SettingError(f"expected one transform per list item, received {item}", "augment", fix)
    ((name, arguments),) = item.items()
    _check_name(name)
    _check_symmetry(name, symmetry)
    _check_arguments(name, arguments)
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
    if name in COMPOSITIONS:
        values["transforms"] = [_build_transform(inner, symmetry) for inner in arguments["transforms"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # albumentations only warns about a value that it changes
        try:
            return getattr(A, name)(**values)
        except (ValueError, TypeError, UserWarning) as error:
            reason = " ".join(str(error).split())
            if isinstance(error.__cause__, ValidationError):
                reason = "; ".join(describe_errors(error.__cause__).values())
            fix = f"Check the arguments of {name}"
            raise SettingError(f"{name}: {reason.rstrip('.')}", "augment", fix) from None


def _check_name(name: str) -> None:
    """Checks that a name is that of a transform or a composition."""
    if name in PIPELINES:
        fix = f"Write augment: {name}, or list its transforms (docs/reference.md)" if name != "none" else "Remove it"
        raise SettingError(f"'{name}' is a whole pipeline, which cannot be an item of a list", "augment", fix)
    known = [key for key, value in vars(A).items() if isinstance(value, type) and issubclass(value, A.BasicTransform)]
    known += COMPOSITIONS
    if name not in known:
        fix = f"Known: the transforms of albumentations, and {', '.join(COMPOSITIONS)}"
        raise SettingError(f"unknown transform '{name}'{did_you_mean(name, known)}", "augment", fix)


def _check_symmetry(name: str, symmetry: Symmetry) -> None:
    """Checks that a transform that rotates or mirrors is within the symmetry of the images."""
    allowed = {"none": set(), "horizontal": _NEEDS_HORIZONTAL, "dihedral": _NEEDS_HORIZONTAL | _NEEDS_DIHEDRAL}
    if name in (_NEEDS_DIHEDRAL | _NEEDS_HORIZONTAL) - allowed[symmetry]:
        fix = "Remove it, or change images.symmetry if the images really look the same that way"
        raise SettingError(f"{name} is not within images.symmetry: {symmetry}", "augment", fix)


def _check_arguments(name: str, arguments: dict[str, Any]) -> None:
    """Checks the names of the arguments of a transform; a composition needs a list of transforms."""
    if name in COMPOSITIONS and not (isinstance(arguments.get("transforms"), list) and arguments["transforms"]):
        fix = f"Example: {name}: {{transforms: [Blur, Sharpen], p: 0.3}}"
        raise SettingError(f"{name} needs a list of transforms", "augment", fix)
    known = list(inspect.signature(getattr(A, name)).parameters)
    for argument in arguments:
        if argument not in known:
            what = f"{name} has no argument '{argument}'{did_you_mean(str(argument), known)}"
            raise SettingError(what, "augment", f"It has: {', '.join(known)}")


def _check_suitable(transforms: list[A.BasicTransform], shape: tuple[int, int, int]) -> None:
    """Applies each transform once, to check before training that it accepts the images and keeps shape and type."""
    grey = np.full(shape, 128, np.uint8)
    for transform in (single for item in transforms for single in _single_transforms(item)):
        name = type(transform).__name__
        transform.p = 1.0
        try:
            result = transform(image=grey)["image"]
        except (ValueError, TypeError, RuntimeError, cv2.error) as error:
            size = f"images of {shape[0]}x{shape[1]} px and {count_of(shape[2], 'channel')}"
            fix = f"Check its arguments, or remove {name}"
            raise SettingError(f"{name} fails on {size} ({error})", "augment", fix) from None
        if result.shape[:2] != shape[:2]:
            raise SettingError(
                f"{name} changes the size from {shape[:2]} to {result.shape[:2]}", "augment", f"Remove {name}"
            )
        if result.size != grey.size:
            channels = result.shape[2] if result.ndim == 3 else 1
            raise SettingError(
                f"{name} changes the channels from {shape[2]} to {channels}", "augment", f"Remove {name}"
            )
        if result.dtype != np.uint8:
            fix = "Remove it: the net scales the pixels itself, in training and prediction alike"
            raise SettingError(f"{name} changes the pixels from uint8 to {result.dtype}", "augment", fix)


def _single_transforms(transform: A.BasicTransform | A.BaseCompose) -> Iterator[A.BasicTransform]:
    """Yields the single transforms inside a composition; a single transform yields itself."""
    if isinstance(transform, A.BaseCompose):
        for inner in transform.transforms:
            yield from _single_transforms(inner)
    else:
        yield transform


def random_view(views: np.ndarray, seed: int) -> np.ndarray:
    """Returns one of the precomputed views of an image, chosen by the seed: the augmentation of features."""
    return views[seed % len(views)]
