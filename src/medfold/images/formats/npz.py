"""Arrays of images in one .npz file: member `array/row`."""

from functools import lru_cache
from pathlib import Path

import numpy as np

SUFFIXES = [".npz"]


def read(path: Path, member: str) -> np.ndarray:
    """Row `row` of the array named before the slash.

    Raises:
        ValueError: not an .npz file, or an array that is not uint8 (n, height, width[, 3]).
    """
    name, _, row = member.rpartition("/")
    return _array(path, name)[int(row)]


@lru_cache(maxsize=4)
def _array(path: Path, name: str) -> np.ndarray:
    with np.load(path) as content:
        images = content[name]
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
        raise ValueError(f"array '{name}' is {images.dtype} {images.shape}, expected uint8 (n, height, width[, 3])")
    return images
