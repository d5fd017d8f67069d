"""Arrays of images in one .npz file: member `array/row`."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from medfold.competition import ImageFacts
from medfold.images.formats.pixel_values import ImageError, image_from_array, narrow_to_uint8


def read(path: Path, member: str, facts: ImageFacts) -> tuple[np.ndarray, dict[str, str]]:
    """Row `row` of the array named before the slash.

    Raises:
        ImageError: not an .npz file, no such row, or an array that holds no images.
    """
    name, _, row = member.rpartition("/")
    images = _array(path, name)
    if images.ndim not in (3, 4):
        raise ImageError(f"array '{name}' is {images.dtype} {images.shape}, expected (n, height, width[, channels])")
    if not row.isdecimal() or int(row) >= len(images):
        raise ImageError(f"no row '{row}' in array '{name}', it has {len(images)}")
    if not facts.range and not facts.windows:
        images = _as_bytes(path, name)
    return image_from_array(images[int(row)], facts), {}


@lru_cache(maxsize=4)
def _array(path: Path, name: str) -> np.ndarray:
    try:
        content = np.load(path)
    except ValueError:  # it advises to unpickle
        content = None
    if not isinstance(content, np.lib.npyio.NpzFile):
        raise ImageError("not an .npz archive")
    with content:
        images = content.get(name)
    if not isinstance(images, np.ndarray):
        raise ImageError(f"no array '{name}' in it")
    return images


@lru_cache(maxsize=4)
def _as_bytes(path: Path, name: str) -> np.ndarray:
    """The array as uint8 if it holds integers of 0 to 255 throughout, whatever their type is."""
    return narrow_to_uint8(_array(path, name))
