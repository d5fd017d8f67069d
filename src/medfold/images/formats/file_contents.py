"""Contents of image files besides the pixels: DICOM headers, members, number of pages.

The modules of the formats are imported when a file of theirs is read, since some import slowly.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from medfold.competition import ImageFacts
from medfold.errors import UserError
from medfold.images.formats.arrays import count_frames
from medfold.images.formats.failures import unreadable
from medfold.images.formats.format_registry import is_dicom


def read_dicom_headers(path: Path, keywords: Iterable[str]) -> dict[str, str]:
    """Reads DICOM headers by keyword, '' where one is missing; see `dicom_text.read_headers_of_file`.

    Raises:
        UserError: a keyword is unknown, or the file cannot be read.
    """
    try:
        from medfold.images.formats import dicom_text

        return dicom_text.read_headers_of_file(path, keywords)
    except UserError:
        raise
    except Exception as error:
        raise unreadable("headers", error, path) from None


def list_members(path: Path) -> list[str]:
    """Returns the members of a file that contains many images: the top-level data sets of an HDF5 file.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        from medfold.images.formats import hdf5

        return hdf5.member_names(path)
    except Exception as error:
        raise unreadable("file", error, path) from None


def count_frames_in_file(path: Path, image_facts: ImageFacts) -> int:
    """Returns the number of frames of a DICOM or .npy file, or of pages of a TIFF; 1 for other or unreadable files."""
    try:
        if path.suffix.lower() in (".tif", ".tiff"):
            from medfold.images.formats import tiff

            return tiff.count_pages(path)
        if path.suffix.lower() == ".npy":
            return count_frames(np.load(path, mmap_mode="r", allow_pickle=False).shape, image_facts)
        return int(read_dicom_headers(path, ["NumberOfFrames"])["NumberOfFrames"] or 1) if is_dicom(path) else 1
    except Exception:  # the scan reports unreadable files
        return 1
