"""Images in arrays: the axes of frames and channels, and the values as uint8."""

from typing import Any

import numpy as np

from medfold.competition import ImageFacts
from medfold.images.formats.failures import ImageError
from medfold.images.formats.frames import check_size, chosen_frames, tile_frames
from medfold.images.formats.pixel_values import frames_to_uint8, image_to_uint8

AMBIGUOUS = (
    "shape {} can be read in two ways: which axis holds the channels, or counts frames? "
    "Save it as ([frames,] height, width, channels)"
)


def image_from_array(source: Any, image_facts: ImageFacts) -> np.ndarray:
    """Reads an image from an array (height, width[, channels]) or (channels, height, width), or from a stack of them.

    The channel axis is the one of length 1, 3, 4 (the fourth channel is alpha) or `images.channels`; a long first axis
    counts frames. Integers of four or eight bytes count as uint8 if all are in 0..255.

    Args:
        source: an array, a memory map or an HDF5 data set; only the selected frames are read.
        image_facts: the facts `images` (frame, range, windows).

    Returns:
        uint8 (height, width) or (height, width, channels).

    Raises:
        ImageError: the shape is not that of an image, the values are not numbers, or the image is too large.
    """
    is_stack, channels = _axes(source.shape, image_facts)
    height, width = (size for axis, size in enumerate(source.shape) if axis != channels and (axis or not is_stack))
    frames = chosen_frames(source.shape[0], image_facts) if is_stack else range(1)
    num_channels = 1 if channels is None else source.shape[channels]
    check_size(height, width, image_facts, len(frames), num_channels * source.dtype.itemsize)
    if not is_stack:
        return image_to_uint8(_channels_last(np.asarray(source[()]), channels, image_facts), image_facts)
    axis_in_frame = None if channels is None else channels - 1
    images = [_channels_last(np.asarray(source[frame]), axis_in_frame, image_facts) for frame in frames]
    return tile_frames(list(frames_to_uint8(np.stack(images), image_facts)), image_facts)


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
