"""Example images to show: some of each class, and pairs of near-duplicates, also as a contact sheet."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from medfold.competition import Competition
from medfold.data import Dataset
from medfold.errors import UserError
from medfold.folds import read_near_duplicates
from medfold.images import read_image, write_contact_sheet
from medfold.system import files

MAX_CLASSES = 8  # that are shown
MAX_PAIRS_ON_SHEET = 24


class Example(NamedTuple):
    """An image to show, with its caption.

    Args:
        pixels: uint8 (height, width, channels), the raw image.
        id: id of the sample.
        caption_lines: lines of text with fold or part and positive labels; may be empty.
    """

    pixels: np.ndarray
    id: str
    caption_lines: list[str]


def examples_of_classes(
    competition: Competition, dataset: Dataset, members: np.ndarray, images_per_class: int = 6
) -> Iterator[tuple[int, list[Example]]]:
    """Yields training images of the first classes or labels, drawn at random with a fixed seed.

    Args:
        competition: the competition, whose raw images are read.
        dataset: the dataset, whose training samples are shown.
        members: int (samples, columns), 1 where a training sample is of the class.
        images_per_class: number of images per class. Defaults to 6.

    Yields:
        The column and its images; classes without a readable image are left out.
    """
    rng = np.random.default_rng(0)
    for column in range(min(MAX_CLASSES, members.shape[1])):
        rows = rng.permutation(np.flatnonzero(members[:, column]))[:images_per_class]
        examples = [_example(competition, dataset.train.iloc[row], []) for row in np.sort(rows)]
        if readable := [example for example in examples if example]:
            yield column, readable


def write_near_duplicates_sheet(competition: Competition, dataset: Dataset) -> int | None:
    """Writes the most similar near-duplicates side by side in one picture; without any, removes an earlier picture.

    Returns:
        The number of captions with letters that no font of this machine has; None if there are no near-duplicates.
    """
    pairs = read_near_duplicates(competition.paths)
    rows = [
        [(image.pixels, [image.id, ", ".join(image.caption_lines)]) for image in pair]
        for pair in near_duplicate_examples(competition, dataset, pairs, MAX_PAIRS_ON_SHEET)
    ]
    if not rows:
        files.remove(competition.paths.contact_sheet)
        return None
    return write_contact_sheet(rows, competition.paths.contact_sheet)


def near_duplicate_examples(
    competition: Competition, dataset: Dataset, pairs: list[tuple[str, str]], max_pairs: int
) -> list[list[Example]]:
    """Reads pairs of images that look alike, with their folds and positive labels.

    Args:
        competition: the competition, whose raw images are read.
        dataset: the dataset, with folds and labels for the captions.
        pairs: pairs of ids, in the order in which they are shown; pairs with equal pixels or unknown ids are left out.
        max_pairs: number of pairs that are shown.
    """
    table = pd.concat([dataset.train, dataset.test]).set_index("id", drop=False)
    known = [pair for pair in pairs if all(sample_id in table.index for sample_id in pair)]
    unequal = [pair for pair in known if table.at[pair[0], "pixel_hash"] != table.at[pair[1], "pixel_hash"]]
    examples = [
        [
            _example(competition, table.loc[sample_id], _caption_lines(competition, table.loc[sample_id]))
            for sample_id in pair
        ]
        for pair in unequal[:max_pairs]
    ]
    return [[example for example in pair if example] for pair in examples if any(pair)]


def _caption_lines(competition: Competition, sample: pd.Series) -> list[str]:
    """Returns the fold, or 'test' for a test image, and the first two positive labels."""
    targets = competition.facts.labels.targets
    labels = [f"{name} {sample[name]}" for name in targets if isinstance(sample[name], str) and sample[name] != "0"]
    return ["test" if sample["part"] == "test" else f"fold {sample['fold']:.0f}", *labels[:2]]


def _example(competition: Competition, sample: pd.Series, caption_lines: list[str]) -> Example | None:
    """Reads an image, with its caption; None if it can no longer be read, which must not stop a report."""
    images = competition.facts.images
    try:
        pixels = read_image(competition.paths.raw_root(images.root), sample["image"], images)
    except UserError:
        return None
    return Example(pixels, sample["id"], caption_lines)
