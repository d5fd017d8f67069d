"""Raster images: JPEG and plain PNG with OpenCV, which is fast; TIFF in `tiff`; other formats with Pillow.

Pillow reads BMP, GIF, WebP, PGM and more. The format is recognised by the first bytes of a file; its extension does
not matter. OpenCV does not read all, because its version 4.14 returned uninitialised memory for 16-bit LZW colours in
TIFF and every second line of a run-length-encoded BMP as black, and ignored the orientation of PNG and WebP.
"""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from medfold.competition import ImageFacts
from medfold.images.formats import tiff, truncation
from medfold.images.formats.declared_size import declared_size
from medfold.images.formats.failures import ImageError
from medfold.images.formats.frames import check_size
from medfold.images.formats.pixel_values import image_to_uint8
from medfold.system.native_output import silence_library, silence_native_output

AS_STORED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
ORIENTATION = 0x0112  # EXIF tag
# Other formats are not pictures of data sets, and some start other programs: Ghostscript for EPS.
PICTURE_FORMATS = ("BMP", "GIF", "WEBP", "PPM", "PNG", "JPEG", "MPO", "JPEG2000", "AVIF", "TGA", "PCX")
Image.init()
PILLOW_FORMATS = [name for name in PICTURE_FORMATS if name in Image.OPEN]  # AVIF is not in every installation
# OpenCV reports damaged files on stderr. The location of the switch depends on its version.
(cv2.setLogLevel if hasattr(cv2, "setLogLevel") else cv2.utils.logging.setLogLevel)(0)
silence_library("PIL")


def read(path: Path, member: str, image_facts: ImageFacts) -> tuple[np.ndarray, dict[str, str]]:
    """Reads the image of a file, see `decode`.

    Args:
        path: an image file.
        member: not used: the file contains one image.
        image_facts: the facts `images` (range; of a TIFF also frame).

    Returns:
        uint8 (height, width), or (height, width, 3) as RGB; and no headers.
    """
    # The file reader of OpenCV cannot open all paths on Windows, and that of NumPy is half as fast for small files.
    with path.open("rb", buffering=0) as file:
        return decode(np.frombuffer(file.read(), np.uint8), image_facts), {}


def decode(data: np.ndarray, image_facts: ImageFacts) -> np.ndarray:
    """Decodes an image from the bytes of its file.

    The EXIF orientation is applied, an alpha channel is dropped. For an animation, the first frame is returned.

    Args:
        data: content of the file, uint8 (n,).
        image_facts: the facts `images` (range; of a TIFF also frame).

    Returns:
        uint8 (height, width), or (height, width, 3) as RGB.

    Raises:
        ImageError: the file is empty, not an image, cut off, or too large.
    """
    if not data.size:
        raise ImageError("the file is empty")
    prefix = data[:8].tobytes()
    if prefix[:4] in tiff.SIGNATURES:
        return tiff.decode(data, image_facts)
    # Checked here, since some versions of OpenCV silently fill the missing part with grey.
    if truncation.is_truncated(data):
        raise ImageError("cut off")
    is_jpeg = prefix[:3] == truncation.JPEG
    if not is_jpeg and prefix != truncation.PNG:
        return image_to_uint8(_by_pillow(data, image_facts), image_facts)
    declared = declared_size(data.data)
    if declared is None:
        raise ImageError("damaged: no header with its size")
    check_size(declared.height, declared.width, image_facts, 1, declared.bytes_per_pixel)
    chunks = truncation.png_chunks(data.tobytes()) if not is_jpeg else set()
    if b"acTL" in chunks:  # animated: OpenCV returns another frame, or swaps red and blue
        return image_to_uint8(_by_pillow(data, image_facts), image_facts)
    # Grey from a JPEG needs no decoding of colours: its first component is the luma of Rec. 601.
    as_grey = image_facts.num_channels == 1 and is_jpeg
    apply_orientation = b"eXIf" in chunks
    try:
        with silence_native_output():
            values = cv2.imdecode(
                data, cv2.IMREAD_GRAYSCALE if as_grey else AS_STORED | cv2.IMREAD_IGNORE_ORIENTATION * apply_orientation
            )
    except cv2.error:  # for example, the image is too large
        values = None
    if values is None:
        values = _by_pillow(data, image_facts)
        apply_orientation = False
    elif values.ndim == 3:
        values = cv2.cvtColor(values, cv2.COLOR_BGR2RGB)
    if apply_orientation:
        values = tiff.TURNS_UPRIGHT.get(_orientation(data), lambda pixels: pixels)(values)
    return image_to_uint8(values, image_facts)


def _orientation(data: np.ndarray) -> int:
    """Returns the EXIF orientation of a PNG, which OpenCV does not apply."""
    with Image.open(io.BytesIO(data), formats=PILLOW_FORMATS) as image:
        return image.getexif().get(ORIENTATION, 1)


def _by_pillow(data: np.ndarray, image_facts: ImageFacts) -> np.ndarray:
    """Decodes with Pillow, which knows many formats and says why a file is damaged."""
    try:
        with silence_native_output(), Image.open(io.BytesIO(data), formats=PILLOW_FORMATS) as image:
            bytes_per_band = 4 if image.mode.startswith(("I", "F")) else 1
            check_size(image.height, image.width, image_facts, 1, len(image.getbands()) * bytes_per_band)
            image.load()  # for a GIF, this may change the mode
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
        if "nsupported" in str(error):  # the file need not be damaged
            raise ImageError(f"{str(error).lower()}: save it as PNG") from None
        raise ImageError("cut off" if "truncated" in str(error) else "damaged") from None


def _is_grey(image: Image.Image) -> bool:
    """Returns True if all colours of the palette are grey: the only way to store a grey GIF."""
    if image.mode != "P":
        return False
    palette = np.asarray(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())
