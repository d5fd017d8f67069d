"""Frames of an image: the limits of their size, the choice of some, and the montage of all."""

import numpy as np
from PIL import Image

from medfold.competition import ImageFacts
from medfold.images.formats.failures import ImageError
from medfold.text import count_of

MAX_PIXELS = 2**30  # per image; the limit of OpenCV is the same
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow refuses images of more than twice this


def check_size(height: int, width: int, image_facts: ImageFacts, num_frames: int = 1, bytes_per_pixel: int = 1) -> None:
    """Checks the size that a header declares, before memory is allocated for it.

    Args:
        height: rows of a frame.
        width: columns of a frame.
        image_facts: the facts `images` (max_megabytes).
        num_frames: number of frames that are decoded. Defaults to 1.
        bytes_per_pixel: bytes of one pixel, all channels together. Defaults to 1.

    Raises:
        ImageError: the image has no pixels, a frame has more than 2**30, or all frames take more memory than
            `images.max_megabytes`.
    """
    if min(height, width) < 1:
        raise ImageError(f"it contains no pixels, its size is {height}x{width}")
    if height * width > MAX_PIXELS:
        raise ImageError(f"declares {height}x{width} pixels, more than 2**30")
    megabytes = num_frames * height * width * bytes_per_pixel / 1e6
    if megabytes > image_facts.max_megabytes:
        frames = f"{count_of(num_frames, 'frame')} of " if num_frames > 1 else ""
        allowed = f"'images.max_megabytes' allows {image_facts.max_megabytes:,}"
        raise ImageError(f"declares {frames}{height}x{width} pixels, {megabytes:,.0f} MB decoded; {allowed}")


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


def tile_frames(frames: list[np.ndarray], image_facts: ImageFacts) -> np.ndarray:
    """Arranges frames of equal shape in a near-square grid, row by row, empty tiles black; one frame is unchanged.

    Args:
        frames: arrays (height, width[, channels]) of equal shape.
        image_facts: the facts `images` (max_megabytes).

    Raises:
        ImageError: the grid is larger than `check_size` allows.
    """
    if len(frames) == 1:
        return frames[0]
    columns = int(np.ceil(np.sqrt(len(frames))))
    rows = -(-len(frames) // columns)
    height, width, *channels = frames[0].shape
    check_size(rows * height, columns * width, image_facts)
    grid = np.zeros((rows * height, columns * width, *channels), frames[0].dtype)
    for number, frame in enumerate(frames):
        top, left = number // columns * height, number % columns * width
        grid[top : top + height, left : left + width] = frame
    return grid
