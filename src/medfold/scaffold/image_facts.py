"""Facts about the images that a table of labels names."""

import math
from typing import Any

import pandas as pd

from medfold.errors import UserError
from medfold.raw_files import PathPattern
from medfold.scaffold.draft import Draft
from medfold.scaffold.id_column import Ids
from medfold.scaffold.image_contents import guess_channels
from medfold.scaffold.image_files import ImageFiles
from medfold.scaffold.raw_folder import SampleSubmission
from medfold.scaffold.row_patterns import MAX_ROWS, find_patterns
from medfold.text import count_of, shorten_list


def guess_images(
    draft: Draft,
    image_files: ImageFiles,
    train: pd.DataFrame,
    ids: Ids,
    test: pd.DataFrame | None,
    sample: SampleSubmission | None,
) -> list[str]:
    """Guesses the facts of the images.

    Args:
        draft: filled in; has the labels.
        image_files: the image files of the competition.
        train: rows of the training set.
        ids: id column of the label table.
        test: rows of the test set; None if they are unknown.
        sample: the sample submission; None if there is none.

    Returns:
        The training images that were looked up, as `read_image` takes them.

    Raises:
        UserError: the images of the training set have no pattern in common.
    """
    patterns, train_images = find_patterns(image_files, train, ids, "train")
    if not patterns:
        fix = "Name or sort the files alike, such as train/<id>.png"
        raise UserError("the images of the training set have no pattern in common", image_files.raw, fix)
    num_labels = len(ids.endings) if ids.is_long else 1  # rows per image
    draft.num_images = train[ids.column].nunique() // num_labels
    images: dict[str, Any] = {"train": _single_or_list(patterns)}
    draft.facts["images"] = images
    why = f"images found for {len(train_images):,} of {_num_rows(train)}"
    draft.add_reason("images.train", shorten_list(patterns, 4), why)
    num_examined = min(MAX_ROWS, len(train))
    if num_missing := num_examined - len(train_images):
        share = math.ceil(100 * num_missing / num_examined) / 100
        what = f"{num_missing:,} of {_num_rows(train)} have no image"
        draft.add_doubt("images.max_unreadable", f"{what}; to leave them out, add max_unreadable: {share:g}")
    if test is None and sample is not None:
        test = sample.table.rename(columns={sample.table.columns[0]: ids.column})
    _guess_test_images(draft, image_files, ids, test, train_images)
    if ids.endings and not ids.is_long:
        images["channels"] = list(ids.endings)
        draft.add_reason("images.channels", shorten_list(ids.endings, 8), "each channel is a separate file")
    else:
        images["channels"] = guess_channels(draft, image_files.raw, list(dict.fromkeys(train_images)))
    if not ids.endings:
        _add_unused_images(draft, image_files, [*_as_list(images["train"]), *_as_list(images.get("test", []))])
    return train_images


def _guess_test_images(
    draft: Draft, image_files: ImageFiles, ids: Ids, test: pd.DataFrame | None, train_images: list[str]
) -> None:
    """Guesses images.test: by the rows of the test set, or by folder names; otherwise labels.holdout."""
    images = draft.facts["images"]
    labels = draft.facts["labels"]
    if test is not None:
        patterns, test_images = find_patterns(image_files, test, ids, "test")
        if patterns:
            images["test"] = _single_or_list(patterns)
            why = f"images found for {len(test_images):,} of {_num_rows(test)}"
            draft.add_reason("images.test", shorten_list(patterns, 4), why)
    if not images.get("test") and (patterns := image_files.test_folder_patterns(train_images)):
        images["test"] = _single_or_list(patterns)
        why = "a folder named after the test set, without a table"
        draft.add_reason("images.test", shorten_list(patterns, 4), why)
    if "split" in labels:
        if images.get("test") == images["train"]:
            del images["test"]
    elif not images.get("test"):
        labels["holdout"] = 0.2
        labels.pop("test_file", None)
        draft.add_reason("labels.holdout", 0.2, "no test images: a share of the training images is used instead")


def _add_unused_images(draft: Draft, image_files: ImageFiles, patterns: list[str]) -> None:
    """Adds a doubt about images that match no pattern."""
    path_patterns = [PathPattern(pattern) for pattern in patterns if "#" not in pattern]
    if any(pattern == "{id}" for pattern in patterns):
        return
    files = image_files.files
    unused = [path for path in files if not any(pattern.match(path) is not None for pattern in path_patterns)]
    if unused and len(path_patterns) == len(patterns):
        folders = shorten_list(sorted({path.rpartition("/")[0] or "." for path in unused}), 4)
        count = f"{len(unused):,} of {len(files):,} images"
        draft.add_doubt("images.train", f"{count} are in no table and not used: in {folders}")


def _num_rows(table: pd.DataFrame) -> str:
    """Returns the number of rows of a table as text, and how many of them are examined if not all."""
    examined = f" ({MAX_ROWS:,} examined)" if len(table) > MAX_ROWS else ""
    return f"{count_of(len(table), 'row')}{examined}"


def _single_or_list(patterns: list[str]) -> str | list[str]:
    return patterns[0] if len(patterns) == 1 else patterns


def _as_list(patterns: str | list[str]) -> list[str]:
    return [patterns] if isinstance(patterns, str) else patterns
