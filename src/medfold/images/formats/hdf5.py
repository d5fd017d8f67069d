"""Images in one HDF5 file: member `dataset`, or `dataset/row` of an array of images."""

import os
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np

from medfold.competition import ImageFacts
from medfold.images.formats import raster
from medfold.images.formats.pixel_values import LARGEST_STACK, ImageError, image_from_array


def read(path: Path, member: str, facts: ImageFacts) -> tuple[np.ndarray, dict[str, str]]:
    """An image that is a data set, or a row of one: pixels, or the bytes of a JPEG, PNG and so on.

    Raises:
        ImageError: no HDF5 file, no such data set or row, or one of another kind.
    """
    found, row = _found(path, member)
    if row is None and found.ndim > 1:
        return image_from_array(found, facts), {}
    if found.size * found.dtype.itemsize > LARGEST_STACK:
        raise ImageError(f"data set of shape {found.shape}, more than 8 GB")
    value = found[()] if row is None else found[row]
    encoded = _encoded(value)
    if encoded is None:
        return image_from_array(np.asarray(value), facts), {}
    return raster.decode(encoded, facts), {}


def member_names(path: Path) -> list[str]:
    """The names of the data sets at the top of a file."""
    file = _file(path, os.getpid())
    return [name for name in file if file.get(name, getclass=True) is h5py.Dataset]


# A handle must not be used by a process that was forked from the one that opened it.
@lru_cache(maxsize=8)
def _file(path: Path, process: int) -> h5py.File:
    return h5py.File(path, "r", locking=False)


def _found(path: Path, member: str) -> tuple[h5py.Dataset, int | None]:
    file = _file(path, os.getpid())
    if not member:
        raise ImageError("holds many images, '#' and the name of one is missing")
    whole = file.get(member)
    if isinstance(whole, h5py.Dataset):
        return whole, None
    name, _, row = member.rpartition("/")
    array = file.get(name) if name else None
    if not isinstance(array, h5py.Dataset):
        raise ImageError(f"no data set '{member}' in it")
    if not array.ndim or not row.isdecimal() or int(row) >= len(array):
        raise ImageError(f"no row '{row}' in data set '{name}' of shape {array.shape}")
    return array, int(row)


def _encoded(value: object) -> np.ndarray | None:
    """The bytes of an encoded picture, or None for pixels."""
    if isinstance(value, bytes | np.void):
        return np.frombuffer(bytes(value), np.uint8)
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == np.uint8:
        return value
    return None
