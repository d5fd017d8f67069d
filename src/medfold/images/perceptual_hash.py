"""Perceptual hash and thumbnail of an image, for finding near-duplicates.

Separate from the search for near-duplicates, so that the processes that decode images import only this.
"""

import imagehash
import numpy as np
from PIL import Image

from medfold.images.resizing import resize

THUMBNAIL_SIZE = 64  # px, side; at 32, two images of one patient look like two copies of one image


def hash_and_thumbnail(pixels: np.ndarray) -> tuple[np.uint64, np.ndarray]:
    """Computes a thumbnail of an image, and the perceptual hash of the thumbnail (imagehash.phash).

    Args:
        pixels: uint8 (height, width, channels).

    Returns:
        The hash, 64 bits; and the thumbnail, uint8 (THUMBNAIL_SIZE, THUMBNAIL_SIZE): the mean of the channels, resized
        without keeping the aspect ratio.
    """
    small = _reduced(pixels)
    thumbnail = small[..., 0] if small.shape[2] == 1 else np.rint(small.mean(axis=2)).astype(np.uint8)
    bits = imagehash.phash(Image.fromarray(thumbnail)).hash
    return np.packbits(bits).view(">u8").astype(np.uint64)[0], thumbnail


def _reduced(pixels: np.ndarray) -> np.ndarray:
    """Shrinks an image by area averaging to uint8 (THUMBNAIL_SIZE, THUMBNAIL_SIZE, channels).

    OpenCV is ten times as fast if it shrinks by a whole factor. So that is done first, to two to four times the final
    size. Rows and columns that do not fit the factor, less than 0.8 %, are cut off at the borders.
    """
    factors = [max(1, side // (2 * THUMBNAIL_SIZE)) for side in pixels.shape[:2]]
    height, width = (side // factor for side, factor in zip(pixels.shape, factors, strict=False))
    top, left = ((side % factor) // 2 for side, factor in zip(pixels.shape, factors, strict=False))
    cropped = pixels[top : top + height * factors[0], left : left + width * factors[1]]
    return resize(resize(cropped, height, width), THUMBNAIL_SIZE, THUMBNAIL_SIZE)
