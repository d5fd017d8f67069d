"""Augmentation: named pipelines of albumentations transforms, bounded by images.symmetry.

A pipeline is a function of (pixels, seed) alone, so what happens to an image does not depend on who does it when.
"""

import copy
import os
import threading
import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from medfold.competition import Symmetry
from medfold.errors import UserError, nearest

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
    # Radiographs: small turns, exposure and sharpness vary, strong shifts would cut the lungs off.
    "xray": [
        {"Affine": {"scale": [0.9, 1.1], "translate_percent": [-0.06, 0.06], "rotate": [-8, 8], **_AFFINE}},
        {"RandomBrightnessContrast": {"brightness_limit": 0.2, "contrast_limit": 0.2, "p": 0.6}},
        {"RandomGamma": {"gamma_limit": [80, 125], "p": 0.3}},
    ],
    # Fundus photographs: round, so any turn is natural; colour depends on the camera.
    "fundus": [
        {"Affine": {"scale": [0.9, 1.1], "rotate": [-180, 180], "border_mode": cv2.BORDER_CONSTANT, "p": 0.8}},
        {"RandomBrightnessContrast": {"brightness_limit": 0.15, "contrast_limit": 0.15, "p": 0.5}},
        {"HueSaturationValue": {"hue_shift_limit": 5, "sat_shift_limit": 15, "val_shift_limit": 10, "p": 0.3}},
    ],
    # Stained tissue: no up and down; stain strength varies between laboratories.
    "histology": [
        {"Affine": {"scale": [0.9, 1.1], "translate_percent": [-0.05, 0.05], **_AFFINE}},
        {"RandomBrightnessContrast": {"brightness_limit": 0.15, "contrast_limit": 0.15, "p": 0.5}},
        {"HueSaturationValue": {"hue_shift_limit": 10, "sat_shift_limit": 20, "val_shift_limit": 10, "p": 0.5}},
    ],
}

# Which transforms turn or mirror an image, and the symmetry they ask for.
_NEEDS_DIHEDRAL = {"VerticalFlip", "Transpose", "RandomRotate90", "D4", "SquareSymmetry"}
_NEEDS_HORIZONTAL = {"HorizontalFlip"}
_SYMMETRY: dict[str, Spec] = {
    "none": [],
    "horizontal": [{"HorizontalFlip": {"p": 0.5}}],
    "dihedral": [{"SquareSymmetry": {"p": 1.0}}],
}


def augmenter(
    spec: str | Spec, symmetry: Symmetry, shape: tuple[int, int, int]
) -> Callable[[np.ndarray, int], np.ndarray]:
    """The augmentation of a recipe: its transforms, after the flips and turns that the symmetry allows.

    Args:
        spec: the name of a pipeline, or a list of albumentations transforms: names, or `{name: {argument: value}}`.
        symmetry: none, horizontal or dihedral.
        shape: height, width and channels of the images.

    Returns:
        A function (pixels uint8 (height, width, channels), seed) -> pixels of the same shape; safe in many threads.

    Raises:
        UserError: an unknown pipeline or transform (nearest named), a wrong argument, a transform that breaks the
            symmetry or does not take such images.
    """
    if isinstance(spec, str):
        if spec not in PIPELINES:
            raise UserError(
                f"unknown pipeline '{spec}'{nearest(spec, PIPELINES)}", "augment", f"Known: {', '.join(PIPELINES)}"
            )
        steps = [*_SYMMETRY[symmetry], *PIPELINES[spec]] if spec != "none" else []
    else:
        steps = [*_SYMMETRY[symmetry], *spec]
    transforms = [_transform(step, symmetry) for step in steps]
    if not transforms:
        return lambda pixels, seed: pixels

    # An albumentations Compose holds its random state and may not be shared by threads.
    local = threading.local()

    def augment(pixels: np.ndarray, seed: int) -> np.ndarray:
        if not hasattr(local, "compose"):
            local.compose = A.Compose(copy.deepcopy(transforms))
        local.compose.set_random_seed(seed)
        return local.compose(image=pixels)["image"].reshape(shape)

    _try(copy.deepcopy(transforms), shape)
    return augment


def _transform(step: str | dict[str, dict[str, Any]], symmetry: Symmetry) -> A.BasicTransform:
    if isinstance(step, str):
        step = {step: {}}
    if len(step) != 1:
        raise UserError(f"expected one transform per list item, received {step}", "augment")
    ((name, arguments),) = step.items()
    known = [key for key in vars(A) if isinstance(vars(A)[key], type) and issubclass(vars(A)[key], A.BasicTransform)]
    if name not in known:
        raise UserError(f"unknown transform '{name}'{nearest(name, known)}", "augment")
    allowed = {"none": set(), "horizontal": _NEEDS_HORIZONTAL, "dihedral": _NEEDS_HORIZONTAL | _NEEDS_DIHEDRAL}
    if name in (_NEEDS_DIHEDRAL | _NEEDS_HORIZONTAL) - allowed[symmetry]:
        fix = "Take it out, or change images.symmetry if the images really look the same so"
        raise UserError(f"{name} is not within images.symmetry: {symmetry}", "augment", fix)
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
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
    for transform in transforms:
        name = type(transform).__name__
        transform.p = 1.0
        try:
            result = transform(image=grey)["image"]
        except (ValueError, TypeError, RuntimeError, cv2.error) as error:
            raise UserError(f"{name} does not take {shape[2]}-channel images ({error})", "augment") from None
        if result.size != grey.size:
            raise UserError(f"{name} changes the size from {shape[:2]} to {result.shape[:2]}", "augment")
