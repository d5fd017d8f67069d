"""What is done to an image once, before it is stored: bring it to one size."""

import cv2
import numpy as np

from medfold.recipe import Images


def prepare(pixels: np.ndarray, options: Images) -> np.ndarray:
    """The image at the size of the recipe.

    Args:
        pixels: uint8 (height, width, channels).
        options: `size`, and `fit`: stretch to a square, or pad with black to keep the proportions.

    Returns:
        uint8 (size, size, channels).
    """
    size, (height, width, channels) = options.size, pixels.shape
    if options.fit == "stretch":
        new_height = new_width = size
    else:
        scale = size / max(height, width)
        new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    if (new_height, new_width) != (height, width):
        # Area averaging keeps small bright spots and does not alias; it is for shrinking only.
        shrinks = new_height <= height and new_width <= width
        pixels = cv2.resize(
            pixels, (new_width, new_height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        ).reshape(new_height, new_width, channels)
    if (new_height, new_width) == (size, size):
        return pixels
    result = np.zeros((size, size, channels), np.uint8)
    top, left = (size - new_height) // 2, (size - new_width) // 2
    result[top : top + new_height, left : left + new_width] = pixels
    return result
