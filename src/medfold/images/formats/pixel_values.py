"""Pixel values of any depth as uint8, and the channels of a competition."""

import cv2
import numpy as np

from medfold.competition import ImageFacts
from medfold.images.formats.failures import ImageError
from medfold.images.formats.frames import chosen_frames
from medfold.images.formats.windows import window_spans
from medfold.text import count_of


def image_to_uint8(values: np.ndarray, image_facts: ImageFacts) -> np.ndarray:
    """Converts a single image (height, width[, channels]) to uint8, see `frames_to_uint8`; it has only frame 0."""
    chosen_frames(1, image_facts)
    return frames_to_uint8(values[None], image_facts)[0]


def frames_to_uint8(values: np.ndarray, image_facts: ImageFacts) -> np.ndarray:
    """Converts stacked frames of any depth to uint8.

    uint8 values are unchanged. Others are clipped to `images.range` and scaled to 0..255; without `images.range`, they
    are scaled from the smallest and largest value of the whole stack. With `images.windows`, grey frames get a last
    axis with one channel per window.

    Args:
        values: numbers (n, height, width[, channels]).
        image_facts: the facts `images` (range, windows).

    Raises:
        ImageError: there are NaN or infinite values, the values are not numbers, or there are windows for colours or
            bytes, which are not Hounsfield units.
    """
    if values.dtype.kind not in "buif":
        raise ImageError(f"{values.dtype.name} values, expected numbers")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageError("NaN or infinite values")
    windows = window_spans(image_facts)
    if windows:
        if values.ndim == 4 or values.dtype == np.uint8:
            raise ImageError("colours or bytes, but 'images.windows' need Hounsfield units")
        return np.stack([scale_to_uint8(values, *span) for span in windows], axis=-1)
    if values.dtype == bool:
        return values * np.uint8(255)
    if values.dtype == np.uint8:
        return values
    return scale_to_uint8(values, *(image_facts.range or (values.min().item(), values.max().item())))


def scale_to_uint8(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Scales values from low..high to 0..255, clipped and rounded, as uint8; all 0 if `low` equals `high`."""
    span = high - low
    if not np.isfinite(span):
        raise ImageError("values too large to be scaled")
    if span == 0:
        return np.zeros(values.shape, np.uint8)
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
        return apply_table(scale_to_uint8(all_values(values.dtype).astype(np.float64), low, high), values)
    return np.rint(np.clip((values.astype(np.float64) - low) / span, 0, 1) * 255).astype(np.uint8)


def all_values(dtype: np.dtype) -> np.ndarray:
    """Returns all values of an integer type of one or two bytes, ordered by their unsigned bit patterns."""
    bits = 8 * dtype.itemsize
    return np.arange(2**bits, dtype=f"u{dtype.itemsize}").view(dtype.newbyteorder("="))


def apply_table(table: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Looks up values in a table with one row per value of their type, in the order of `all_values`."""
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    return np.take(table, native.view(f"u{values.dtype.itemsize}"), axis=0)


def convert_channels(pixels: np.ndarray, num_channels: int) -> np.ndarray:
    """Converts an image to the given number of channels.

    Grey is repeated for 3 channels; colour is converted to grey by the luma of Rec. 601.

    Args:
        pixels: uint8 (height, width[, channels]).
        num_channels: number of channels of the result.

    Returns:
        uint8 (height, width, num_channels).

    Raises:
        ImageError: the image has a different number of channels and cannot be converted.
    """
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    channels = pixels.shape[2]
    if channels == num_channels:
        return pixels
    if (channels, num_channels) == (1, 3):
        return np.repeat(pixels, 3, axis=2)
    if (channels, num_channels) == (3, 1):
        return cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)[..., None]
    raise ImageError(f"{count_of(channels, 'channel')}, expected {num_channels}")
