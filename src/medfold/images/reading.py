"""Reading one image as a recipe wants it: decoded once, its shape checked, prepared."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from medfold.competition import ImageFacts, ImageSettings
from medfold.errors import UserError
from medfold.images.formats.reading import read_image_with_headers
from medfold.images.preparation import prepare_image


class PreparedImage(NamedTuple):
    """An image that was read.

    Args:
        pixels: uint8 (height, width, channels), as it is stored.
        headers: how it was made, by DICOM keyword; empty for other formats.
        prepared: uint8 (size, size, channels), for each way to prepare it.
    """

    pixels: np.ndarray
    headers: dict[str, str]
    prepared: list[np.ndarray]


def read_prepared(
    raw: Path, image: str, facts: ImageFacts, settings: Sequence[ImageSettings] = ()
) -> PreparedImage | str:
    """Reads an image and prepares it.

    Args:
        raw: the folder that image paths start from.
        image: a path below it, as `read_image_with_headers` takes it.
        facts: how to read it; an image of another `shape` than expected counts as unreadable.
        settings: ways to prepare it. Defaults to none.

    Returns:
        The image, or why it cannot be read.

    Raises:
        UserError: a step of a recipe that cannot be done.
    """
    try:
        pixels, headers = read_image_with_headers(raw, image, facts)
    except UserError as error:
        return error.what
    (height, width), expected = pixels.shape[:2], facts.shape
    if expected and [height, width] != expected:
        return f"it has {height}x{width} pixels, expected {expected[0]}x{expected[1]}"
    return PreparedImage(pixels, headers, [prepare_image(pixels, each) for each in settings])
