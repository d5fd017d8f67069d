"""Suspected groups: unnamed columns, parts of ids and folders whose values recur, as patient ids do."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold.raw_files import is_attribute_name, is_group_name

ID_PART, ID_SEPARATOR = "[^_. -]+", "[_. -]+"  # patterns
MAX_ID_PARTS = 6
MAX_VALUE_SHARE = 0.1  # share of the images that one value may have: a larger one is a category, not a person
MIN_RECURRING_SHARE = 0.05  # share of the images whose value must recur


@dataclass(frozen=True)
class SuspectedGroup:
    """A column, part of the ids or folder whose values recur.

    Args:
        name: the column, or a description of the part of the ids or of the folders.
        setting: key and value of competition.yaml that group by this column, as text.
        num_values: number of distinct values.
        num_shared_images: number of images that share their value with another image.
        num_split_values: number of values that occur in several folds.
    """

    name: str
    setting: str
    num_values: int
    num_shared_images: int
    num_split_values: int


def find_suspected_groups(
    ids: pd.Series, image_paths: pd.Series, columns: pd.DataFrame, fold: np.ndarray
) -> list[SuspectedGroup]:
    """Finds columns, parts of ids and folders whose values connect images of different folds.

    A column is suspected for its name, or if its values look like identifiers: letters or digits that recur, none of
    them often. The same test applies to the beginning of the ids, with as few parts as possible, and to folders.

    Args:
        ids: ids of the training samples, text (n,).
        image_paths: paths of their images, text (n,).
        columns: text (n, columns), the other columns of the label table.
        fold: int (n,), the fold of each sample.

    Returns:
        The suspects: first suspects with a group word in their name, then the ones that connect the most images.
    """
    candidates = [(name, f"labels.group: {name}", columns[name], is_group_name(name)) for name in columns]
    candidates += _first_parts(ids)
    candidates += _folders(image_paths)
    suspects = []
    for name, setting, values, has_group_word in candidates:
        if not has_group_word and is_attribute_name(name) and name in columns:
            continue
        values = values.fillna("").astype(str).str.strip()
        counts = values[values != ""].value_counts()
        shared = values.isin(counts.index[counts > 1]).to_numpy()
        if not shared.any() or (values == "").mean() > 0.5:
            continue
        if not has_group_word and not _look_like_ids(values):
            continue
        num_split = int((pd.Series(fold[shared]).groupby(values.to_numpy()[shared]).nunique() > 1).sum())
        if num_split:
            suspects.append(
                (not has_group_word, SuspectedGroup(name, setting, len(counts), int(shared.sum()), num_split))
            )
    return [suspect for _, suspect in sorted(suspects, key=lambda item: (item[0], -item[1].num_shared_images))]


def _first_parts(ids: pd.Series) -> list[tuple[str, str, pd.Series, bool]]:
    """Finds the shortest beginning of the ids that looks like an identifier: `CNV-1016042` of CNV-1016042-1."""
    for count in range(1, MAX_ID_PARTS + 1):
        pattern = f"(?:{ID_PART}{ID_SEPARATOR}){{{count - 1}}}{ID_PART}".replace("{1}", "") if count > 1 else ID_PART
        beginning = ids.str.extract(f"^({pattern}){ID_SEPARATOR}", expand=False).fillna("")
        beginning = beginning.where(beginning.str.contains(r"\d"), "")
        if (beginning != "").mean() > 0.5 and _look_like_ids(beginning):
            name = "the first part of the ids" if count == 1 else f"the first {count} parts of the ids"
            return [(name, f'labels.group_pattern: "{pattern}"', beginning, False)]
    return []


def _folders(image_paths: pd.Series) -> list[tuple[str, str, pd.Series, bool]]:
    """Finds the outermost folder level that looks like identifiers: patient00001 of patient00001/study1."""
    folders = image_paths.str.partition("#")[0].str.split("/").str[:-1]
    for level in range(int(folders.str.len().max())):
        names = folders.str[level].fillna("").astype(str)
        if (names != "").mean() > 0.5 and _look_like_ids(names):
            setting = "labels.group_pattern, with folders in labels.id"
            name = "the folder of an image" if level == folders.str.len().max() - 1 else f"folders of level {level + 1}"
            return [(name, setting, names, False)]
    return []


def _look_like_ids(values: pd.Series) -> bool:
    """Returns True if the values have digits, many of them recur but none often, and they are not decimal numbers."""
    counts = values[values != ""].value_counts()
    num_images = len(values)
    recurring = counts[counts > 1]
    digits = counts.index.str.contains(r"\d").mean()
    fractions = counts.index.str.fullmatch(r"-?\d+\.\d+").mean()
    recurs = recurring.sum() >= MIN_RECURRING_SHARE * num_images
    return bool(digits > 0.9 and fractions < 0.5 and counts.max() <= max(MAX_VALUE_SHARE * num_images, 3) and recurs)
