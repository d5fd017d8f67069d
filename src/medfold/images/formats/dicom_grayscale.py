"""Conversion of stored DICOM values to uint8, by the grayscale transformations of the standard.

The order is: modality transformation, VOI transformation (window or table), inversion (PS3.3 C.11, PS3.4 N.2).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from medfold.images.formats.failures import ImageError
from medfold.images.formats.pixel_values import all_values, apply_table, scale_to_uint8


class Rescale(NamedTuple):
    """Linear modality transformation: rescale slope and intercept."""

    slope: float
    intercept: float

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Converts stored values to modality units, float64."""
        return values.astype(np.float64) * self.slope + self.intercept


class Lut(NamedTuple):
    """A modality or VOI lookup table.

    Args:
        first: the value that the first entry is for; lower values get that entry, too.
        bits: bits per entry, 8 to 16.
        entries: the entries as unsigned little-endian integers of two bytes.
    """

    first: int
    bits: int
    entries: bytes

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Looks up the entry of each value, uint16."""
        entries = np.frombuffer(self.entries, "<u2")
        return entries[np.clip(values.astype(np.float64) - self.first, 0, len(entries) - 1).astype(np.intp)]

    def to_uint8(self, values: np.ndarray) -> np.ndarray:
        """Converts values to uint8; the largest entry that `bits` allows becomes 255."""
        return scale_to_uint8(self(values), 0, 2**self.bits - 1)


class Window(NamedTuple):
    """A window of the VOI module (PS3.3 C.11.2.1.2 and C.11.2.1.3).

    Args:
        centre: centre in modality units.
        width: width in modality units.
        function: LINEAR, LINEAR_EXACT or SIGMOID.
        low: lower end of the output range.
        high: upper end of the output range.
    """

    centre: float
    width: float
    function: str
    low: float
    high: float

    def to_uint8(self, values: np.ndarray) -> np.ndarray:
        """Converts values to uint8; the output range becomes 0 to 255. Computed as in pydicom, so rounding is equal."""
        values = values.astype(np.float64)
        span = self.high - self.low
        if self.function == "SIGMOID":
            with np.errstate(over="ignore"):
                output = span / (1 + np.exp(-4 * (values - self.centre) / self.width)) + self.low
            return scale_to_uint8(output, self.low, self.high)
        is_exact = self.function == "LINEAR_EXACT"
        centre, width = (self.centre, self.width) if is_exact else (self.centre - 0.5, self.width - 1)
        if width == 0:
            return scale_to_uint8(np.where(values > centre, self.high, self.low), self.low, self.high)
        output = ((values - centre) / width + 0.5) * span + self.low  # scale_to_uint8 clips values outside the window
        return scale_to_uint8(output, self.low, self.high)


class ValueRange(NamedTuple):
    """Range of modality values that becomes 0 to 255."""

    low: float
    high: float

    def to_uint8(self, values: np.ndarray) -> np.ndarray:
        """Converts values to uint8; values outside the range are clipped."""
        return scale_to_uint8(values, self.low, self.high)


class GrayscaleTransforms(NamedTuple):
    """The grayscale transformations of a frame, from stored values to uint8.

    Args:
        modality: stored values -> modality values; None if they are equal.
        voi: modality values -> uint8, one transformation per channel. Defaults to none: the range between the
            smallest and the largest value becomes 0 to 255.
        inverted: True for MONOCHROME1, where the smallest value is white. Defaults to False.
        padding: first and last stored value that mark pixels outside the image. They become 0, and do not count as
            smallest or largest value. Defaults to no padding.
    """

    modality: Rescale | Lut | None
    voi: tuple[Lut | Window | ValueRange, ...] = ()
    inverted: bool = False
    padding: tuple[int, int] | None = None


def apply_grayscale_transforms(
    frames: list[np.ndarray], transforms_by_frame: list[GrayscaleTransforms]
) -> list[np.ndarray]:
    """Applies grayscale transformations to the frames of one image.

    Frames without a VOI transformation are scaled together, by the smallest and the largest value of all of them.

    Args:
        frames: stored values (height, width), integers or floats.
        transforms_by_frame: the transformations of each frame.

    Returns:
        uint8 (height, width), or (height, width, channels) if there are several VOI transformations.

    Raises:
        ImageError: a frame contains NaN or infinite values.
    """
    if any(frame.dtype.kind == "f" and not np.isfinite(frame).all() for frame in frames):
        raise ImageError("NaN or infinite values")
    if not transforms_by_frame[0].voi:
        pairs = zip(frames, transforms_by_frame, strict=True)
        ends = [end for frame, transforms in pairs for end in value_range(frame, transforms)]
        voi = (ValueRange(min(ends, default=0), max(ends, default=0)),)
        inverted = transforms_by_frame[0].inverted and voi[0].low < voi[0].high  # a constant image is black
        transforms_by_frame = [transforms._replace(voi=voi, inverted=inverted) for transforms in transforms_by_frame]
    return [_transformed(frame, transforms) for frame, transforms in zip(frames, transforms_by_frame, strict=True)]


def value_range(frame: np.ndarray, transforms: GrayscaleTransforms) -> list[float]:
    """Returns the smallest and the largest modality value of a frame; [] if it contains only padding."""
    stored = frame
    if transforms.padding is not None:
        stored = frame[(frame < transforms.padding[0]) | (frame > transforms.padding[1])]
        if not stored.size:
            return []
    # A rescale has its extremes at the smallest and largest stored value, a table can have them anywhere.
    stored = np.unique(stored) if isinstance(transforms.modality, Lut) else np.array([stored.min(), stored.max()])
    values = stored if transforms.modality is None else transforms.modality(stored)
    return [values.min().item(), values.max().item()]


def _transformed(frame: np.ndarray, transforms: GrayscaleTransforms) -> np.ndarray:
    if frame.dtype.kind in "iu" and frame.dtype.itemsize <= 2:
        return apply_table(_table(transforms, frame.dtype.newbyteorder("=").str), frame)
    return _apply(frame, transforms)


@lru_cache(maxsize=64)
def _table(transforms: GrayscaleTransforms, dtype: str) -> np.ndarray:
    """Returns the uint8 result for every value of an integer type.

    A table is faster than transforming the pixels, and images with equal headers share it.
    """
    return _apply(all_values(np.dtype(dtype)), transforms)


def _apply(values: np.ndarray, transforms: GrayscaleTransforms) -> np.ndarray:
    """Applies all transformations to stored values."""
    modality_values = values if transforms.modality is None else transforms.modality(values)
    channels = [transformation.to_uint8(modality_values) for transformation in transforms.voi]
    result = channels[0] if len(channels) == 1 else np.stack(channels, axis=-1)
    if transforms.inverted:
        result = 255 - result
    if transforms.padding is not None:
        result[(values >= transforms.padding[0]) & (values <= transforms.padding[1])] = 0
    return result
