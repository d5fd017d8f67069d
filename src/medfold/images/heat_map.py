"""Heat map as a colour overlay on an image."""

import cv2
import numpy as np

MAX_OPACITY = 0.6  # the colour where the heat is 1


def to_displayable(pixels: np.ndarray) -> np.ndarray:
    """Converts an image to RGB for display: one or two channels to grey (their mean), more to the first three as RGB.

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
    """Overlays a heat map on an image; the opacity grows with the heat, from 0 at heat 0.

    The colours (inferno: dark violet, red, yellow) increase in lightness, so that the colour-blind can read them.

    Args:
        pixels: uint8 (height, width, channels), 1 to 8 channels.
        heat: float (height, width), 0 to 1.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    heat = np.clip(heat, 0, 1)
    colours = cv2.applyColorMap(np.rint(255 * heat).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    opacity = MAX_OPACITY * heat[..., None].astype(np.float32)
    return np.rint((1 - opacity) * to_displayable(pixels) + opacity * colours).astype(np.uint8)
