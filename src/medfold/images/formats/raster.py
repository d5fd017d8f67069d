"""PNG, JPEG, TIFF and BMP through OpenCV."""

from pathlib import Path

import cv2
import numpy as np

SUFFIXES = [".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"]


def read(path: Path, member: str) -> np.ndarray:
    """Reads one picture; its EXIF orientation is applied, an alpha channel dropped.

    Raises:
        ValueError: not a picture, cut off, or more than 8 bits per channel.
    """
    data = np.fromfile(path, np.uint8)  # OpenCV's own reader cannot open every path on Windows
    if not data.size:
        raise ValueError("the file is empty")
    pixels = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
    if pixels is None:
        raise ValueError("not a picture, or cut off")
    if pixels.dtype != np.uint8:
        raise ValueError(f"{pixels.dtype} pixels, expected 8 bits per channel")
    return pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
