"""Stored values of a DICOM image -> uint8: modality, then window or table, then inversion (PS3.3 C.11, PS3.4 N.2)."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from medfold.images.formats.pixel_values import ImageError, all_values, apply_table, scale_to_uint8


class Line(NamedTuple):
    """Rescale slope and intercept."""

    slope: float
    intercept: float

    def __call__(self, values: np.ndarray) -> np.ndarray:
        return values.astype(np.float64) * self.slope + self.intercept


class Lut(NamedTuple):
    """A modality or VOI lookup table.

    Args:
        first: the value that its first entry is for; lower ones get that entry, too.
        bits: of its entries.
        entries: unsigned, two bytes each, little endian.
    """

    first: int
    bits: int
    entries: bytes

    def __call__(self, values: np.ndarray) -> np.ndarray:
        entries = np.frombuffer(self.entries, "<u2")
        return entries[np.clip(values.astype(np.float64) - self.first, 0, len(entries) - 1).astype(np.intp)]

    def to_bytes(self, values: np.ndarray) -> np.ndarray:
        """uint8; the greatest entry that its bits allow is 255."""
        return scale_to_uint8(self(values), 0, 2**self.bits - 1)


class Window(NamedTuple):
    """A window of the VOI module (PS3.3 C.11.2.1.2 and C.11.2.1.3).

    Args:
        centre, width: in modality units.
        function: LINEAR, LINEAR_EXACT or SIGMOID.
        low, high: the range of its output.
    """

    centre: float
    width: float
    function: str
    low: float
    high: float

    def to_bytes(self, values: np.ndarray) -> np.ndarray:
        """uint8; its whole output range is 0 to 255. Computed as pydicom does, so that halves are rounded alike."""
        values, span = values.astype(np.float64), self.high - self.low
        if self.function == "SIGMOID":
            with np.errstate(over="ignore"):
                toned = span / (1 + np.exp(-4 * (values - self.centre) / self.width)) + self.low
            return scale_to_uint8(toned, self.low, self.high)
        exact = self.function == "LINEAR_EXACT"
        centre, width = (self.centre, self.width) if exact else (self.centre - 0.5, self.width - 1)
        if width == 0:
            return scale_to_uint8(np.where(values > centre, self.high, self.low), self.low, self.high)
        toned = ((values - centre) / width + 0.5) * span + self.low  # beyond the window it is cut by what follows
        return scale_to_uint8(toned, self.low, self.high)


class Span(NamedTuple):
    """Modality values that become 0 and 255."""

    low: float
    high: float

    def to_bytes(self, values: np.ndarray) -> np.ndarray:
        """uint8; what lies outside is clipped."""
        return scale_to_uint8(values, self.low, self.high)


class Chain(NamedTuple):
    """All that decides what becomes of a stored value.

    Args:
        modality: stored -> modality values, or None where they are the same.
        tones: modality values -> uint8, one for each channel; none: between the least and greatest value that occurs.
        inverted: True for MONOCHROME1, where the least value is white.
        padding: stored values, from and to, that stand for no image: they become 0, and are not counted as least or
            greatest.
    """

    modality: Line | Lut | None
    tones: tuple[Lut | Window | Span, ...] = ()
    inverted: bool = False
    padding: tuple[int, int] | None = None


def apply_grayscale_chains(frames: list[np.ndarray], chains: list[Chain]) -> list[np.ndarray]:
    """Frames of one image through their chains.

    Args:
        frames: (height, width) each, of integers or floats.
        chains: one for each frame.

    Returns:
        uint8 (height, width), or (height, width, channels) if the chains have several tones.

    Raises:
        ImageError: NaN or infinite values.
    """
    if any(frame.dtype.kind == "f" and not np.isfinite(frame).all() for frame in frames):
        raise ImageError("NaN or infinite values")
    if not chains[0].tones:
        found = [end for frame, chain in zip(frames, chains, strict=True) for end in value_range(frame, chain)]
        tones = (Span(min(found, default=0), max(found, default=0)),)
        inverted = chains[0].inverted and tones[0].low < tones[0].high  # a constant image is black
        chains = [chain._replace(tones=tones, inverted=inverted) for chain in chains]
    return [_toned(frame, chain) for frame, chain in zip(frames, chains, strict=True)]


def value_range(frame: np.ndarray, chain: Chain) -> list[float]:
    """The least and greatest modality value that occurs; nothing where all is padding."""
    kept = frame
    if chain.padding is not None:
        kept = frame[(frame < chain.padding[0]) | (frame > chain.padding[1])]
        if not kept.size:
            return []
    if isinstance(chain.modality, Lut):
        kept = np.unique(kept)
    kept = np.array([kept.min(), kept.max()]) if chain.modality is None or isinstance(chain.modality, Line) else kept
    values = kept if chain.modality is None else chain.modality(kept)
    return [values.min().item(), values.max().item()]


def _toned(frame: np.ndarray, chain: Chain) -> np.ndarray:
    if frame.dtype.kind in "iu" and frame.dtype.itemsize <= 2:
        return apply_table(_table(chain, frame.dtype.newbyteorder("=").str), frame)
    return _slowly(frame, chain)


@lru_cache(maxsize=64)
def _table(chain: Chain, dtype: str) -> np.ndarray:
    """The bytes of every value that a type can hold: a fraction of the work for a megapixel, and shared by images."""
    return _slowly(all_values(np.dtype(dtype)), chain)


def _slowly(values: np.ndarray, chain: Chain) -> np.ndarray:
    units = values if chain.modality is None else chain.modality(values)
    channels = [tone.to_bytes(units) for tone in chain.tones]
    toned = channels[0] if len(channels) == 1 else np.stack(channels, axis=-1)
    if chain.inverted:
        toned = 255 - toned
    if chain.padding is not None:
        toned[(values >= chain.padding[0]) & (values <= chain.padding[1])] = 0
    return toned
