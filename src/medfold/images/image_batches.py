"""Batches of prepared images that are read once and not stored, for prediction."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from medfold.competition import ImageFacts, PreparationSettings
from medfold.images.prepared_image import read_prepared
from medfold.images.worker_pool import WorkerDied, map_in_workers

DECODER_CRASHED = "decoding it crashes the process, or takes over two minutes"


class ImageBatch(NamedTuple):
    """A batch of consecutive images.

    Args:
        rows: int (n,), positions of the readable images.
        pixels: one uint8 array (n, size, size, channels) per preparation; empty if no image is readable.
        unreadable: the reason for each unreadable image of the batch, by position.
    """

    rows: np.ndarray
    pixels: list[np.ndarray]
    unreadable: dict[int, str]


def read_batches(
    raw: Path,
    image_paths: Sequence[str],
    image_facts: ImageFacts,
    preparations: Sequence[PreparationSettings],
    batch_size: int = 64,
) -> Iterator[ImageBatch]:
    """Reads images on all cores and yields them in order, in batches.

    Equal input gives equal batches, and so equal predictions. The number of images read in advance depends on the
    number of cores, not on the number of images.

    Args:
        raw: folder that image paths are relative to.
        image_paths: paths, in the syntax of `read_image_with_headers`.
        image_facts: the facts `images`; an image of another shape than `expected_shape` counts as unreadable.
        preparations: the preparations to apply, each to every image.
        batch_size: number of readable images per batch; the last one may have fewer. Defaults to 64.

    Yields:
        Batches that together cover all images.

    Raises:
        UserError: no process can be started, or a preparation step is unknown or has wrong arguments.
    """
    read = partial(_prepared, raw=raw, image_facts=image_facts, preparations=tuple(preparations))
    waiting: dict[int, list[np.ndarray] | str | WorkerDied] = {}
    position = 0
    rows = []
    pixels = []
    unreadable = {}
    for results in map_in_workers(read, image_paths, image_facts.max_megabytes):
        waiting |= dict(results)
        while position in waiting:
            result = waiting.pop(position)
            if isinstance(result, list):
                rows.append(position)
                pixels.append(result)
            else:
                unreadable[position] = result if isinstance(result, str) else DECODER_CRASHED
            position += 1
            if len(rows) == batch_size or position == len(image_paths):
                yield ImageBatch(
                    np.array(rows, int), [np.stack(prepared) for prepared in zip(*pixels, strict=True)], unreadable
                )
                rows = []
                pixels = []
                unreadable = {}


def _prepared(
    image_path: str, raw: Path, image_facts: ImageFacts, preparations: tuple[PreparationSettings, ...]
) -> list[np.ndarray] | str:
    result = read_prepared(raw, image_path, image_facts, preparations)
    return result if isinstance(result, str) else result.prepared
