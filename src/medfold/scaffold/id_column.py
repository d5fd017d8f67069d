"""The column of a table whose values name images."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from medfold.scaffold.draft import MAX_INSPECTED, MAX_LABELS
from medfold.scaffold.image_files import ImageFiles

INDEX = re.compile(r"Unnamed: \d+|index|level_0|", re.I)  # names of columns of row numbers
ID_NAMES = re.compile(r"id|image|file|name|path|uid|slide|scan", re.I)  # in names of columns that name images
NOT_CHANNELS = {"left", "right", "l", "r", "od", "os", "cc", "mlo"}  # endings of names for eyes and views
FEW_IDS = 20  # a column with fewer different values that recur probably holds labels, not ids


@dataclass(frozen=True)
class Ids:
    """The id column of a table, whose values name images.

    Args:
        column: name of the id column.
        share: share of the ids that have an image, 0 to 1.
        endings: endings after the id: labels in a long table, or channels in file names; in order of occurrence.
        is_long: True if the ids in the table have the endings, False if the file names do.
        others: other columns whose values also name images.
    """

    column: str
    share: float
    endings: tuple[str, ...] = ()
    is_long: bool = False
    others: tuple[str, ...] = ()


def find_ids(table: pd.DataFrame, image_files: ImageFiles) -> Ids | None:
    """Finds the column whose values name images; prefers one that is named like an id and has unique values.

    A column of row numbers, as in a table that was saved with its index, is used only if there is no other.

    Returns:
        The id column; None if there is none.
    """
    candidates: list[tuple[tuple, Ids]] = []
    # The most different values of a column that names images. A column of labels has fewer, even if there are
    # images named 0 and 1.
    max_values = 0
    for position, column in enumerate(table.columns):
        for order, ids in enumerate(_readings(table[column], image_files)):
            if len(ids.endings) <= MAX_LABELS and ids.share > 0.5:
                max_values = max(max_values, table[column].nunique())
                named = bool(ID_NAMES.search(column))
                unique = not table[column].duplicated().any()
                rank = (round(ids.share, 2), not _is_row_number(table[column]), named, unique, -position, -order)
                candidates.append((rank, ids))
    candidates = [(rank, ids) for rank, ids in candidates if table[ids.column].nunique() >= max_values / 2]
    candidates = [(rank, ids) for rank, ids in candidates if not INDEX.fullmatch(ids.column)] or candidates
    if not candidates:
        return None
    _, best = max(candidates, key=lambda item: item[0])
    others = dict.fromkeys(
        ids.column for _, ids in candidates if ids.column != best.column and ids.share > best.share - 0.05
    )
    return replace(best, others=tuple(others))


def _readings(column: pd.Series, image_files: ImageFiles) -> list[Ids]:
    """Lists ways to read a column as ids: names of images, names with a label after them, or names of channel files."""
    different = list(dict.fromkeys(column.tolist()))
    values = [value for value in different[:MAX_INSPECTED] if value != ""]
    if not values or _looks_like_labels(len(different), len(column), image_files):
        return []
    readings = [Ids(column.name, sum(map(bool, map(image_files.find_named, values))) / len(values))]
    split = [value.rpartition("_") for value in values]
    share = sum(start in image_files.by_stem for start, _, _ in split) / len(values)
    readings.append(Ids(column.name, share, tuple(dict.fromkeys(ending for _, _, ending in split)), is_long=True))
    if channels := _channels(values, image_files):
        readings.append(Ids(column.name, 1.0, channels))
    return readings


def _looks_like_labels(num_values: int, num_rows: int, image_files: ImageFiles) -> bool:
    """Returns True for a few recurring values that name few of the images: grades 0 to 4, with 0.png to 99.png."""
    return num_values < FEW_IDS and 3 * num_values <= num_rows and 2 * num_values < len(image_files.by_stem)


def _channels(values: list[str], image_files: ImageFiles) -> tuple[str, ...]:
    """Finds the endings that the files of every id have, one per channel: `<id>_red.png`, `<id>_green.png`; or none."""
    variants = {tuple(sorted(image_files.endings.get(value, ()))) for value in values[:50]}
    if len(variants) != 1:
        return ()
    channels = variants.pop()
    if len(channels) < 2 or {ending.lower() for ending in channels} <= NOT_CHANNELS:
        return ()
    order = {"red": 0, "green": 1, "blue": 2}
    return tuple(sorted(channels, key=lambda name: (order.get(name, 9), name)))


def _is_row_number(values: pd.Series) -> bool:
    """Returns True for a column of row numbers: 0, 1, 2 ... or 1, 2, 3 ..."""
    if not values.str.fullmatch(r"\d+").all():
        return False
    numbers = values.astype(int).to_numpy()
    return numbers[0] in (0, 1) and bool((np.diff(numbers) == 1).all())
