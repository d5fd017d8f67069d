"""What is kept of an image to find others like it: a hash and a thumbnail.

Apart from near_duplicates, since processes that decode images need no more than this.
"""

import imagehash
import numpy as np
from PIL import Image

from medfold.images.resizing import resize

THUMBNAIL = 64  # side in pixels; with 32, two images of one patient look like two copies of one image


def hash_and_thumbnail(pixels: np.ndarray) -> tuple[np.uint64, np.ndarray]:
    """What is kept of an image: its perceptual hash (imagehash.phash, of the thumbnail) and its thumbnail.

    Args:
        pixels: uint8 (height, width, channels).

    Returns:
        The hash, and uint8 (THUMBNAIL, THUMBNAIL), the mean of the channels whatever the sides' ratio was.
    """
    small = _reduced(pixels)
    thumbnail = small[..., 0] if small.shape[2] == 1 else np.rint(small.mean(axis=2)).astype(np.uint8)
    bits = imagehash.phash(Image.fromarray(thumbnail)).hash
    return np.packbits(bits).view(">u8").astype(np.uint64)[0], thumbnail


def _reduced(pixels: np.ndarray) -> np.ndarray:
    """The means over areas, uint8 (THUMBNAIL, THUMBNAIL, channels).

    By whole factors OpenCV is ten times as fast. So they come first, and leave two to four times the size; rows and
    columns that do not fit, less than 0.8 %, are left out at the borders.
    """
    factors = [max(1, side // (2 * THUMBNAIL)) for side in pixels.shape[:2]]
    height, width = (side // factor for side, factor in zip(pixels.shape, factors, strict=False))
    top, left = ((side % factor) // 2 for side, factor in zip(pixels.shape, factors, strict=False))
    whole = pixels[top : top + height * factors[0], left : left + width * factors[1]]
    return resize(resize(whole, height, width), THUMBNAIL, THUMBNAIL)
