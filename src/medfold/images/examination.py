"""First look at files of unknown kind, in worker processes: size, colour and pages of images, members of HDF5 files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from medfold.competition import ImageFacts
from medfold.errors import REPLACE, UserError
from medfold.images.formats import file_contents
from medfold.images.formats.decoding import read_image
from medfold.images.image_batches import DECODER_CRASHED
from medfold.images.image_paths import path_of_image
from medfold.images.worker_pool import WorkerDied, map_in_workers


class ExaminedImage(NamedTuple):
    """What was found out about an image.

    Args:
        unreadable_reason: '' if the image can be read.
        largest_side: height or width in pixels; 0 if it is unreadable.
        is_grey: True if all its channels are equal.
        num_pages: number of pages or frames of its file.
    """

    unreadable_reason: str
    largest_side: int = 0
    is_grey: bool = False
    num_pages: int = 1


def examine_images(raw: Path, images: Sequence[str]) -> list[ExaminedImage]:
    """Reads images in worker processes, where limits of memory and time hold.

    Args:
        raw: folder that image paths are relative to.
        images: paths, in the syntax of `read_image_with_headers`.
    """
    results = dict(pair for pairs in map_in_workers(partial(_examine, raw=raw), images) for pair in pairs)
    return [
        ExaminedImage(DECODER_CRASHED) if isinstance(results[row], WorkerDied) else results[row]
        for row in range(len(images))
    ]


def list_members(path: Path) -> list[str]:
    """Returns the members of a file that contains many images: the top-level data sets of an HDF5 file.

    Raises:
        UserError: the file cannot be read.
    """
    (((_, members),),) = map_in_workers(file_contents.list_members, [path])
    if isinstance(members, WorkerDied):
        raise UserError("reading it crashes the process", path, REPLACE)
    return members


def _examine(image: str, raw: Path) -> ExaminedImage:
    facts = ImageFacts(train="unused", test="", channels=3)
    num_pages = file_contents.count_pages(path_of_image(raw, image), facts)
    try:
        pixels = read_image(raw, image, facts)
    except UserError as error:
        return ExaminedImage(error.what, num_pages=num_pages)
    return ExaminedImage("", max(pixels.shape[:2]), bool((pixels == pixels[..., :1]).all()), num_pages)
