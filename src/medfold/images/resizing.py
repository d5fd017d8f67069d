"""Resizing of images with any number of channels."""

import cv2
import numpy as np

MAX_CHANNELS = 4  # that OpenCV resizes in one call


def fit_within(height: int, width: int, side: int) -> tuple[int, int]:
    """Returns the height and width of an image whose longer side is resized to `side`; each is at least 1."""
    scale = side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(pixels: np.ndarray, height: int, width: int, method: int = cv2.INTER_AREA) -> np.ndarray:
    """Resizes an image.

    Args:
        pixels: uint8 (rows, columns, channels), any number of channels.
        height: new number of rows.
        width: new number of columns.
        method: interpolation of OpenCV. Defaults to area averaging, which works for shrinking only.

    Returns:
        uint8 (height, width, channels).
    """
    channels = pixels.shape[2]
    parts = [
        cv2.resize(pixels[..., first : first + MAX_CHANNELS], (width, height), interpolation=method)
        for first in range(0, channels, MAX_CHANNELS)
    ]
    return (parts[0] if len(parts) == 1 else np.dstack(parts)).reshape(height, width, channels)
