"""Reading one image: decoded once, shape checked, prepared as recipes specify."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from medfold.competition import ImageFacts, PreparationSettings
from medfold.errors import UserError
from medfold.images.formats.decoding import read_image_with_headers
from medfold.images.preparation import prepare_image

OTHER_SHAPE = "(images.expected_shape)"  # the end of this reason


class PreparedImage(NamedTuple):
    """A decoded image with its prepared versions.

    Args:
        pixels: uint8 (height, width, channels), decoded but not prepared.
        headers: technical DICOM headers by keyword; empty for other formats.
        prepared: uint8 (size, size, channels) each, one per item of `preparations`.
    """

    pixels: np.ndarray
    headers: dict[str, str]
    prepared: list[np.ndarray]


def read_prepared(
    raw: Path, image_path: str, image_facts: ImageFacts, preparations: Sequence[PreparationSettings] = ()
) -> PreparedImage | str:
    """Reads an image and prepares it.

    Args:
        raw: folder that image paths are relative to.
        image_path: path relative to `raw`, in the syntax of `read_image_with_headers`.
        image_facts: how to read the image. If `expected_shape` is set, an image of another shape counts as unreadable.
        preparations: the preparations to apply, each to the decoded image. Defaults to none.

    Returns:
        The image, or the reason why it cannot be read.

    Raises:
        UserError: a preparation step is unknown or has wrong arguments.
    """
    try:
        pixels, headers = read_image_with_headers(raw, image_path, image_facts)
    except UserError as error:
        return error.what
    height, width = pixels.shape[:2]
    expected = image_facts.expected_shape
    if expected and [height, width] != expected:
        return f"{height}x{width} pixels, expected {expected[0]}x{expected[1]} {OTHER_SHAPE}"
    return PreparedImage(pixels, headers, [prepare_image(pixels, item) for item in preparations])


def problem_of(reasons: pd.Series) -> str:
    """Returns 'cannot be read', or 'cannot be used' if some of the images only have another shape."""
    have_other_shape = reasons.str.endswith(OTHER_SHAPE)
    return "cannot be used" if have_other_shape.any() else "cannot be read"
