"""Arrays of images and labels in one .npz file."""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from medfold.errors import UserError

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, SyntaxError, MemoryError)


@contextmanager
def open_arrays(path: Path) -> Iterator[Mapping[str, np.ndarray]]:
    """The arrays of a file by name, each read when it is asked for.

    Raises:
        UserError: no such file, no .npz archive, a damaged one, or one of Python objects; within the block, too.
    """
    if not path.is_file():
        raise UserError("no such file", path, "Is the download complete?")
    try:
        content = np.load(path)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise UserError("not an .npz archive but a single array", path, "Save images and labels by numpy.savez")
        with content:
            yield content
    except DAMAGED as error:
        raise UserError(
            f"damaged, or no .npz archive ({str(error) or type(error).__name__})", path, "Get it again"
        ) from None
    except ValueError as error:
        objects = "bject" in str(error) or "pickle" in str(error)
        what = "no array of numbers, but of Python objects, or none at all" if objects else f"damaged ({error})"
        raise UserError(what, path, "Get it again, or save it without objects") from None


def class_numbers(labels: np.ndarray) -> np.ndarray | None:
    """Labels (n, classes) with one 1 in each row and else 0 -> int64 (n,), the numbers of the classes; else None."""
    marks = labels.ndim == 2 and labels.shape[1] > 2 and bool(np.isin(labels, (0, 1)).all())
    return labels.argmax(axis=1) if marks and (labels.sum(axis=1) == 1).all() else None
