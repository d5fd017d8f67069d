"""One image, or a stack of frames, in a .npy file."""

from pathlib import Path
from tokenize import TokenError

import numpy as np

from medfold.competition import ImageFacts
from medfold.images.formats.arrays import image_from_array
from medfold.images.formats.failures import ImageError


def read(path: Path, member: str, image_facts: ImageFacts) -> tuple[np.ndarray, dict[str, str]]:
    """Reads an image; of the file, only the frames that `image_facts.frame` selects.

    Args:
        path: a .npy file.
        member: not used: the file contains one image or stack.
        image_facts: the facts `images` (frame, range, windows).

    Returns:
        uint8 (height, width) or (height, width, channels), and no headers.

    Raises:
        ImageError: the file does not contain an array, or its shape is not that of an image or a stack of images.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, SyntaxError, TokenError):
        raise ImageError("not an array, cut off, or an array of Python objects") from None
    return image_from_array(array, image_facts), {}
