"""PNG, JPEG, BMP, WebP and TIFF, told apart by their first bytes: what the file is called does not matter."""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from medfold.competition import Images
from medfold.images.formats import endings, tiff
from medfold.images.formats.pixels import ImageError, check_size, single
from medfold.images.formats.quiet import quiet

AS_STORED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
# It tells of damaged files on the standard error. Where the switch is depends on the version.
(cv2.setLogLevel if hasattr(cv2, "setLogLevel") else cv2.utils.logging.setLogLevel)(0)


def read(path: Path, member: str, facts: Images) -> tuple[np.ndarray, dict[str, str]]:
    """Reads one picture; it has no headers worth keeping."""
    # OpenCV's own reader cannot open every path on Windows, and numpy's takes twice as long for a small file.
    with path.open("rb", buffering=0) as file:
        return decode(np.frombuffer(file.read(), np.uint8), facts), {}


def decode(data: np.ndarray, facts: Images) -> np.ndarray:
    """A picture from the bytes of its file; EXIF orientation is applied, an alpha channel dropped.

    Args:
        data: uint8 (n,).
        facts: decide on depth, and on the frame of a TIFF.

    Returns:
        uint8 (height, width) or (height, width, 3) in red, green, blue.

    Raises:
        ImageError: empty, no picture, cut off, or too large.
    """
    if not data.size:
        raise ImageError("the file is empty")
    if data[:4].tobytes() in tiff.BEGINNINGS:
        return tiff.decode(data, facts)
    # Not every version of OpenCV does: some fill what is missing with grey and say nothing.
    if endings.cut_off(data):
        raise ImageError("cut off")
    # For a grey image the colours of a JPEG need not be decoded: its first component is the luma of Rec. 601.
    grey = facts.depth == 1 and data[:3].tobytes() == endings.JPEG
    try:
        with quiet():
            values = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if grey else AS_STORED)
    except cv2.error:  # it is too large, among others
        values = None
    if values is None:
        values = _by_pillow(data)
    elif values.ndim == 3:
        values = cv2.cvtColor(values, cv2.COLOR_BGR2RGB)
    return single(values, facts)


def _by_pillow(data: np.ndarray) -> np.ndarray:
    """What OpenCV gave up: Pillow knows more formats, and why a file is bad."""
    try:
        with quiet(), Image.open(io.BytesIO(data)) as image:
            check_size(image.height, image.width)
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith(("I", "F")):
                return np.asarray(upright)
            grey = upright.mode in ("1", "L", "LA")
            return np.asarray(upright.convert("L" if grey else "RGB"))
    except Image.UnidentifiedImageError:
        raise ImageError("not a picture, or one whose beginning is damaged") from None
    except Image.DecompressionBombError:
        raise ImageError("declares more than 2**30 pixels") from None
    except OSError as error:
        raise ImageError("cut off" if "truncated" in str(error) else "damaged") from None
