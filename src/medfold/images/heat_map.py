"""A heat map laid over an image."""

import cv2
import numpy as np

STRENGTH = 0.6  # share of the colour where the heat is 1


def to_displayable(pixels: np.ndarray) -> np.ndarray:
    """An image as a screen can show it: grey as grey; of two channels the mean; of more the first three as RGB.

    Args:
        pixels: uint8 (height, width, channels), 1 to 8 channels.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    if pixels.shape[2] >= 3:
        return np.ascontiguousarray(pixels[..., :3])
    grey = np.rint(pixels.mean(axis=2, keepdims=True)).astype(np.uint8)
    return np.repeat(grey, 3, axis=2)


def overlay(pixels: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The image with heat laid over it: untouched where it is 0, more of the colour the hotter it is.

    The colours (inferno: dark violet, red, yellow) rise in lightness, so that the colour-blind can read them.

    Args:
        pixels: uint8 (height, width, channels), 1 to 8 channels.
        heat: float (height, width), 0 to 1.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    heat = np.clip(heat, 0, 1)
    colours = cv2.applyColorMap(np.rint(255 * heat).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    share = STRENGTH * heat[..., None].astype(np.float32)
    return np.rint((1 - share) * to_displayable(pixels) + share * colours).astype(np.uint8)
