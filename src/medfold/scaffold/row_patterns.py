"""Path patterns that lead from the rows of a table to their images."""

import unicodedata
from collections import Counter
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from medfold.images import image_stem
from medfold.raw_files import CHANNEL_FIELD, image_exists, split_from_name
from medfold.scaffold.id_column import Ids
from medfold.scaffold.image_files import CONTAINERS, ImageFiles

MAX_ROWS = 5000  # rows of a table that are looked up
MAX_PATTERNS = 40  # for the images of one table


def find_patterns(image_files: ImageFiles, table: pd.DataFrame, ids: Ids, split: str) -> tuple[list[str], list[str]]:
    """Finds the patterns that lead from the rows of a table to their images, the most frequent pattern first.

    Args:
        image_files: the image files of the competition.
        table: a table with text columns.
        ids: id column of the table.
        split: train or test; images in a folder of the other split are used only if there are no others.

    Returns:
        The patterns, as many as are needed for all rows that have an image; and the images of these rows, each by
        its first pattern.
    """
    count = min(MAX_ROWS, len(table))
    chosen = table.iloc[np.unique(np.linspace(0, len(table) - 1, count).astype(int))] if count else table
    rows = [_patterns_of_row(image_files, row, ids) for row in chosen.to_dict("records")]
    of_split = [
        {pattern: path for pattern, path in row.items() if not _names_other_split(pattern, split)} for row in rows
    ]
    rows = of_split if any(of_split) else rows
    patterns: list[str] = []
    remaining = [row for row in rows if row]
    image_paths = []
    while remaining and len(patterns) < MAX_PATTERNS:
        counts = Counter(pattern for row in remaining for pattern in row)
        best = min(counts, key=lambda text: (-counts[text], split not in text, not _is_plain(text), len(text), text))
        patterns.append(best)
        image_paths += [row[best] for row in remaining if best in row]
        remaining = [row for row in remaining if best not in row]
    return patterns, image_paths


def _patterns_of_row(image_files: ImageFiles, row: dict[str, str], ids: Ids) -> dict[str, str]:
    """Returns the patterns that lead from a row to images, and the image of each pattern."""
    image_id = unicodedata.normalize("NFC", row[ids.column])
    image_id = image_id.rpartition("_")[0] if ids.is_long else image_id
    if ids.endings and not ids.is_long:
        channels = [f"{image_id}_{ending}" for ending in ids.endings]
        paths = image_files.find_named(channels[0])
        image_by_file = {path: "|".join(path.replace(channels[0], name) for name in channels) for path in paths}
    else:
        image_by_file = {path: path for path in image_files.find_named(image_id)}
    by_pattern = {_generalise(path, image_id, row, ids): image_path for path, image_path in image_by_file.items()}
    return by_pattern | {
        pattern: pattern.replace("{id}", image_id) for pattern in _container_patterns(image_files, image_id)
    }


def _generalise(path: str, image_id: str, row: dict[str, str], ids: Ids) -> str:
    """Returns the pattern of a path: parts that are values of the row become the names of their columns in braces."""
    image_id = image_id.replace("\\", "/")
    if "/" in image_id:
        start = f"/{path}".rfind(f"/{image_id}")
        return f"{path[:start]}{{id}}{path[start + len(image_id) :]}" if start >= 0 else "{id}"
    *folders, name = PurePosixPath(path).parts
    columns = {value: column for column, value in row.items() if column != ids.column and value}
    parts = [f"{{{columns[folder]}}}" if folder in columns else folder for folder in folders]
    stem = image_stem(path)
    if image_id.isdecimal() and stem != image_id and name != image_id and stem == image_id.zfill(len(stem)):
        name = f"{{id:0>{len(stem)}}}" + name[len(stem) :]
    else:
        name = "{id}" + name[len(image_id) :]
    if ids.endings and not ids.is_long:
        name = name.replace(f"_{ids.endings[0]}", f"_{{{CHANNEL_FIELD}}}")
    return "/".join([*parts, name])


def _container_patterns(image_files: ImageFiles, image_id: str) -> set[str]:
    """Returns patterns of HDF5 files that contain an image of this id."""
    containers = [path for path in image_files.files if path.endswith(CONTAINERS)]
    return {f"{path}#{{id}}" for path in containers if image_exists(f"{path}#{image_id}", image_files.raw, {path})}


def _names_other_split(pattern: str, split: str) -> bool:
    """Returns True if a pattern has a folder named after the other split: test for train, train for test."""
    other = "test" if split == "train" else "train"
    return any(split_from_name(folder) == other for folder in pattern.split("/")[:-1])


def _is_plain(pattern: str) -> bool:
    return not pattern.endswith((".dcm", ".tif", ".tiff")) and "#{" not in pattern
