"""First look at files of unknown kind, in worker processes: size, colour, frames of images, members of HDF5 files."""

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
        num_frames: number of frames of its file, or of pages of a TIFF.
    """

    unreadable_reason: str
    largest_side: int = 0
    is_grey: bool = False
    num_frames: int = 1


def examine_images(raw: Path, image_paths: Sequence[str]) -> list[ExaminedImage]:
    """Reads images in worker processes, where limits of memory and time hold.

    Args:
        raw: folder that image paths are relative to.
        image_paths: paths, in the syntax of `read_image_with_headers`.
    """
    results = dict(pair for pairs in map_in_workers(partial(_examine, raw=raw), image_paths) for pair in pairs)
    return [
        ExaminedImage(DECODER_CRASHED) if isinstance(results[row], WorkerDied) else results[row]
        for row in range(len(image_paths))
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


def _examine(image_path: str, raw: Path) -> ExaminedImage:
    facts = ImageFacts(train="unused", test="", channels=3)
    num_frames = file_contents.count_frames_in_file(path_of_image(raw, image_path), facts)
    try:
        pixels = read_image(raw, image_path, facts)
    except UserError as error:
        return ExaminedImage(error.what, num_frames=num_frames)
    return ExaminedImage("", max(pixels.shape[:2]), bool((pixels == pixels[..., :1]).all()), num_frames)
