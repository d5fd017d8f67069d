"""Preparation of images before they are stored: the steps of the recipe, then resizing.

A step is a function with the decorator `@preparation_step`. It takes uint8 (height, width, channels) and returns uint8
with the same channels and any height and width above 0. It may take arguments; their annotations define the
allowed values.
"""

import inspect
from collections.abc import Callable
from functools import cache, partial

import cv2
import numpy as np
from pydantic import create_model

from medfold.competition import PreparationSettings
from medfold.config import StrictModel, validated
from medfold.errors import SettingError, UserError
from medfold.images.resizing import fit_within, resize
from medfold.registry import Registry

STEPS: Registry[Callable[..., np.ndarray]] = Registry("step")


def preparation_step(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Registers a function (pixels, **arguments) -> pixels as a preparation step under its name."""
    STEPS.register(function.__name__, function, function.__module__)
    return function


@cache
def step_arguments(name: str) -> type[StrictModel]:
    """Returns the schema of a step's arguments: its annotated parameters except the first."""
    _, *parameters = inspect.signature(STEPS[name]).parameters.values()
    return create_model(name, __base__=StrictModel, **{arg.name: (arg.annotation, arg.default) for arg in parameters})


def steps_of(preparation: PreparationSettings) -> list[Callable[[np.ndarray], np.ndarray]]:
    """Returns the preparation steps of a recipe, with their arguments bound.

    Raises:
        SettingError: a step is unknown (the nearest name is suggested), or an argument is unknown or has a wrong value.
    """
    steps = []
    for spec in preparation.steps:
        spec = {spec: {}} if isinstance(spec, str) else spec
        if len(spec) != 1:
            fix = "Example: steps: [circle_crop, {clahe: {clip: 2}}]"
            raise SettingError(f"expected one step per list item, received {spec}", "preparation.steps", fix)
        ((name, arguments),) = spec.items()
        STEPS.find(name, "preparation.steps")
        try:
            checked = validated(step_arguments(name), arguments, name)
        except UserError as error:
            raise SettingError(error.what, "preparation.steps", error.fix, name) from None
        steps.append(partial(STEPS[name], **dict(checked)))
    return steps


def prepare_image(pixels: np.ndarray, preparation: PreparationSettings) -> np.ndarray:
    """Applies the preparation steps of a recipe, then resizes the image.

    Args:
        pixels: uint8 (height, width, channels), 1 to 8 channels.
        preparation: `steps`, `size`, and `fit`: stretch to a square, pad with black to keep the aspect ratio, or
            crop to the centre square.

    Returns:
        uint8 (size, size, channels).

    Raises:
        UserError: a step is unknown, or its option is wrong: the errors of `steps_of`.
    """
    for step in steps_of(preparation):
        pixels = step(pixels)
    size = preparation.size
    side = min(pixels.shape[:2])
    if preparation.fit == "crop":
        top, left = ((length - side) // 2 for length in pixels.shape[:2])
        pixels = pixels[top : top + side, left : left + side]
    height, width, channels = pixels.shape
    new_height = new_width = size
    if preparation.fit == "pad":
        new_height, new_width = fit_within(height, width, size)
    if (new_height, new_width) != (height, width):
        pixels = _resized(pixels, new_height, new_width)
    if (new_height, new_width) == (size, size):
        return pixels
    result = np.zeros((size, size, channels), np.uint8)
    top, left = (size - new_height) // 2, (size - new_width) // 2
    result[top : top + new_height, left : left + new_width] = pixels
    return result


def _resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    # Area averaging keeps small bright spots and does not alias, but works for shrinking only.
    shrinks = height <= pixels.shape[0] and width <= pixels.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return resize(pixels, height, width, method)
