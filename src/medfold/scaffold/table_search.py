"""The table of labels among the tables of a competition."""

from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd

from medfold.errors import UserError
from medfold.folds import is_group_name
from medfold.raw_files import read_table
from medfold.scaffold.draft import Draft
from medfold.scaffold.id_column import Ids, find_ids
from medfold.scaffold.image_files import ImageFiles
from medfold.scaffold.target_columns import TARGET_NAMES, is_binary_column, is_named
from medfold.text import count_of, shorten_list

PLAIN_NAMES = ("id", "image", "file", "name", "path")  # column names, even if an image has this name
FEW_ROWS = 6  # a table with fewer rows is probably a list of classes


class LabelTable(NamedTuple):
    """The table of labels.

    Args:
        path: path of the table below the folder of the competition.
        content: rows of the table, text columns.
        ids: id column of the table.
    """

    path: str
    content: pd.DataFrame
    ids: Ids


class LabelTables:
    """The tables of a competition, among them the table of labels.

    Args:
        draft: draft that doubts about unused tables are added to.
        raw: folder with the files of the competition.
        image_files: the image files of the competition.

    Attributes:
        unmatched: paths of tables that name no images.
        matching: paths of tables that name images.
        others: those of `matching` that are not the label table.
    """

    def __init__(self, draft: Draft, raw: Path, image_files: ImageFiles):
        self._draft = draft
        self._raw = raw
        self._image_files = image_files
        self.unmatched: list[str] = []
        self.matching: list[str] = []
        self.others: list[str] = []
        self._unreadable: dict[str, UserError] = {}

    def find_labels(self, candidates: list[str]) -> LabelTable | None:
        """Finds the table of labels among some tables.

        Args:
            candidates: paths of tables below `raw`.

        Returns:
            The table; None if no table has ids that name images.

        Raises:
            UserError: a table without a header, or none that can be read.
        """
        matches = []
        for path in candidates:
            table = self.read(path)
            if table is None:
                continue
            ids = find_ids(table, self._image_files) if len(table.columns) > 1 else None
            if ids is not None:
                self._check_header(path, table, ids)
                matches.append(LabelTable(path, table, ids))
            elif len(table.columns) > 1 and len(table):
                self.unmatched.append(path)
        if not matches:
            if self._unreadable and not self.unmatched:
                raise next(iter(self._unreadable.values()))
            return None
        self.matching = [match.path for match in matches]
        best = max(matches, key=_rank)
        self.others = [path for path in self.matching if path != best.path]
        for path, error in self._unreadable.items():
            self._draft.doubts.append(f"{path} cannot be read, and is not used: {error.what}")
        return best

    def _check_header(self, path: str, table: pd.DataFrame, ids: Ids) -> None:
        """Raises UserError if the first row of a table is the row of an image, read as names of columns."""
        if ids.column.lower() not in PLAIN_NAMES and self._image_files.find_named(ids.column):
            what = f"the header is missing: its first row, {', '.join(table.columns[:4])}, has the name of an image"
            raise UserError(what, self._raw / path, f"Add a header row, such as: {_suggest_header(table, ids)}")

    def check_unmatched(self) -> None:
        """Checks that no unmatched table may hold the labels, judging by its rows or its folder names.

        Raises:
            UserError: a table names no image, but may hold the labels; the message shows its first row.
        """
        count = len(self._image_files.files)
        for path in self.unmatched:
            table = self.read(path)
            if column := self._folder_name_column(table):
                what = f"column '{column}' has names of image folders, not of images: labels of patients or studies"
                raise UserError(what, self._raw / path, "Make a table with a row for each image from it")
            if not count / 2 <= len(table) <= 20 * count:
                continue
            first = ", ".join(f"{column} {table[column].iloc[0]}" for column in table.columns[:4])
            names = [PurePosixPath(file).name for file in self._image_files.files]
            examples = f"its first row: {first}; files: {shorten_list(names)}"
            what = (
                f"{count_of(len(table), 'row')}, but no column has the names of the "
                f"{count_of(count, 'image')}: {examples}"
            )
            raise UserError(what, self._raw / path, "Add a column with the names of the files, or remove the table")

    def _folder_name_column(self, table: pd.DataFrame) -> str | None:
        """Finds the column whose values are names of image folders; None if there is none, or for a list of classes."""
        folders = {part for file in self._image_files.files for part in PurePosixPath(file).parts[:-1]}
        label_like = [name for name in table if 2 <= table[name].nunique() <= len(table) / 2]
        if len(table) < FEW_ROWS or not label_like:
            return None
        return next((name for name in table if 2 * len(folders & set(table[name])) >= len(table)), None)

    def read(self, path: str) -> pd.DataFrame | None:
        """Reads a table; None if it cannot be read. A text file need not be a table: its errors are not kept."""
        try:
            return read_table(self._raw / path, {})
        except UserError as error:
            if not path.lower().endswith((".txt", ".txt.gz")):
                self._unreadable[path] = error
            return None


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
