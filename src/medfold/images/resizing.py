"""Images at another size, whatever the number of their channels."""

import cv2
import numpy as np

AT_ONCE = 4  # channels that OpenCV averages at a time


def resize(pixels: np.ndarray, height: int, width: int, method: int = cv2.INTER_AREA) -> np.ndarray:
    """An image at another size.

    Args:
        pixels: uint8 (rows, columns, channels).
        height, width: wanted, pixels.
        method: of OpenCV. Defaults to the mean over areas, which is for shrinking only.

    Returns:
        uint8 (height, width, channels).
    """
    channels = pixels.shape[2]
    parts = [
        cv2.resize(pixels[..., first : first + AT_ONCE], (width, height), interpolation=method)
        for first in range(0, channels, AT_ONCE)
    ]
    return (parts[0] if len(parts) == 1 else np.dstack(parts)).reshape(height, width, channels)
