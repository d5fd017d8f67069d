"""Values of any depth, in stacks or not -> uint8 pixels with the channels that a competition wants."""

from typing import Any

import cv2
import numpy as np
from PIL import Image

from medfold.competition import ImageFacts
from medfold.errors import UserError, did_you_mean

LARGEST = 2**30  # pixels of a picture; what OpenCV takes, too
LARGEST_STACK = 8 * 10**9  # bytes of all frames
Image.MAX_IMAGE_PIXELS = LARGEST // 2  # Pillow refuses twice of it
# Centre and width in Hounsfield units.
WINDOWS = {
    "brain": (40, 80),
    "subdural": (80, 200),
    "stroke": (40, 40),
    "bone": (600, 2800),
    "lung": (-600, 1500),
    "mediastinal": (40, 400),
    "soft_tissue": (50, 400),
}


class ImageError(ValueError):
    """An image cannot be read. The text is shown as it is, so it must not quote what the file says of a patient."""


def window_of(window: str | tuple[float, float]) -> tuple[float, float]:
    """Centre and width of a CT window in Hounsfield units, given by name or as such a pair.

    Raises:
        UserError: an unknown name (nearest named), or a width that is not above 0.
    """
    if isinstance(window, str):
        if window not in WINDOWS:
            fix = f"Known: {', '.join(WINDOWS)}; or give [centre, width]"
            raise UserError(f"unknown window '{window}'{did_you_mean(window, WINDOWS)}", "images.windows", fix)
        return WINDOWS[window]
    centre, width = window
    if not width > 0:
        raise UserError(f"a window of width {width}", "images.windows", "Give [centre, width] with a width above 0")
    return centre, width


def window_spans(facts: ImageFacts) -> list[tuple[float, float]]:
    """The values that become 0 and 255 in each channel, by `images.windows`; none where there are no windows."""
    return [(centre - width / 2, centre + width / 2) for centre, width in map(window_of, facts.windows)]


def check_size(height: int, width: int, frames: int = 1, bytes_per_pixel: int = 1) -> None:
    """Refuses what a header declares before memory is taken for it.

    Raises:
        ImageError: no pixels, more than 2**30 of them, or frames of more than 8 GB.
    """
    if min(height, width) < 1:
        raise ImageError(f"no pixels in it, its size is {height}x{width}")
    if height * width > LARGEST:
        raise ImageError(f"declares {height}x{width} pixels, more than 2**30")
    if frames * height * width * bytes_per_pixel > LARGEST_STACK:
        raise ImageError(f"declares {frames} frames of {height}x{width}, more than 8 GB")


