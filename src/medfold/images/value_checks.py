"""Plausibility checks of stored values: a CT without air, a value range that is mostly empty."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import tifffile

from medfold.competition import ImageFacts
from medfold.images.formats.format_registry import is_dicom
from medfold.images.image_paths import path_of_image
from medfold.images.worker_pool import WorkerDied, map_in_workers
from medfold.system.native_output import silence_library

NUM_CHECKED = 24  # images that are read for the checks
AIR, HIGHEST_MINIMUM = -1000, -500  # Hounsfield units: air, and what the darkest value of a CT should lie below
# The range is suspicious if this share of the pixels lies in this part of it.
PIXEL_SHARE, RANGE_SHARE = 0.999, 1 / 8
silence_library("tifffile")


class _ValueRange(NamedTuple):
    """The stored values of an image.

    Args:
        low: minimum.
        high: PIXEL_SHARE of the values are at most this.
        top: maximum.
    """

    low: float
    high: float
    top: float


def value_warnings(raw: Path, image_paths: list[str], image_facts: ImageFacts) -> list[str]:
    """Checks up to 24 images, evenly spaced, for implausible stored values.

    Args:
        raw: folder that image paths are relative to.
        image_paths: paths, in the syntax of `read_image_with_headers`.
        image_facts: image facts of the competition; the value range is checked only without `range` and `windows`.

    Returns:
        One warning per suspicion; none if the values are plausible.
    """
    if not image_paths:
        return []
    rows = np.linspace(0, len(image_paths) - 1, min(NUM_CHECKED, len(image_paths))).astype(int)
    image_files = [path_of_image(raw, image_paths[row]) for row in rows]
    examine = partial(_examine, with_range=not image_facts.range and not image_facts.windows)
    results = dict(pair for pairs in map_in_workers(examine, image_files, image_facts.max_megabytes) for pair in pairs)
    examined = [results[index] for index in sorted(results) if not isinstance(results[index], WorkerDied)]
    suspicions = [
        _missing_air([minimum for minimum, _ in examined if minimum is not None]),
        _empty_range([values for _, values in examined if values is not None]),
    ]
    return [text for text in suspicions if text]


def _examine(path: Path, with_range: bool) -> tuple[float | None, _ValueRange | None]:
    """Returns the darkest value of a CT slice, and the range of deep values; None for other and unreadable files."""
    values = _deep_values(path) if with_range else None
    if values is None:
        return _ct_minimum(path), None
    return _ct_minimum(path), _ValueRange(
        float(values.min()), float(np.quantile(values, PIXEL_SHARE)), float(values.max())
    )


def _missing_air(minima: list[float]) -> str:
    """Returns a warning if most CT slices contain no value near that of air; otherwise ''."""
    above = [value for value in minima if value > HIGHEST_MINIMUM]
    if 2 * len(above) <= len(minima):
        return ""
    message = (
        f"the darkest value of {len(above)} of {len(minima)} CT slices lies at {np.median(above):.0f}, "
        f"and air at {AIR} HU"
    )
    return f"{message}: sign or RescaleIntercept may be wrong, then images.windows show the wrong tissue"


def _empty_range(images: list[_ValueRange]) -> str:
    """Returns a warning if the pixels of many images use a small part of the value range; otherwise ''.

    This happens where a file marks a pixel with the largest value of its type: the mark then sets the image's range.
    """
    narrow = [(low, high) for low, high, top in images if top > low and (high - low) / (top - low) <= RANGE_SHARE]
    if 4 * len(narrow) < len(images) or not narrow:
        return ""
    low, high = min(low for low, _ in narrow), max(high for _, high in narrow)
    message = f"in {len(narrow)} of {len(images)} images {PIXEL_SHARE:.1%} of the pixels lie in an eighth of the range"
    return f"{message} or less, and look alike: try images.range: [{low:.0f}, {_round_up(high):.0f}]"


def _round_up(value: float) -> float:
    """Rounds up to the largest value with the same number of bits: 4000 -> 4095."""
    return 2.0 ** np.ceil(np.log2(value + 1)) - 1 if value > 0 else value


def _ct_minimum(path: Path) -> float | None:
    """Returns the darkest value of a CT slice in Hounsfield units; None for other and for unreadable files."""
    try:
        if not is_dicom(path):
            return None
        from medfold.images.formats import dicom  # slow import, and few competitions need it

        return dicom.min_hounsfield(path)
    except Exception:  # the scan reports unreadable files
        return None


def _deep_values(path: Path) -> np.ndarray | None:
    """Returns the grey values of an image of more than eight bits; None for other and for unreadable files."""
    suffix = path.suffix.lower()
    try:
        if suffix in (".png", ".pgm", ".pnm", ".jp2"):
            values = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        elif suffix in (".tif", ".tiff"):
            values = tifffile.imread(path, key=0)
        elif suffix == ".npy":
            values = np.load(path, mmap_mode="r", allow_pickle=False)
            values = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
        elif is_dicom(path):
            from medfold.images.formats import dicom

            values = dicom.stored_values(path)
        else:
            return None
    except Exception:  # decoders raise many types; the scan reports unreadable files
        return None
    is_deep = values is not None and values.dtype.itemsize > 1 and values.dtype.kind in "uif" and values.ndim == 2
    return np.asarray(values) if is_deep and np.isfinite(values).all() else None
