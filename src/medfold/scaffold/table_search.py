"""The table of labels among the tables of a competition."""

from pathlib import PurePosixPath
from typing import NamedTuple

import pandas as pd

from medfold.errors import UserError
from medfold.raw_files import is_group_name, read_table
from medfold.scaffold.draft import Doubt
from medfold.scaffold.id_column import Ids, find_ids
from medfold.scaffold.image_files import ImageFiles
from medfold.scaffold.target_columns import TARGET_NAMES, is_binary_column, is_named
from medfold.text import count_of, shorten_list

PLAIN_NAMES = ("id", "image", "file", "name", "path")  # column names, even if an image has this name
FEW_ROWS = 6  # a table with fewer rows is probably a list of classes


class LabelTable(NamedTuple):
    """A table whose ids name images, which may be the table of labels.

    Args:
        path: path of the table below the folder of the competition.
        content: rows of the table, text columns.
        ids: id column of the table.
    """

    path: str
    content: pd.DataFrame
    ids: Ids


class FoundTables(NamedTuple):
    """The tables of a competition: the table of labels, and the tables that are not used.

    Args:
        best: the table of labels; None if no table names images.
        others: other tables that name images.
        unmatched: content of the tables that name no images, by path.
        unreadable: error of each table that cannot be read, by path.
    """

    best: LabelTable | None
    others: list[LabelTable]
    unmatched: dict[str, pd.DataFrame]
    unreadable: dict[str, UserError]

    def unreadable_doubts(self) -> list[Doubt]:
        """Returns a doubt about each table that cannot be read."""
        texts = (f"{path} cannot be read, and is not used: {error.what}" for path, error in self.unreadable.items())
        return [Doubt("", text) for text in texts]


def find_labels(image_files: ImageFiles, paths: list[str]) -> FoundTables:
    """Finds the table of labels among some tables.

    Args:
        image_files: the image files of the competition.
        paths: paths of tables below the folder of the competition.

    Raises:
        UserError: a table without a header, or none that can be read.
    """
    matches: list[LabelTable] = []
    unmatched: dict[str, pd.DataFrame] = {}
    unreadable: dict[str, UserError] = {}
    for path in paths:
        try:
            table = read_table(image_files.raw / path, {})
        except UserError as error:
            if not path.lower().endswith((".txt", ".txt.gz")):  # a text file need not be a table
                unreadable[path] = error
            continue
        if len(table.columns) < 2:
            continue
        ids = find_ids(table, image_files)
        if ids is not None:
            match = LabelTable(path, table, ids)
            _check_header(match, image_files)
            matches.append(match)
        elif len(table):
            unmatched[path] = table
    if unreadable and not matches and not unmatched:
        raise next(iter(unreadable.values()))
    best = max(matches, key=_rank, default=None)
    return FoundTables(best, [match for match in matches if match is not best], unmatched, unreadable)


def _check_header(match: LabelTable, image_files: ImageFiles) -> None:
    """Raises UserError if the first row of a table is the row of an image, read as names of columns."""
    path, table, ids = match
    if ids.column.lower() not in PLAIN_NAMES and image_files.find_named(ids.column):
        what = f"the header is missing: its first row, {', '.join(table.columns[:4])}, has the name of an image"
        raise UserError(what, image_files.raw / path, f"Add a header row, such as: {_suggest_header(table, ids)}")


def check_unmatched(unmatched: dict[str, pd.DataFrame], image_files: ImageFiles) -> None:
    """Checks that no table without names of images may hold the labels, judging by its rows or its folder names.

    Args:
        unmatched: content of the tables that name no images, by path.
        image_files: the image files of the competition.

    Raises:
        UserError: a table may hold the labels; the message shows its first row.
    """
    count = len(image_files.files)
    for path, table in unmatched.items():
        if column := _folder_name_column(table, image_files):
            what = f"column '{column}' has names of image folders, not of images: labels of patients or studies"
            raise UserError(what, image_files.raw / path, "Make a table with a row for each image from it")
        if not count / 2 <= len(table) <= 20 * count:
            continue
        first = ", ".join(f"{column} {table[column].iloc[0]}" for column in table.columns[:4])
        names = [PurePosixPath(file).name for file in image_files.files]
        examples = f"its first row: {first}; files: {shorten_list(names)}"
        what = (
            f"{count_of(len(table), 'row')}, but no column has the names of the {count_of(count, 'image')}: {examples}"
        )
        raise UserError(what, image_files.raw / path, "Add a column with the names of the files, or remove the table")


def _folder_name_column(table: pd.DataFrame, image_files: ImageFiles) -> str | None:
    """Finds the column whose values are names of image folders; None if there is none, or for a list of classes."""
    folders = {part for file in image_files.files for part in PurePosixPath(file).parts[:-1]}
    label_like = [name for name in table if 2 <= table[name].nunique() <= len(table) / 2]
    if len(table) < FEW_ROWS or not label_like:
        return None
    return next((name for name in table if 2 * len(folders & set(table[name])) >= len(table)), None)


def _suggest_header(table: pd.DataFrame, ids: Ids) -> str:
    """Suggests a header for a table without one."""
    others = [column for column in table.columns if column != ids.column]
    return ",".join("image" if column == ids.column else f"label{others.index(column) or ''}" for column in table)


def _rank(match: LabelTable) -> tuple:
    """Ranks a table that names images; the highest is the label table. Shares of ids count in tenths."""
    path, table, ids = match
    name = path.lower()
    return round(ids.share, 1), _has_label(table, ids), 2 * ("train" in name) + ("label" in name), -len(path)


def _has_label(table: pd.DataFrame, ids: Ids) -> bool:
    """Returns True if a column is named like a label, or holds marks of 0 and 1."""
    others = [column for column in table.columns if column not in (ids.column, *ids.others)]
    others = [column for column in others if table[column].nunique() > 1 and not is_group_name(column)]
    named = (is_named(column, pattern) for column in others for pattern in TARGET_NAMES)
    return any(named) or any(is_binary_column(table, column) for column in others)
