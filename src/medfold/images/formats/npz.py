"""Images in the arrays of an .npz file; the member is `array/row`."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from medfold.competition import ImageFacts
from medfold.images.formats.arrays import image_from_array, narrow_to_uint8
from medfold.images.formats.failures import ImageError
from medfold.system.limits import allow_memory, zip_contents_bytes

COPIES = 3  # all arrays are in memory three times at most: as read, as bytes, and once in between


def read(path: Path, member: str, image_facts: ImageFacts) -> tuple[np.ndarray, dict[str, str]]:
    """Reads an image from a row of an array.

    Args:
        path: an .npz file.
        member: `array/row`.
        image_facts: the facts `images` (range, windows).

    Returns:
        uint8 (height, width) or (height, width, channels), and no headers.

    Raises:
        ImageError: the file is not .npz, the array or row does not exist, or the array does not contain images.
    """
    name, _, row = member.rpartition("/")
    images = _array(path, name)
    if images.ndim not in (3, 4):
        raise ImageError(f"array '{name}' is {images.dtype} {images.shape}, expected (n, height, width[, channels])")
    if not row.isdecimal() or int(row) >= len(images):
        raise ImageError(f"no row '{row}' in array '{name}', only {len(images)}")
    if not image_facts.range and not image_facts.windows:
        images = _as_bytes(path, name)
    return image_from_array(images[int(row)], image_facts), {}


@lru_cache(maxsize=4)
def _array(path: Path, name: str) -> np.ndarray:
    """Returns an array of a file; a few are cached, since each image is a row of one."""
    try:
        content = np.load(path)
    except ValueError:  # the message of NumPy recommends unpickling
        content = None
    if not isinstance(content, np.lib.npyio.NpzFile):
        raise ImageError("not an .npz archive")
    allow_memory(COPIES * zip_contents_bytes(path))
    with content:
        images = content.get(name)
    if not isinstance(images, np.ndarray):
        raise ImageError(f"it contains no array '{name}'")
    return images


@lru_cache(maxsize=4)
def _as_bytes(path: Path, name: str) -> np.ndarray:
    """Returns the array as uint8 if all its values are integers in 0..255; otherwise unchanged."""
    return narrow_to_uint8(_array(path, name))
