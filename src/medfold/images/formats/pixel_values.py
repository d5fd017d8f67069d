"""Conversion of values of any depth, single images or stacks, to uint8 with the channels of a competition."""

from typing import Any

import cv2
import numpy as np
from PIL import Image

from medfold.competition import ImageFacts
from medfold.errors import SettingError, count_of, did_you_mean

MAX_PIXELS = 2**30  # per image; the limit of OpenCV is the same
MAX_STACK_BYTES = 8 * 10**9  # of all frames together
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow refuses images of more than twice this
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
    """An image cannot be read. The message is shown to the user, so it must not contain data of a patient."""


def window_of(window: str | tuple[float, float]) -> tuple[float, float]:
    """Returns centre and width of a CT window in Hounsfield units.

    Args:
        window: a name in `WINDOWS`, or (centre, width).

    Raises:
        SettingError: the name is unknown (the nearest one is suggested), or the width is not above 0.
    """
    if isinstance(window, str):
        if window not in WINDOWS:
            fix = f"Known: {', '.join(WINDOWS)}; or give [centre, width]"
            raise SettingError(f"unknown window '{window}'{did_you_mean(window, WINDOWS)}", "images.windows", fix)
        return WINDOWS[window]
    centre, width = window
    if not width > 0:
        what = f"the window [{centre:g}, {width:g}] has no width above 0"
        raise SettingError(what, "images.windows", "Give [centre, width], for example [40, 400]")
    return centre, width


def window_spans(image_facts: ImageFacts) -> list[tuple[float, float]]:
    """Returns the values that become 0 and 255, one pair per window of `images.windows`; [] without windows."""
    return [(centre - width / 2, centre + width / 2) for centre, width in map(window_of, image_facts.windows)]


def check_size(height: int, width: int, num_frames: int = 1, bytes_per_pixel: int = 1) -> None:
    """Checks the size that a header declares, before memory is allocated for it.

    Args:
        height: rows of a frame.
        width: columns of a frame.
        num_frames: number of frames. Defaults to 1.
        bytes_per_pixel: bytes of one pixel, all channels together. Defaults to 1.

    Raises:
        ImageError: the image has no pixels, a frame has more than 2**30, or all frames have more than 8 GB.
    """
    if min(height, width) < 1:
        raise ImageError(f"it contains no pixels, its size is {height}x{width}")
    if height * width > MAX_PIXELS:
        raise ImageError(f"declares {height}x{width} pixels, more than 2**30")
    if num_frames * height * width * bytes_per_pixel > MAX_STACK_BYTES:
        raise ImageError(f"declares {count_of(num_frames, 'frame')} of {height}x{width}, more than 8 GB")


