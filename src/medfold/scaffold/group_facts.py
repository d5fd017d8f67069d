"""What to group images by: a column, a pattern in the ids, or DICOM headers."""

import re

import pandas as pd

from medfold.images import is_dicom, path_of_image, read_headers
from medfold.raw_files import GROUP_WORDS, PERSON_WORDS, find_group_word
from medfold.scaffold.draft import MAX_INSPECTED, Draft
from medfold.scaffold.id_column import Ids
from medfold.scaffold.image_files import ImageFiles
from medfold.text import count_of

MIN_GROUPS, MANY_ROWS = 8, 30  # fewer values than MIN_GROUPS in more than MANY_ROWS rows are categories, not patients
GROUP_HEADERS = ("PatientID", "StudyInstanceUID")  # DICOM headers to group by, the preferred one first


def guess_group(
    draft: Draft, table: pd.DataFrame, ids: Ids, used: list[str], image_files: ImageFiles, image_paths: list[str]
) -> None:
    """Guesses what to group by: a column, a pattern in the ids, or DICOM headers of the images.

    Args:
        draft: the key to group by is added to it with its reason, or a doubt.
        table: the label table, all cells as text.
        ids: the column that names the images.
        used: columns that are ids or targets.
        image_files: the image files of the competition.
        image_paths: training images, as `read_image` takes them.
    """
    if (
        group_by_column(draft, table, used)
        or group_by_pattern(draft, table[ids.column])
        or group_by_headers(draft, image_files, image_paths)
    ):
        return
    if "patient" not in ids.column.lower():
        draft.add_doubt("labels.group", "patients unknown; are there several images per patient?")


def group_by_column(draft: Draft, table: pd.DataFrame, used: list[str]) -> bool:
    """Drafts grouping by a column named like a group; returns False if there is none."""
    for word in GROUP_WORDS:  # words for persons come first
        for column in table.columns:
            is_match = find_group_word(column) == word and column not in used
            count = table[column].nunique()
            if not is_match or not 1 < count < len(table):
                continue
            if count < (3 if word in PERSON_WORDS else MIN_GROUPS) and len(table) > MANY_ROWS:
                values = f"column '{column}' has {count_of(count, 'value')} in {count_of(len(table), 'row')}"
                draft.add_doubt("labels.group", f"{values}: unclear whether each is a {word}; not used for grouping")
                continue
            draft.facts["labels"]["group"] = column
            draft.add_reason(
                "labels.group",
                column,
                f"{count_of(table[column].nunique(), 'value')} in {count_of(len(table), 'row')}",
            )
            return True
    return False


def group_by_pattern(draft: Draft, ids: pd.Series) -> bool:
    """Drafts grouping by a folder of each patient in the ids, or by the ids without a side; False if none has one."""
    named = ids.str.extract(r"(?:^|/)((?:patient|subject|case|pat|sub)[\W_]*)\d+/", re.I)[0]
    if named.notna().all() and named.nunique() == 1:
        pattern, why = f"(?:.*/)?(?P<group>{re.escape(named.iloc[0])}\\d+)/", "ids are paths, with a folder for each"
    elif ids.str.extract(r"^(.+)_(left|right|[LR])$").notna().all(axis=None):
        pattern, why = "(?P<group>.+)_(left|right|L|R)", "ids end with a side: both are of one patient"
    else:
        return False
    draft.facts["labels"]["group_pattern"] = pattern
    draft.add_reason("labels.group_pattern", pattern, why)
    return True


def group_by_headers(draft: Draft, image_files: ImageFiles, image_paths: list[str]) -> bool:
    """Drafts grouping by patient or study, if DICOM headers name some that have several images.

    Args:
        draft: images.dicom_headers, labels.group and the reason are added to it.
        image_files: the image files of the competition.
        image_paths: training images, as `read_image` takes them.

    Returns:
        True if the headers can be grouped by.
    """
    one_per_file = pd.Series(
        {path_of_image(image_files.raw, image_path): image_path for image_path in image_paths}
    ).head(MAX_INSPECTED)
    if one_per_file.empty or not all(is_dicom(image_files.raw / path) for path in image_files.files):
        return False
    headers = read_headers(image_files.raw, one_per_file, list(GROUP_HEADERS), complete=False)
    for keyword in GROUP_HEADERS:
        values = [value for value in headers[keyword] if value]
        num_missing = len(one_per_file) - len(values)
        if num_missing > len(values) or not 1 < len(set(values)) < len(values):
            continue
        draft.facts["images"]["dicom_headers"] = [keyword]
        draft.facts["labels"]["group"] = keyword
        missing = f"; {num_missing} have none" if num_missing else ""
        why = f"from the DICOM headers: {len(set(values)):,} in the {len(values):,} images examined{missing}"
        draft.add_reason("labels.group", keyword, why)
        return True
    return False
