"""Small pictures that hold a weak signal: spots whose brightness depends on the label."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

Spot = tuple[float, float, float]  # where (down, across), as a share of the side, and how bright
SIZE = 96
MIDDLE = (0.5, 0.5)


def scene(rng: np.random.Generator, spots: Iterable[Spot], shape: tuple[int, int] = (SIZE, SIZE)) -> np.ndarray:
    """Clouds and grain with spots in them.

    Returns:
        float32 (height, width), 0..1.
    """
    height, width = shape
    clouds = cv2.resize(rng.random((6, 6), np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    picture = 0.15 + 0.25 * clouds + rng.normal(0, 0.02, shape).astype(np.float32)
    rows, columns = np.ogrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    for down, across, bright in spots:
        distance = (rows - down - rng.normal(0, 0.01)) ** 2 + (columns - across - rng.normal(0, 0.01)) ** 2
        picture += 0.5 * bright * np.exp(-distance / 0.008, dtype=np.float32)
    return np.clip(picture, 0, 1)


def grid(labels: list[str], present: Iterable[str]) -> list[Spot]:
    """A spot for each label that is present, each at its own place."""
    side = int(np.ceil(np.sqrt(len(labels))))
    places = {
        label: ((n // side + 0.7) / (side + 0.4), (n % side + 0.7) / (side + 0.4)) for n, label in enumerate(labels)
    }
    return [(*places[label], 1.0) for label in present]


def grey(picture: np.ndarray) -> np.ndarray:
    """0..1 -> uint8."""
    return np.rint(picture * 255).astype(np.uint8)


def colour(picture: np.ndarray, tint: tuple[float, float, float]) -> np.ndarray:
    """0..1 (height, width) -> uint8 (height, width, 3), red, green, blue in the shares of the tint."""
    return grey(picture[..., None] * np.array(tint, np.float32))


def encoded(pixels: np.ndarray, suffix: str, quality: int = 92) -> bytes:
    """The bytes of a picture file; pixels are grey, or red, green, blue."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix in (".jpg", ".jpeg") else []
    done, data = cv2.imencode(suffix, pixels if pixels.ndim == 2 else pixels[..., ::-1], options)
    assert done
    return data.tobytes()


def write(path: Path, data: bytes) -> None:
    """A file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_table(path: Path, rows: Iterable[dict], header: str | None = None) -> None:
    """A CSV file, of all columns or of those of a header; nothing where a value is None."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(list(rows)).to_csv(path, index=False, columns=header.split(",") if header else None)
