"""Images in an HDF5 file; the member is `dataset`, or `dataset/row` for an array of images."""

import os
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np

from medfold.competition import ImageFacts
from medfold.images.formats import raster
from medfold.images.formats.arrays import image_from_array
from medfold.images.formats.failures import ImageError
from medfold.images.formats.frames import MAX_STACK_BYTES


def read(path: Path, member: str, image_facts: ImageFacts) -> tuple[np.ndarray, dict[str, str]]:
    """Reads an image from a data set or from a row of one: pixels, or the bytes of an encoded image (JPEG, PNG, ...).

    Args:
        path: an HDF5 file.
        member: `dataset` or `dataset/row`.
        image_facts: the facts `images` (frame, range, windows).

    Returns:
        uint8 (height, width) or (height, width, channels), and no headers.

    Raises:
        ImageError: the file is not HDF5, the data set or row does not exist, or it does not contain an image.
    """
    dataset, row = _find_dataset(path, member)
    if row is None and dataset.ndim > 1:
        return image_from_array(dataset, image_facts), {}
    if dataset.size * dataset.dtype.itemsize > MAX_STACK_BYTES:
        raise ImageError(f"data set of shape {dataset.shape}, more than 8 GB")
    value = dataset[()] if row is None else dataset[row]
    encoded = _encoded_bytes(value)
    if encoded is None:
        return image_from_array(np.asarray(value), image_facts), {}
    return raster.decode(encoded, image_facts), {}


def member_names(path: Path) -> list[str]:
    """Returns the names of the top-level data sets of a file."""
    file = _file(path, os.getpid())
    return [name for name in file if file.get(name, getclass=True) is h5py.Dataset]


# One handle per process: a forked process must not use the handle of its parent.
@lru_cache(maxsize=8)
def _file(path: Path, process: int) -> h5py.File:
    return h5py.File(path, "r", locking=False)


def _find_dataset(path: Path, member: str) -> tuple[h5py.Dataset, int | None]:
    """Returns the data set of a member, and the row in it; None for the whole data set."""
    file = _file(path, os.getpid())
    if not member:
        raise ImageError("contains many images; '#' and the name of one are missing")
    dataset = file.get(member)
    if isinstance(dataset, h5py.Dataset):
        return dataset, None
    name, _, row = member.rpartition("/")
    array = file.get(name) if name else None
    if not isinstance(array, h5py.Dataset):
        raise ImageError(f"it contains no data set '{member}'")
    if not array.ndim or not row.isdecimal() or int(row) >= len(array):
        raise ImageError(f"no row '{row}' in data set '{name}' of shape {array.shape}")
    return array, int(row)


def _encoded_bytes(value: object) -> np.ndarray | None:
    """Returns the bytes of an encoded image; None if the value contains pixels."""
    if isinstance(value, bytes | np.void):
        return np.frombuffer(bytes(value), np.uint8)
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == np.uint8:
        return value
    return None
