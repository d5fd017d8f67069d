"""Rows of the test set, where the labels are in a table."""

from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.data.label_layouts.image_columns import locate_images
from medfold.data.label_layouts.layout import LAYOUTS
from medfold.errors import SettingError, UserError
from medfold.project_root import display_path
from medfold.raw_files import (
    PathPattern,
    choose_test_split,
    found_folders,
    list_files,
    read_table,
    split_from_name,
    split_row_names,
)
from medfold.system.path_checks import path_inside
from medfold.terminal.console import say
from medfold.text import count_of, shorten_list


def read_test_table(facts: CompetitionFacts, raw: Path) -> pd.DataFrame:
    """Reads only the test set, as a notebook on Kaggle needs it.

    Does not read the labels of the training set. Images may be missing; they count as unreadable later.

    Args:
        facts: facts of the competition; `labels.test_file` or `images.test` names the test set.
        raw: folder that patterns start from.

    Returns:
        Text columns id, image, unit.

    Raises:
        UserError: no table of the test set.
    """
    labels = facts.labels
    images = facts.images
    if labels.layout in ("folders", "arrays"):
        _, test, _ = LAYOUTS.find(labels.layout, "labels.layout")(facts, raw)
    else:
        test = read_test_rows(facts, raw)
        test, _ = locate_images(test, images.test or images.train, facts, raw, complete=False)
    return test[["id", "image", "unit"]]


def read_test_rows(facts: CompetitionFacts, raw: Path) -> pd.DataFrame:
    """Reads the rows of the test set: by labels.split, labels.test_file, the sample submission or image files."""
    labels = facts.labels
    submission = facts.submission
    if labels.split:
        path = path_inside(raw, labels.file)
        table = read_table(path, {labels.id: "labels.id", labels.split: "labels.split"}, "labels.file")
        return divide_by_split(table, facts, path)[1].reset_index(drop=True)
    if labels.test_file:
        return read_table(path_inside(raw, labels.test_file), {labels.id: "labels.id"}, "labels.test_file")
    if not submission.sample:
        return _test_files(facts, raw)
    path = path_inside(raw, submission.sample)
    test = read_table(path, {submission.id: "submission.id"}, "submission.sample")
    if submission.layout == "long":
        test = test.assign(**{submission.id: split_row_names(test[submission.id], labels.targets, path)[0]})
        test = test.drop_duplicates(submission.id)
    return test.assign(**{labels.id: test[submission.id]}).reset_index(drop=True)


def _test_files(facts: CompetitionFacts, raw: Path) -> pd.DataFrame:
    """Builds the table of the files that match the patterns of the test set, with a column for each field."""
    images = facts.images
    key = facts.labels.id
    all_files = list_files(raw, exclude=images.exclude)
    rows = []
    for path_pattern in map(PathPattern, images.test):
        rows += [fields for path in all_files if (fields := path_pattern.match(path)) is not None]
    if not rows:
        fix = f"Correct the pattern. {found_folders(all_files)}"
        raise SettingError(f"no test image matches {' or '.join(images.test)}", "images.test", fix)
    table = pd.DataFrame(rows, dtype=str).drop_duplicates("id").sort_values("id", kind="stable")
    return table.assign(**{key: table["id"]}).reset_index(drop=True)


def divide_by_split(table: pd.DataFrame, facts: CompetitionFacts, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Splits a table into training and test set by the column `labels.split`.

    Rows of the validation set go to the training set, since folds replace it; without a test set they become the
    test set.

    Returns:
        The training set and the test set, as copies.

    Raises:
        UserError: a split without rows, a value that is not a split, or an id in several splits.
    """
    column = facts.labels.split
    key = facts.labels.id
    split = table[column].map({value: split_from_name(value) for value in table[column].unique()})
    if split.isna().any():
        row = split.index[int(np.argmax(split.isna().to_numpy()))]
        value = table.at[row, column] or "nothing"
        fix = "Write train, valid or test, or remove labels.split"
        raise UserError(f"row {row + 2}, column '{column}': found {value}, which is not a split", path, fix)
    several = split.groupby(table[key]).nunique()
    if (several > 1).any():
        ids = several.index[several > 1]
        what = f"{count_of(len(ids), 'id')} in several splits: {shorten_list(ids)}"
        where = f"{display_path(path)}: column '{column}'"
        raise UserError(what, where, "Give each id one split, or remove labels.split")
    counts = split.value_counts()
    test_split = choose_test_split(counts.index)
    if test_split not in counts or "train" not in counts:
        fix = "Remove labels.split, and set labels.holdout: the share of the images for the test set"
        raise UserError(f"column '{column}' has rows of {', '.join(counts.index)} only", path, fix)
    joined = ""
    if test_split == "test" and "valid" in counts:
        joined = f", {counts['valid']:,} of the validation set among them"
    is_test = split == test_split
    num_rows = f"{count_of((~is_test).sum(), 'row')} to train on{joined}, {counts[test_split]:,} to test on"
    say("samples", f"by column '{column}': {num_rows}")
    return table[~is_test].copy(), table[is_test].copy()
