"""Images read once, prepared in one way or several, and handed on in batches: for what is predicted and not kept."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from medfold.competition import ImageFacts, ImageSettings
from medfold.images.reading import read_prepared
from medfold.images.worker_pool import WorkerDied, map_in_workers

DIED = "the process that decodes it dies"


class ImageBatch(NamedTuple):
    """Some images.

    Args:
        rows: int (n,), the positions of those that can be read.
        pixels: uint8 (n, size, size, channels), for each way to prepare them; empty if none of them can be read.
        bad: by position, why the others between them cannot be read.
    """

    rows: np.ndarray
    pixels: list[np.ndarray]
    bad: dict[int, str]


def read_batches(
    raw: Path, images: Sequence[str], facts: ImageFacts, options: Sequence[ImageSettings], size: int = 64
) -> Iterator[ImageBatch]:
    """Reads images by all cores, in their order: a batch, and what a net makes of it, is always the same.

    What waits to be taken is bounded by the number of cores, whatever the number of images.

    Args:
        raw: the folder that image paths start from.
        images: as `read_image` takes them.
        facts: how to read them; an image of another `shape` than expected counts as unreadable.
        options: how to prepare each.
        size: readable images in a batch, but for the last one. Defaults to 64.

    Raises:
        UserError: no process can be started, or a step of a recipe that cannot be done.
    """
    read = partial(_prepared, raw=raw, facts=facts, options=tuple(options))
    waiting: dict[int, list[np.ndarray] | str | WorkerDied] = {}
    position, rows, pixels, bad = 0, [], [], {}
    for piece in map_in_workers(read, images):
        waiting |= dict(piece)
        while position in waiting:
            found = waiting.pop(position)
            if isinstance(found, list):
                rows.append(position)
                pixels.append(found)
            else:
                bad[position] = found if isinstance(found, str) else DIED
            position += 1
            if len(rows) == size or position == len(images):
                yield ImageBatch(np.array(rows, int), [np.stack(each) for each in zip(*pixels, strict=True)], bad)
                rows, pixels, bad = [], [], {}


def _prepared(image: str, raw: Path, facts: ImageFacts, options: tuple[ImageSettings, ...]) -> list[np.ndarray] | str:
    read = read_prepared(raw, image, facts, options)
    return read if isinstance(read, str) else read.prepared
