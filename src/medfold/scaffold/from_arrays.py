"""Drafts the facts of a competition whose images and labels are arrays of one file."""

from pathlib import Path

import numpy as np
import pandas as pd

from medfold.errors import UserError
from medfold.raw_files import class_numbers, open_arrays
from medfold.scaffold.draft import Draft
from medfold.scaffold.raw_folder import RawFolder
from medfold.scaffold.task import guess_task
from medfold.text import shorten_list

LABEL_KINDS = "biufUS"  # kinds of NumPy's types that may be labels: numbers and texts


def draft_from_arrays(folder: RawFolder) -> Draft:
    """Drafts the facts from the arrays of the first .npz file, in the layout of MedMNIST.

    Raises:
        UserError: no array `test_images`, no other split with images and labels, or arrays of a different form.
    """
    path, *others = folder.arrays
    with open_arrays(folder.path / path) as content:
        names = [name.removesuffix("_images") for name in content.files if name.endswith("_images")]
        splits = [name for name in names if f"{name}_labels" in content]
        if "test" not in splits or len(splits) < 2:
            what = "no table with ids, no folders, and no arrays train_images, train_labels ..."
            fix = f"Arrays: {shorten_list(content.files, 8)}. Add a table of the labels, or rename the arrays"
            raise UserError(what, folder.path, fix)
        shape = content[f"{splits[0]}_images"].shape
        by_split = {split: content[f"{split}_labels"] for split in splits}
    _check_forms(folder.path / path, f"{splits[0]}_images", shape, by_split)
    train_splits = [split for split in splits if split != "test"]
    labels = np.concatenate([values.reshape(len(values), -1) for values in by_split.values()])
    numbers = class_numbers(labels)
    labels = labels if numbers is None else numbers[:, None]
    targets = ["label"] if labels.shape[1] == 1 else [f"label{number}" for number in range(labels.shape[1])]
    channels = _channels(shape)
    draft = Draft(
        facts={
            "labels": {"file": path, "layout": "arrays", "targets": targets, "train_arrays": train_splits},
            "images": {"channels": channels},
        },
        num_images=sum(len(by_split[split]) for split in train_splits),
        largest_side=max(shape[1:3]),
    )
    draft.add_reason("labels.layout", "arrays", f"{path} contains images and labels of {shorten_list(splits)}")
    guess_task(draft, pd.DataFrame(labels.astype(str), columns=targets), targets)
    draft.add_reason("images.channels", channels, f"the arrays are {shape}")
    draft.add_doubt("labels.group", "patients unknown; are there several images per patient?")
    if others:
        draft.add_doubt("labels.file", f"{shorten_list(others)}: not used")
    return draft


def _channels(shape: tuple[int, ...]) -> int:
    """Returns the number of channels of an array of images, channels first or last; alpha does not count."""
    if len(shape) != 4:
        return 1
    last, first = shape[3], shape[1]
    channels = first if first in (1, 3, 4) and last not in (1, 3, 4) else last
    return 3 if channels == 4 else channels


def _check_forms(file: Path, images: str, shape: tuple[int, ...], by_split: dict[str, np.ndarray]) -> None:
    """Checks that images are a stack of pictures, and labels a row of numbers or texts for each.

    Args:
        file: path of the arrays, for the error message.
        images: name of the array of images.
        shape: its shape.
        by_split: the labels of each split.

    Raises:
        UserError: an array has a different form.
    """
    if len(shape) < 3:
        expected = "expected (n, height, width[, channels])"
        raise UserError(f"'{images}' is of shape {shape}, {expected}", file, "Save the images as one array")
    widths = {
        split: values.size // len(values) if values.ndim and len(values) else 0 for split, values in by_split.items()
    }
    for split, values in by_split.items():
        if not widths[split] or widths[split] != max(widths.values()) or values.dtype.kind not in LABEL_KINDS:
            what = f"'{split}_labels': labels of shape {values.shape} ({values.dtype}), expected a row for each image"
            raise UserError(what, file, "Save them as numbers or texts, with the same columns in each split")
