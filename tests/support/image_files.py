"""Small images, and reading them as a competition would."""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from medfold.competition import ImageFacts
from medfold.images import read_image

_RNG = np.random.default_rng(0)


def noise(shape: tuple[int, ...], below: int = 256, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    """Draws whole numbers from 0 to `below`."""
    return np.random.default_rng(seed).integers(0, below, shape, dtype=dtype)


def images(channels: int | list[str] = 1, **facts) -> ImageFacts:
    return ImageFacts(train="{id}.png", channels=channels, **facts)


def read(path: Path, channels: int = 1, member: str = "", **facts) -> np.ndarray:
    """Reads a file by read_image; a single channel has no axis."""
    found = read_image(path.parent, path.name + member, images(channels, **facts))
    assert found.dtype == np.uint8
    assert found.shape[2] == channels
    return found[..., 0] if channels == 1 else found


def scale_to_uint8(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Scales values from low to high linearly to 0 to 255, clipped."""
    return np.rint(np.clip((values.astype(np.float64) - low) / (float(high) - float(low)), 0, 1) * 255).astype(np.uint8)


GREY = cv2.resize(_RNG.integers(0, 256, (6, 5), dtype=np.uint8), (41, 30), interpolation=cv2.INTER_CUBIC)


COLOUR = cv2.resize(_RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8), (41, 30), interpolation=cv2.INTER_CUBIC)


ALPHA = _RNG.integers(0, 256, GREY.shape, dtype=np.uint8)


DEEP = GREY.astype(np.uint16) * 200 + np.arange(41, dtype=np.uint16)


FLOAT = GREY.astype(np.float32) * 1.5 - 300


def jpeg(exif: bytes = b"", **options) -> bytes:
    data = io.BytesIO()
    Image.fromarray(COLOUR).save(data, "JPEG", exif=exif, **options)
    return data.getvalue()
