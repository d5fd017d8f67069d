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
from medfold.images.formats.frames import check_size


def read(path: Path, member: str, image_facts: ImageFacts) -> tuple[np.ndarray, dict[str, str]]:
    """Reads an image from a data set or from a row of one: pixels, or the bytes of an encoded image (JPEG, PNG, ...).

    Args:
        path: an HDF5 file.
        member: `dataset` or `dataset/row`.
        image_facts: the facts `images` (frame, range, windows).

    Returns:
        uint8 (height, width) or (height, width, channels), and no headers.

    Raises:
        ImageError: the file is not HDF5, the data set or row does not exist, it does not contain an image, or its
            values are in another file.
    """
    dataset, row = _find_dataset(path, member)
    if row is None and dataset.ndim > 1:
        return image_from_array(dataset, image_facts), {}
    num_values = dataset.size if row is None else dataset.size // max(1, len(dataset))
    check_size(1, max(1, num_values), image_facts, 1, dataset.dtype.itemsize)
    value = dataset[()] if row is None else dataset[row]
    encoded = _encoded_bytes(value)
    if encoded is None:
        return image_from_array(np.asarray(value), image_facts), {}
    return raster.decode(encoded, image_facts), {}


def member_names(path: Path) -> list[str]:
    """Returns the names of the top-level data sets of a file, without links, which may lead to another file."""
    file = _file(path, os.getpid())
    return [name for name in file if _is_own(file, name) and file.get(name, getclass=True) is h5py.Dataset]


# One handle per process: a forked process must not use the handle of its parent.
@lru_cache(maxsize=8)
def _file(path: Path, process: int) -> h5py.File:
    return h5py.File(path, "r", locking=False)


def _find_dataset(path: Path, member: str) -> tuple[h5py.Dataset, int | None]:
    """Returns the data set of a member, and the row in it; None for the whole data set."""
    file = _file(path, os.getpid())
    if not member:
        raise ImageError("contains many images; '#' and the name of one are missing")
    if (dataset := _own_dataset(file, member)) is not None:
        return dataset, None
    name, _, row = member.rpartition("/")
    array = _own_dataset(file, name) if name else None
    if array is None:
        raise ImageError(f"it contains no data set '{member}'")
    if not array.ndim or not row.isdecimal() or int(row) >= len(array):
        raise ImageError(f"no row '{row}' in data set '{name}' of shape {array.shape}")
    return array, int(row)


def _own_dataset(file: h5py.File, path: str) -> h5py.Dataset | None:
    """Returns a data set of the file; None if there is none.

    HDF5 files can name data of other files, anywhere on this machine: by links, as external or as virtual data sets.

    Raises:
        ImageError: the path or the data set leads to other files.
    """
    found: h5py.Group | h5py.Dataset = file
    for name in filter(None, path.split("/")):
        if not isinstance(found, h5py.Group) or name not in found.keys():  # noqa: SIM118  `in found` follows links
            return None
        if not _is_own(found, name):
            raise ImageError(f"'{path}' is a link, and links in HDF5 files are not followed")
        found = found[name]
    if not isinstance(found, h5py.Dataset):
        return None
    if found.external or found.is_virtual:
        raise ImageError(f"the values of '{path}' are in other files, which are not read")
    return found


def _is_own(group: h5py.Group, name: str) -> bool:
    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def _encoded_bytes(value: object) -> np.ndarray | None:
    """Returns the bytes of an encoded image; None if the value contains pixels."""
    if isinstance(value, bytes | np.void):
        return np.frombuffer(bytes(value), np.uint8)
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == np.uint8:
        return value
    return None
