"""JPEG and plain PNG by OpenCV, which is fast; TIFF by `tiff`; whatever else Pillow knows (BMP, GIF, WebP, PGM) by it.

Formats are told apart by the first bytes of a file: what it is called does not matter.
"""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from medfold.competition import ImageFacts
from medfold.images.formats import tiff, truncation
from medfold.images.formats.pixel_values import ImageError, check_size, image_to_uint8
from medfold.processes import silence_native_output

AS_STORED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
ORIENTATION = 0x0112  # tag of EXIF
# It tells of damaged files on the standard error. Where the switch is depends on the version.
(cv2.setLogLevel if hasattr(cv2, "setLogLevel") else cv2.utils.logging.setLogLevel)(0)


def read(path: Path, member: str, facts: ImageFacts) -> tuple[np.ndarray, dict[str, str]]:
    """Reads one picture; it has no headers worth keeping."""
    # OpenCV's own reader cannot open every path on Windows, and numpy's takes twice as long for a small file.
    with path.open("rb", buffering=0) as file:
        return decode(np.frombuffer(file.read(), np.uint8), facts), {}


def decode(data: np.ndarray, facts: ImageFacts) -> np.ndarray:
    """A picture from the bytes of its file; EXIF orientation is applied, an alpha channel dropped.

    Of an animated one it is the first frame.

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
    beginning = data[:8].tobytes()
    if beginning[:4] in tiff.BEGINNINGS:
        return tiff.decode(data, facts)
    # Not every version of OpenCV does: some fill what is missing with grey and say nothing.
    if truncation.is_truncated(data):
        raise ImageError("cut off")
    jpeg = beginning[:3] == truncation.JPEG
    if not jpeg and beginning != truncation.PNG:
        return image_to_uint8(_by_pillow(data), facts)
    chunks = truncation.png_chunks(data.tobytes()) if not jpeg else set()
    if b"acTL" in chunks:  # animated: OpenCV gives another frame, or red for blue
        return image_to_uint8(_by_pillow(data), facts)
    # For a grey image the colours of a JPEG need not be decoded: its first component is the luma of Rec. 601.
    grey = facts.num_channels == 1 and jpeg
    turned = b"eXIf" in chunks
    try:
        with silence_native_output():
            values = cv2.imdecode(
                data, cv2.IMREAD_GRAYSCALE if grey else AS_STORED | cv2.IMREAD_IGNORE_ORIENTATION * turned
            )
    except cv2.error:  # it is too large, among others
        values = None
    if values is None:
        values, turned = _by_pillow(data), False
    elif values.ndim == 3:
        values = cv2.cvtColor(values, cv2.COLOR_BGR2RGB)
    if turned:
        values = tiff.UPRIGHT.get(_orientation(data), lambda pixels: pixels)(values)
    return image_to_uint8(values, facts)


def _orientation(data: np.ndarray) -> int:
    """How a PNG says it is to be turned, by EXIF's numbers; OpenCV does not look."""
    with Image.open(io.BytesIO(data)) as image:
        return image.getexif().get(ORIENTATION, 1)


def _by_pillow(data: np.ndarray) -> np.ndarray:
    """Pillow knows many formats, and why a file is bad."""
    try:
        with silence_native_output(), Image.open(io.BytesIO(data)) as image:
            check_size(image.height, image.width)
            image.load()  # of a GIF the mode may change with the first frame
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith(("I", "F")):
                return np.asarray(upright)
            grey = upright.mode in ("1", "L", "LA") or _is_grey(upright)
            return np.asarray(upright.convert("L" if grey else "RGB"))
    except Image.UnidentifiedImageError:
        raise ImageError("not a picture, or one whose beginning is damaged") from None
    except Image.DecompressionBombError:
        raise ImageError("declares more than 2**30 pixels") from None
    except (OSError, SyntaxError, ValueError) as error:
        if "nsupported" in str(error):  # the file may well be whole
            raise ImageError(f"{str(error).lower()}: save it as PNG") from None
        raise ImageError("cut off" if "truncated" in str(error) else "damaged") from None


def _is_grey(image: Image.Image) -> bool:
    """True if all colours of a palette are grey, as GIF has no other way to say so."""
    if image.mode != "P":
        return False
    palette = np.asarray(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())
