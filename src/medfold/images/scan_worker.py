"""Scan of one raw image in a worker process: decoded once, prepared, measured, written to its files."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import cv2
import numpy as np
import xxhash

from medfold.competition import ImageFacts, PreparationSettings
from medfold.images import perceptual_hash
from medfold.images.prepared_image import read_prepared
from medfold.images.resizing import resize
from medfold.system import array_files, files

STATISTICS = ["mean", "deviation", "dark", "bright", "sharpness", "red", "green", "blue"]
ONE_VALUE_PREFIX = "plain-"  # prefix of the hashes of images whose pixels all have one value
STATISTICS_SIZE = 128  # px, side of the copy that the statistics are computed on


@dataclass(frozen=True)
class ScanSettings:
    """Settings of a scan, the same for each image.

    Args:
        raw: folder that image paths are relative to.
        image_facts: the facts `images`: how to read them.
        preparation: how to prepare the images for the store; needed with `store_file`.
        store_file: .npy file for the prepared images. Defaults to None: no store is filled.
        thumbnails_file: .npy file for the thumbnails. Defaults to None: the appearance of the images is not computed.
    """

    raw: Path
    image_facts: ImageFacts
    preparation: PreparationSettings | None = None
    store_file: Path | None = None
    thumbnails_file: Path | None = None


class Appearance(NamedTuple):
    """How an image looks, for the audit.

    Args:
        perceptual_hash: the perceptual hash, 16 hexadecimal digits.
        statistics: STATISTICS of the image.
        headers: technical DICOM headers by keyword.
    """

    perceptual_hash: str
    statistics: list[float]
    headers: dict[str, str]


class ImageScan(NamedTuple):
    """Result of the scan of one image.

    Args:
        row: row of the image.
        unreadable_reason: '' if the image can be read. Else all fields but this and `row` are empty.
        height: height in pixels.
        width: width in pixels.
        pixel_hash: hash of the pixels, see `hash_pixels`.
        appearance: None where it is not computed.
        written: hash of the row that was written to each file, by file name.
    """

    row: int
    unreadable_reason: str
    height: int | None = None
    width: int | None = None
    pixel_hash: str | None = None
    appearance: Appearance | None = None
    written: dict[str, str] | None = None

    def to_json(self) -> list[Any]:
        """Returns the entry of the journal: a list of values."""
        if self.unreadable_reason:
            return [self.row, self.unreadable_reason]
        size_and_hash = (self.height, self.width, self.pixel_hash)
        return [self.row, "", *size_and_hash, *(self.appearance or ()), self.written]

    @classmethod
    def from_json(cls, values: list[Any]) -> "ImageScan":
        """Makes the result from an entry of the journal, the inverse of `to_json`."""
        row, unreadable_reason, *rest = values
        if unreadable_reason:
            return cls(row, unreadable_reason)
        height, width, digest, *appearance, written = rest
        return cls(row, "", height, width, digest, Appearance(*appearance) if appearance else None, written)


def scan_image(item: tuple[int, str], settings: ScanSettings) -> ImageScan:
    """Decodes an image, and writes its prepared pixels and its thumbnail to their files.

    Args:
        item: row of the image, and its path in the syntax of `read_image_with_headers`.
        settings: what to compute.

    Raises:
        UserError: a preparation step is unknown or has wrong arguments.
    """
    row, image_path = item
    preparations = [] if settings.store_file is None else [settings.preparation]
    result = read_prepared(settings.raw, image_path, settings.image_facts, preparations)
    if isinstance(result, str):
        return ImageScan(row, unreadable_reason=result)
    pixels, headers, prepared = result
    written = {}
    if settings.store_file is not None:
        written[settings.store_file.name] = _write(settings.store_file, row, prepared[0])
    height, width = pixels.shape[:2]
    appearance = None
    if settings.thumbnails_file is not None:
        phash, thumbnail = perceptual_hash.hash_and_thumbnail(pixels)
        written[settings.thumbnails_file.name] = _write(settings.thumbnails_file, row, thumbnail)
        small = resize(pixels, min(STATISTICS_SIZE, height), min(STATISTICS_SIZE, width))
        appearance = Appearance(f"{phash:016x}", appearance_statistics(small), headers)
    return ImageScan(row, "", height, width, hash_pixels(pixels, image_path), appearance, written)


def hash_pixels(pixels: np.ndarray, image_path: str) -> str:
    """Returns the hash of an image's pixels; of its path if all pixels have one value, as in a slice of air.

    Images of one value show nothing, so they must not count as copies of each other.

    Args:
        pixels: uint8 (height, width, channels).
        image_path: path of the image.

    Returns:
        32 hexadecimal digits (xxh3, 128 bits), with the prefix ONE_VALUE_PREFIX if they are of the path.
    """
    digest = xxhash.xxh3_128(repr(pixels.shape).encode())
    first = pixels[:1, :1]
    if (pixels[::16, ::16] == first).all() and (pixels == first).all():
        digest.update(image_path.encode())
        return ONE_VALUE_PREFIX + digest.hexdigest()
    digest.update(np.ascontiguousarray(pixels))
    return digest.hexdigest()


def appearance_statistics(pixels: np.ndarray) -> list[float]:
    """Computes STATISTICS of an image, which reflect how it was taken.

    Args:
        pixels: uint8 (height, width, channels), a small copy.

    Returns:
        Mean and standard deviation of the brightness, its 5th and 95th percentile, the mean absolute Laplacian
        (sharpness), and the means of the first three channels (equal for a grey image), all in 0..255.
    """
    channels = pixels.shape[2]
    grey = pixels[..., 0] if channels == 1 else np.rint(pixels.mean(axis=2)).astype(np.uint8)
    cumulative = np.cumsum(np.bincount(grey.ravel(), minlength=256))
    dark, bright = (int(np.searchsorted(cumulative, share * grey.size)) for share in (0.05, 0.95))
    colours = [float(pixels[..., min(number, channels - 1)].mean()) for number in range(3)] if channels > 1 else []
    sharpness = float(np.abs(cv2.Laplacian(grey, cv2.CV_16S)).mean())
    mean = float(grey.mean())
    statistics = [mean, float(grey.std()), float(dark), float(bright), sharpness, *(colours or [mean] * 3)]
    return [round(value, 4) for value in statistics]


def _write(path: Path, row: int, values: np.ndarray) -> str:
    """Writes a row of an array, and returns its hash. On a full disk, a memory map would crash the process."""
    file, offset = _open_array(path)
    values = np.ascontiguousarray(values)
    with files.failed_writes_named(path):
        array_files.write_at(file.fileno(), values.data, offset + row * values.nbytes)
    return array_files.row_hash(values)


@lru_cache(maxsize=4)
def _open_array(path: Path) -> tuple[BinaryIO, int]:
    """Opens a .npy file for writing, and returns it with the offset of its data in bytes."""
    offset = np.load(path, mmap_mode="r").offset
    return path.open("r+b", buffering=0), offset
