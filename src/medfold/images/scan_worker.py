"""Scan of one raw image, in a worker process: decoded once, prepared, measured, written where it belongs."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import xxhash

from medfold.competition import ImageFacts, ImageSettings
from medfold.images import perceptual_hash
from medfold.images.reading import read_prepared
from medfold.images.resizing import resize

STATISTICS = ["mean", "deviation", "dark", "bright", "sharpness", "red", "green", "blue"]
ONE_VALUE = "plain-"  # hashes of images of one value begin with it
SMALL = 128  # px: the side of what an image looks like


@dataclass(frozen=True)
class ScanTask:
    """What to do with each image.

    Args:
        raw: the folder that image paths start from.
        facts: how to read them.
        choices: how to prepare them, and
        pixels: the .npy file for what comes of it; None if no store is to be filled.
        thumbnails: the .npy file for thumbnails; None if nobody asks what the images look like.
    """

    raw: Path
    facts: ImageFacts
    choices: ImageSettings | None = None
    pixels: Path | None = None
    thumbnails: Path | None = None


def scan_image(item: tuple[int, str], task: ScanTask) -> list[Any]:
    """Decodes an image and writes its row of the files.

    Args:
        item: row, and path of the image as `read_image` takes it.

    Returns:
        Row; why it cannot be read, or ''; then, if it can, height, width, the hash of its pixels; and, if
        thumbnails are asked for, the perceptual hash, STATISTICS and technical DICOM headers.

    Raises:
        UserError: a step of the recipe that cannot be done.
    """
    row, image = item
    read = read_prepared(task.raw, image, task.facts, [] if task.pixels is None else [task.choices])
    if isinstance(read, str):
        return [row, read]
    pixels, headers, prepared = read
    if task.pixels is not None:
        _write(task.pixels, row, prepared[0])
    height, width = pixels.shape[:2]
    found = [row, "", height, width, pixel_hash(pixels, image)]
    if task.thumbnails is None:
        return found
    looks, thumbnail = perceptual_hash.hash_and_thumbnail(pixels)
    _write(task.thumbnails, row, thumbnail)
    small = resize(pixels, min(SMALL, height), min(SMALL, width))
    return [*found, f"{looks:016x}", appearance_statistics(small), headers]


def pixel_hash(pixels: np.ndarray, image: str) -> str:
    """Hash of an image's pixels, or of its path if all pixels have one value, as in a slice of air.

    Images of one value show nothing: two of them are no copies of each other.
    """
    digest = xxhash.xxh3_128(repr(pixels.shape).encode())
    first = pixels[:1, :1]
    if (pixels[::16, ::16] == first).all() and (pixels == first).all():
        digest.update(image.encode())
        return ONE_VALUE + digest.hexdigest()
    digest.update(np.ascontiguousarray(pixels))
    return digest.hexdigest()


def appearance_statistics(pixels: np.ndarray) -> list[float]:
    """Numbers that tell how an image was taken.

    Args:
        pixels: uint8 (height, width, channels), small.

    Returns:
        Mean and standard deviation of the brightness, its 5th and 95th percentile, the mean size of the Laplacian
        (sharpness), and the mean of the first three channels (of one channel, that of it), all in 0..255.
    """
    channels = pixels.shape[2]
    grey = pixels[..., 0] if channels == 1 else np.rint(pixels.mean(axis=2)).astype(np.uint8)
    below = np.cumsum(np.bincount(grey.ravel(), minlength=256))
    dark, bright = (int(np.searchsorted(below, share * grey.size)) for share in (0.05, 0.95))
    colours = [float(pixels[..., min(number, channels - 1)].mean()) for number in range(3)] if channels > 1 else []
    sharpness = float(np.abs(cv2.Laplacian(grey, cv2.CV_16S)).mean())
    mean = float(grey.mean())
    found = [mean, float(grey.std()), float(dark), float(bright), sharpness, *(colours or [mean] * 3)]
    return [round(value, 4) for value in found]


def _write(path: Path, row: int, values: np.ndarray) -> None:
    # Not through a memory map: on a full disk that kills the process, and this raises an error.
    file, begin = _opened(path)
    file.seek(begin + row * values.nbytes)
    file.write(np.ascontiguousarray(values))


@lru_cache(maxsize=4)
def _opened(path: Path) -> tuple[BinaryIO, int]:
    begin = np.load(path, mmap_mode="r").offset
    return path.open("r+b", buffering=0), begin