def chosen_frames(count: int, facts: ImageFacts) -> range:
    """The numbers of the frames that `images.frame` takes from so many.

    Raises:
        ImageError: there are none, or none of that number.
    """
    if count < 1:
        raise ImageError("no frames in it")
    if facts.frame == "montage":
        return range(count)  # no list: what a header declares may be absurd
    number = {"first": 0, "middle": count // 2, "last": count - 1}.get(facts.frame, facts.frame)
    if not 0 <= number < count:
        raise ImageError(f"no frame {number}, it has {count} (0 to {count - 1})")
    return range(number, number + 1)


def tile_frames(frames: list[np.ndarray]) -> np.ndarray:
    """Frames of one shape as tiles of a near-square grid, row by row, the rest black; one frame stays as it is."""
    if len(frames) == 1:
        return frames[0]
    columns = int(np.ceil(np.sqrt(len(frames))))
    rows = -(-len(frames) // columns)
    height, width, *channels = frames[0].shape
    check_size(rows * height, columns * width)
    grid = np.zeros((rows * height, columns * width, *channels), frames[0].dtype)
    for number, frame in enumerate(frames):
        top, left = number // columns * height, number % columns * width
        grid[top : top + height, left : left + width] = frame
    return grid


def image_from_array(source: Any, facts: ImageFacts) -> np.ndarray:
    """The picture in an array (height, width[, channels]), (channels, height, width), or in a stack of such.

    The channels are the one short axis, of 1, 3, 4 (the fourth is alpha) or as many as `images.channels`; a long first
    axis counts frames. Integers of four or eight bytes that are all in 0..255 are bytes that were saved so.

    Args:
        source: an array, or what is sliced like one: memory maps and HDF5 data sets are read as far as needed.
        facts: decide on frame, depth and windows.

    Returns:
        uint8 (height, width) or (height, width, channels).

    Raises:
        ImageError: another shape, a type that is no number, or too large.
    """
    stacked, channels = _axes(source.shape, facts)
    height, width = (size for axis, size in enumerate(source.shape) if axis != channels and (axis or not stacked))
    frames = chosen_frames(source.shape[0], facts) if stacked else range(1)
    check_size(height, width, len(frames), source.dtype.itemsize)
    if not stacked:
        return image_to_uint8(_channels_last(np.asarray(source[()]), channels, facts), facts)
    place = None if channels is None else channels - 1
    read = [_channels_last(np.asarray(source[frame]), place, facts) for frame in frames]
    return tile_frames(list(frames_to_uint8(np.stack(read), facts)))


def count_frames(shape: tuple[int, ...], facts: ImageFacts) -> int:
    """How many frames an array of a shape has; 1 where its axes cannot be told."""
    try:
        return shape[0] if _axes(shape, facts)[0] else 1
    except ImageError:
        return 1


def _axes(shape: tuple[int, ...], facts: ImageFacts) -> tuple[bool, int | None]:
    """What the axes of an array are: whether the first counts frames, and which holds the channels; None without any.

    Raises:
        ImageError: another shape, or one that can be read in two ways.
    """
    if len(shape) == 2:
        return False, None
    if len(shape) not in (3, 4):
        raise ImageError(f"shape {shape}, expected ([frames,] height, width[, channels])")
    first, last = len(shape) - 3, len(shape) - 1
    fits = [axis for axis in (first, last) if shape[axis] in (1, 3, 4, facts.num_channels)]
    if len(fits) == 2:
        fits = [axis for axis in fits if shape[axis] == facts.num_channels]
        if len(fits) != 1:
            raise ImageError(TWO_WAYS.format(shape))
    if fits == [last]:
        return len(shape) == 4, last
    if len(shape) == 4:
        if not fits:
            raise ImageError(f"shape {shape}, expected ([frames,] height, width[, channels])")
        return True, first
    if not fits or shape[first] == 1 or facts.frame != "first":  # frames, or one of them is asked for
        return True, None
    if shape[first] != facts.num_channels:
        raise ImageError(TWO_WAYS.format(shape))
    return False, first


TWO_WAYS = (
    "shape {} can be read in two ways: which axis holds the channels, or counts frames? "
    "Save it as ([frames,] height, width, channels)"
)


def _channels_last(values: np.ndarray, channels: int | None, facts: ImageFacts) -> np.ndarray:
    """One image with its channels last, alpha dropped, bytes as bytes."""
    if channels is not None:
        values = np.moveaxis(values, channels, -1)
        if values.shape[-1] == 4 != facts.num_channels:
            values = values[..., :3]
        if values.shape[-1] == 1 != facts.num_channels:
            values = values[..., 0]
    return values if facts.range or facts.windows else narrow_to_uint8(values)


def narrow_to_uint8(values: np.ndarray) -> np.ndarray:
    """Integers of four or eight bytes, which arrays get unasked, as uint8 if all are in 0..255; others as they are."""
    wide = values.dtype.kind in "iu" and values.dtype.itemsize > 2
    if not wide or not values.size or values.min() < 0 or values.max() > 255:
        return values
    return values.astype(np.uint8)


def image_to_uint8(values: np.ndarray, facts: ImageFacts) -> np.ndarray:
    """`to_bytes` of one image that is no stack, (height, width[, channels]): it has the frame 0 alone."""
    chosen_frames(1, facts)
    return frames_to_uint8(values[None], facts)[0]


def frames_to_uint8(values: np.ndarray, facts: ImageFacts) -> np.ndarray:
    """Stacked frames (n, height, width[, channels]) of any depth -> uint8.

    Eight bits stay as they are. Deeper ones are clipped to `images.range` and scaled to 0 to 255; without it, to the
    least and greatest value of the whole stack. With `images.windows` grey frames get a last axis, a channel for each.

    Raises:
        ImageError: NaN or infinite values, no numbers, or windows for what has no Hounsfield units.
    """
    if values.dtype.kind not in "buif":
        raise ImageError(f"{values.dtype.name} values, expected numbers")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageError("NaN or infinite values")
    windows = window_spans(facts)
    if windows:
        if values.ndim == 4 or values.dtype == np.uint8:
            raise ImageError("colours or bytes, but 'images.windows' are for Hounsfield units")
        return np.stack([scale_to_uint8(values, *span) for span in windows], axis=-1)
    if values.dtype == bool:
        return values * np.uint8(255)
    if values.dtype == np.uint8:
        return values
    return scale_to_uint8(values, *(facts.range or (values.min().item(), values.max().item())))


def scale_to_uint8(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """uint8: `low` and below become 0, `high` and above 255, what lies between is rounded; all 0 if they are equal."""
    span = high - low
    if not np.isfinite(span):
        raise ImageError("values too large to be scaled")
    if span == 0:
        return np.zeros(values.shape, np.uint8)
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
        return apply_table(scale_to_uint8(all_values(values.dtype).astype(np.float64), low, high), values)
    return np.rint(np.clip((values.astype(np.float64) - low) / span, 0, 1) * 255).astype(np.uint8)


def all_values(dtype: np.dtype) -> np.ndarray:
    """Every value that an integer type of one or two bytes can hold, in the order of their bits."""
    bits = 8 * dtype.itemsize
    return np.arange(2**bits, dtype=f"u{dtype.itemsize}").view(dtype.newbyteorder("="))


def apply_table(table: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The rows of a table, made for `every` value, that belong to these values."""
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    return np.take(table, native.view(f"u{values.dtype.itemsize}"), axis=0)


def convert_channels(pixels: np.ndarray, depth: int) -> np.ndarray:
    """uint8 (height, width[, n]) -> (height, width, depth): grey is repeated to 3, colour turned to grey (Rec. 601).

    Raises:
        ImageError: another number of channels.
    """
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    found = pixels.shape[2]
    if found == depth:
        return pixels
    if (found, depth) == (1, 3):
        return np.repeat(pixels, 3, axis=2)
    if (found, depth) == (3, 1):
        return cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)[..., None]
    raise ImageError(f"{found} channel{'s' * (found != 1)}, expected {depth}")
