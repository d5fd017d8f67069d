"""What the values behind the bytes give cause to suspect: a CT without air, a range that is mostly empty."""

from pathlib import Path

import cv2
import numpy as np
import tifffile

from medfold.competition import ImageFacts
from medfold.images.formats import reading
from medfold.images.formats.reading import is_dicom, path_of_image

SEEN = 24  # images that are looked at
AIR, LEAST = -1000, -500  # Hounsfield units: air, and what the darkest value of a CT should lie below
MOST = 0.999  # share of the pixels that
EMPTY = 1 / 8  # of the range should not suffice for


def value_suspicions(raw: Path, images: list[str], facts: ImageFacts) -> list[str]:
    """Looks at some images as they are stored, and says in words what is odd.

    Args:
        raw: the folder that image paths start from.
        images: as `read_image` takes them.
        facts: of the images.
    """
    chosen = [images[int(place)] for place in np.linspace(0, len(images) - 1, min(SEEN, len(images)))] if images else []
    paths = [path_of_image(raw, image) for image in chosen]
    found = [_no_air([least for path in paths if (least := _least_of_ct(path)) is not None])]
    if not facts.range and not facts.windows:
        found.append(_mostly_empty([values for path in paths if (values := _deep_values(path)) is not None]))
    return [text for text in found if text]


def _no_air(least: list[float]) -> str:
    above = [value for value in least if value > LEAST]
    if 2 * len(above) <= len(least):
        return ""
    told = (
        f"the darkest value of {len(above)} of {len(least)} CT slices lies at {np.median(above):.0f}, and air at {AIR}"
    )
    return f"{told} HU: sign or RescaleIntercept may be wrong, and images.windows then show something else"


def _mostly_empty(images: list[np.ndarray]) -> str:
    """Some mark a pixel with the greatest value that the type has; the image's own range is then that of the mark."""
    odd = []
    for values in images:
        low, high, top = float(values.min()), float(np.quantile(values, MOST)), float(values.max())
        if top > low and (high - low) / (top - low) <= EMPTY:
            odd.append((low, high))
    if 4 * len(odd) < len(images) or not odd:
        return ""
    low, high = min(low for low, _ in odd), max(high for _, high in odd)
    told = f"in {len(odd)} of {len(images)} images {MOST:.1%} of the pixels lie in an eighth of the range or less"
    return f"{told}: images.range: [{low:.0f}, {_round_up(high):.0f}] would show them"


def _round_up(value: float) -> float:
    """The greatest value of as many bits: 4000 -> 4095."""
    return 2.0 ** np.ceil(np.log2(value + 1)) - 1 if value > 0 else value


def _least_of_ct(path: Path) -> float | None:
    """The darkest value of a CT slice in Hounsfield units; None of what is none, or cannot be read."""
    try:
        return reading.min_hounsfield(path)
    except Exception:  # whoever reads its pixels tells what is wrong with it
        return None


def _deep_values(path: Path) -> np.ndarray | None:
    """The grey values of an image of more than eight bits; None of others, or of what cannot be read."""
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
            values = reading.stored_values(path)
        else:
            return None
    except Exception:  # decoders raise all kinds; whoever reads its pixels tells what is wrong
        return None
    deep = values is not None and values.dtype.itemsize > 1 and values.dtype.kind in "uif" and values.ndim == 2
    return np.asarray(values) if deep and np.isfinite(values).all() else None
