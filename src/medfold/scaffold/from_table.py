"""Drafts the facts of a competition whose labels are in a table."""

import re
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import pandas as pd

from medfold.errors import UserError
from medfold.raw_files import choose_test_split, split_from_name
from medfold.scaffold.draft import Draft
from medfold.scaffold.group_facts import guess_group
from medfold.scaffold.id_column import Ids
from medfold.scaffold.image_facts import guess_images
from medfold.scaffold.image_files import ImageFiles
from medfold.scaffold.raw_folder import RawFolder
from medfold.scaffold.submission_facts import guess_submission
from medfold.scaffold.table_search import FoundTables, LabelTable
from medfold.scaffold.target_columns import guess_targets, keep_targets_of_sample
from medfold.scaffold.task import guess_task
from medfold.text import count_of, shorten_list

MAX_SPLIT_VALUES = 8  # a column with more different values does not name splits


class TableDraft(NamedTuple):
    """A draft from the table of labels.

    Args:
        draft: the guessed facts, with reasons and doubts.
        has_named_label: True if the label was recognised by its name, by the sample submission or as marks; False if
            it was chosen by its values alone.
    """

    draft: Draft
    has_named_label: bool


def draft_from_table(folder: RawFolder, tables: FoundTables) -> TableDraft:
    """Drafts the facts from the table of labels.

    Args:
        folder: the files of the competition.
        tables: the tables of the competition; one of them holds the labels.

    Raises:
        NoLabelError: no column could be a label.
        UserError: ambiguous ids, images without a common pattern, or values that are not classes.
    """
    image_files = folder.image_files
    path, table, ids = tables.best
    labels: dict[str, Any] = {"file": path, "layout": "wide", "id": ids.column}
    draft = Draft({"labels": labels}, doubts=tables.unreadable_doubts())
    draft.add_reason("labels.file", path, f"{count_of(len(table), 'row')}, {ids.share:.0%} of its ids have an image")
    draft.add_reason("labels.id", ids.column, "its values are names of image files")
    sample_submission = folder.read_sample_submission()
    _check_unambiguous(tables.best, image_files)
    test_path, test_rows = _test_table(folder, ids)
    if column := _split_column(draft, table, ids, has_test_set=bool(test_path or sample_submission)):
        labels["split"] = column
        table, test_rows = _divide_by_split(draft, table, column)
    _doubt_other_tables(draft, [other for other in tables.others if other.path not in folder.test_tables])
    if ids.is_long:
        targets = _long_targets(draft, table, ids)
        has_named_label = True
    else:
        targets, has_named_label = guess_targets(draft, folder.path, table, ids, sample_submission)
        labels["targets"] = targets
        guess_task(draft, table, targets)
        if labels["layout"] == "lists":
            keep_targets_of_sample(draft, ids, sample_submission)
    _guess_repeated(draft, table, ids, targets)
    if test_path:
        labels["test_file"] = test_path
        draft.add_reason("labels.test_file", test_path, "a table of test images")
    image_paths = guess_images(draft, image_files, table, ids, test_rows, sample_submission)
    guess_group(draft, table, ids, [*targets, ids.column], image_files, image_paths)
    if others := [column for column in ids.others if column != labels.get("group")]:
        draft.add_doubt("labels.id", f"values of {shorten_list(others, 4)} are names of images, too")
    guess_submission(draft, sample_submission, ids, test_rows)
    return TableDraft(draft, has_named_label)