def chosen_frames(num_frames: int, image_facts: ImageFacts) -> range:
    """Returns the numbers of the frames that `images.frame` selects.

    Args:
        num_frames: number of frames in the file.
        image_facts: `frame` is first, middle, last, montage (all frames) or a number from 0.

    Raises:
        ImageError: there are no frames, or none with that number.
    """
    if num_frames < 1:
        raise ImageError("it contains no frames")
    if image_facts.frame == "montage":
        return range(num_frames)  # not a list: a header may declare an absurd number
    number = {"first": 0, "middle": num_frames // 2, "last": num_frames - 1}.get(image_facts.frame, image_facts.frame)
    if not 0 <= number < num_frames:
        raise ImageError(f"no frame {number}, only {num_frames} (0 to {num_frames - 1})")
    return range(number, number + 1)


def tile_frames(frames: list[np.ndarray]) -> np.ndarray:
    """Arranges frames of equal shape in a near-square grid, row by row, empty tiles black; one frame is unchanged."""
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


def image_from_array(source: Any, image_facts: ImageFacts) -> np.ndarray:
    """Reads an image from an array (height, width[, channels]) or (channels, height, width), or from a stack of them.

    The channel axis is the one of length 1, 3, 4 (the fourth channel is alpha) or `images.channels`; a long first axis
    counts frames. Integers of four or eight bytes count as uint8 if all are in 0..255.

    Args:
        source: an array, a memory map or an HDF5 data set; only the selected frames are read.
        image_facts: frame, depth and windows are applied.

    Returns:
        uint8 (height, width) or (height, width, channels).

    Raises:
        ImageError: the shape is not that of an image, the values are not numbers, or the image is too large.
    """
    is_stack, channels = _axes(source.shape, image_facts)
    height, width = (size for axis, size in enumerate(source.shape) if axis != channels and (axis or not is_stack))
    frames = chosen_frames(source.shape[0], image_facts) if is_stack else range(1)
    check_size(height, width, len(frames), source.dtype.itemsize)
    if not is_stack:
        return image_to_uint8(_channels_last(np.asarray(source[()]), channels, image_facts), image_facts)
    axis_in_frame = None if channels is None else channels - 1
    images = [_channels_last(np.asarray(source[frame]), axis_in_frame, image_facts) for frame in frames]
    return tile_frames(list(frames_to_uint8(np.stack(images), image_facts)))


def count_frames(shape: tuple[int, ...], image_facts: ImageFacts) -> int:
    """Returns the number of frames in an array of a given shape; 1 if its axes cannot be identified."""
    try:
        return shape[0] if _axes(shape, image_facts)[0] else 1
    except ImageError:
        return 1


def _axes(shape: tuple[int, ...], image_facts: ImageFacts) -> tuple[bool, int | None]:
    """Identifies the axes of an array: whether the first one counts frames, and which one is for channels, or None.

    Raises:
        ImageError: the shape is not that of an image, or is ambiguous.
    """
    if len(shape) == 2:
        return False, None
    if len(shape) not in (3, 4):
        raise ImageError(f"shape {shape}, expected ([frames,] height, width[, channels])")
    first, last = len(shape) - 3, len(shape) - 1
    candidates = [axis for axis in (first, last) if shape[axis] in (1, 3, 4, image_facts.num_channels)]
    if len(candidates) == 2:
        candidates = [axis for axis in candidates if shape[axis] == image_facts.num_channels]
        if len(candidates) != 1:
            raise ImageError(AMBIGUOUS.format(shape))
    if candidates == [last]:
        return len(shape) == 4, last
    if len(shape) == 4:
        if not candidates:
            raise ImageError(f"shape {shape}, expected ([frames,] height, width[, channels])")
        return True, first
    if (
        not candidates or shape[first] == 1 or image_facts.frame != "first"
    ):  # the first axis counts frames, or a frame is selected
        return True, None
    if shape[first] != image_facts.num_channels:
        raise ImageError(AMBIGUOUS.format(shape))
    return False, first


AMBIGUOUS = (
    "shape {} can be read in two ways: which axis holds the channels, or counts frames? "
    "Save it as ([frames,] height, width, channels)"
)


def _channels_last(values: np.ndarray, channels: int | None, image_facts: ImageFacts) -> np.ndarray:
    """Moves the channels of an image to the last axis, drops alpha, and narrows wide integers to uint8."""
    if channels is not None:
        values = np.moveaxis(values, channels, -1)
        if values.shape[-1] == 4 != image_facts.num_channels:
            values = values[..., :3]
        if values.shape[-1] == 1 != image_facts.num_channels:
            values = values[..., 0]
    return values if image_facts.range or image_facts.windows else narrow_to_uint8(values)


def narrow_to_uint8(values: np.ndarray) -> np.ndarray:
    """Converts integers of four or eight bytes, NumPy's default, to uint8 if all are in 0..255."""
    is_wide = values.dtype.kind in "iu" and values.dtype.itemsize > 2
    if not is_wide or not values.size or values.min() < 0 or values.max() > 255:
        return values
    return values.astype(np.uint8)


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
        image_facts: range and windows are applied.

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
        ImageError: the image has another number of channels and cannot be converted.
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
