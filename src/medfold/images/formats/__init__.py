"""One module per image format, each with `SUFFIXES` and `read(path, member) -> pixels`.

Pixels are uint8 (height, width) or (height, width, 3) in red, green, blue. `member` is what stands behind `#` in the
image column of the sample table, for files that hold many images. A format that cannot be read raises ValueError.
"""

import importlib
from functools import cache
from pathlib import Path

import numpy as np

from medfold.errors import UserError

MODULES = ["npz", "raster"]


@cache
def _readers() -> dict:
    modules = [importlib.import_module(f"medfold.images.formats.{name}") for name in MODULES]
    return {suffix: module.read for module in modules for suffix in module.SUFFIXES}


def suffixes() -> list[str]:
    """The ends of the names of files that can be read, of those that hold one image each."""
    return sorted(suffix for suffix in _readers() if suffix != ".npz")


def read(raw: Path, image: str, channels: int) -> np.ndarray:
    """The pixels of one image.

    Args:
        raw: the folder that image paths start from.
        image: a path below it, with `#member` behind it for files that hold many images.
        channels: 1 (colour is turned to grey) or 3 (grey is repeated).

    Returns:
        uint8 (height, width, channels).

    Raises:
        UserError: an unknown format, or a file that cannot be read; the file is named.
    """
    name, _, member = image.partition("#")
    path = raw / name
    reader = _readers().get(path.suffix.lower())
    if reader is None:
        raise UserError(f"unknown image format '{path.suffix}'", path, f"Known: {', '.join(sorted(_readers()))}")
    try:
        pixels = reader(path, member)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise UserError(f"unreadable image ({error})", raw / image, "Get it again, or take it out") from None
    return _with_channels(pixels, channels)


def _with_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], channels, axis=2)
    if channels == 1:
        # Rec. 601 luma, the weights that OpenCV and Pillow use.
        return np.rint(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]
    return pixels