def _divide_by_split(draft: Draft, table: pd.DataFrame, column: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divides the table of labels into training and test set by a column that names splits."""
    split = table[column].map(split_from_name)
    counts = split.value_counts()
    test_split = choose_test_split(counts.index)
    num_rows = ", ".join(f"{count_of(count, 'row')} of {name}" for name, count in counts.items())
    draft.add_reason("labels.split", column, f"{num_rows}; {test_split} is the test set")
    return table[split != test_split], table[split == test_split]


def _doubt_other_tables(draft: Draft, others: list[LabelTable]) -> None:
    """Adds a doubt about each table that names images and is not used."""
    for path, table, _ in others:
        advice = "; add its rows to train on them" if split_from_name(PurePosixPath(path).name) == "valid" else ""
        columns = shorten_list(list(table), 6)
        draft.add_doubt("labels.file", f"{path} has names of images, too: not used{advice}. Columns: {columns}")


def _long_targets(draft: Draft, table: pd.DataFrame, ids: Ids) -> list[str]:
    """Sets the task and the labels of a table with rows named <id>_<label>; returns the column of the values."""
    value = next(column for column in table.columns if column != ids.column)
    draft.facts["labels"] |= {"layout": "long", "value": value, "targets": list(ids.endings)}
    why = f"rows are named <id>_<label>, labels {shorten_list(ids.endings, 8)}"
    draft.add_reason("labels.layout", "long", why)
    draft.facts["task"] = "multilabel"
    return [value]


def _guess_repeated(draft: Draft, table: pd.DataFrame, ids: Ids, targets: list[str]) -> None:
    """Sets labels.repeated if several rows have the same id."""
    if table.duplicated(ids.column).any():
        same = (table.groupby(ids.column)[targets].nunique() <= 1).all(axis=None)
        repeated = draft.facts["labels"]["repeated"] = "same" if same else "max"
        count = int(table.duplicated(ids.column).sum())
        why = "and agree" if same else "and differ: several readers? 'majority' is the alternative"
        draft.add_reason("labels.repeated", repeated, f"{count_of(count, 'row repeats', 'rows repeat')} an id {why}")


def _split_column(draft: Draft, table: pd.DataFrame, ids: Ids, has_test_set: bool) -> str | None:
    """Returns the column that separates train and test, if nothing else defines the test set."""
    for column in table.columns:
        if column == ids.column:
            continue
        if split_from_name(column) or re.fullmatch(r"(?i)k?[\W_]?folds?", column):
            what = "names splits or folds, and is not used: medfold makes its own folds"
            draft.add_doubt("labels.split", f"column '{column}' {what}")
            continue
        values = table[column].unique()
        if len(values) > MAX_SPLIT_VALUES:
            continue
        splits = {split_from_name(value) for value in values}
        if None in splits or len(splits) < 2:
            continue
        if ids.is_long or has_test_set or "train" not in splits:
            draft.add_doubt("labels.split", f"column '{column}' has names of splits, and is not used")
            continue
        return column
    return None


def _check_unambiguous(label_table: LabelTable, image_files: ImageFiles) -> None:
    """Checks that no ids are in several rows and name images in several folders.

    Raises:
        UserError: there are such ids; the message shows one.
    """
    path, table, ids = label_table
    repeated = table.loc[table.duplicated(ids.column), ids.column]
    for image_id in repeated.head(50) if not ids.is_long and not ids.endings else ():
        image_paths = image_files.find_named(image_id)
        folders = {PurePosixPath(image_path).parent for image_path in image_paths}
        if len(folders) > 1:
            count = int((table[ids.column] == image_id).sum())
            what = (
                f"'{image_id}' is in {count_of(count, 'row')} and names {count_of(len(image_paths), 'image')}: "
                f"{shorten_list(image_paths)}"
            )
            raise UserError(
                what,
                image_files.raw / path,
                "Add a column with the paths of the images to this table, and name it in labels.id",
            )


def _test_table(folder: RawFolder, ids: Ids) -> tuple[str | None, pd.DataFrame | None]:
    """Returns path and content of the first table of the test set with the id column, shortest path first."""
    for path in sorted(folder.test_tables, key=len):
        try:
            table = folder.read_table(path)
        except UserError:  # this file need not be a table
            continue
        if ids.column in table:
            return path, table
    return None, None
