"""Images and labels as arrays of one .npz file."""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from medfold.errors import CHECK_COMPLETE, REPLACE, MissingFileError, UserError
from medfold.system.array_files import DAMAGED_ARRAY_ERRORS
from medfold.system.limits import zip_contents_bytes


@contextmanager
def open_arrays(path: Path) -> Iterator[Mapping[str, np.ndarray]]:
    """Opens an .npz file as a mapping from names to arrays; an array is read when it is accessed.

    Raises:
        UserError: no such file, not an .npz archive, a damaged one, or arrays of Python objects. Also raised for an
            array that is read within the block.
    """
    if not path.is_file():
        raise MissingFileError(path, CHECK_COMPLETE)
    try:
        if zipfile.is_zipfile(path):
            zip_contents_bytes(path)
        content = np.load(path)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise UserError("not an .npz archive but a single array", path, "Save images and labels with numpy.savez")
        with content:
            yield content
    except (*DAMAGED_ARRAY_ERRORS, MemoryError) as error:
        raise UserError(
            f"damaged, or not an .npz archive ({str(error) or type(error).__name__})", path, REPLACE
        ) from None
    except ValueError as error:
        has_objects = "bject" in str(error) or "pickle" in str(error)
        what = (
            "not an array of numbers: an array of Python objects, or not an array"
            if has_objects
            else f"damaged ({error})"
        )
        raise UserError(what, path, f"{REPLACE}, or save it without objects") from None


def class_numbers(labels: np.ndarray) -> np.ndarray | None:
    """Converts one-hot labels (n, classes) of at least 3 classes to numbers, int64 (n,); None for other labels."""
    is_binary = labels.ndim == 2 and labels.shape[1] > 2 and bool(np.isin(labels, (0, 1)).all())
    return labels.argmax(axis=1) if is_binary and (labels.sum(axis=1) == 1).all() else None
