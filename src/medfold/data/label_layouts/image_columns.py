"""Columns that the tables of all layouts have: id, image, unit and patient; DICOM headers."""

import re
from pathlib import Path

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.errors import SettingError
from medfold.images import identifying_keywords, path_of_image, read_headers
from medfold.raw_files import fill_pattern, find_images, pattern_fields
from medfold.system.limits import interrupted_after
from medfold.terminal.console import warn
from medfold.text import count_of, shorten_list

PATTERN_SECONDS = 10  # for labels.group_pattern, which takes microseconds for an id
FEW_IMAGES = 20  # with so few images, each may well be of a different patient


def check_kept_headers(facts: CompetitionFacts) -> None:
    """Checks that labels.keep_columns names no DICOM header that may identify a patient.

    Raises:
        SettingError: labels.keep_columns names such a header.
    """
    if private := identifying_keywords(set(facts.labels.keep_columns) & set(facts.images.dicom_headers)):
        fix = "To group by it, use labels.group: the sample table then has a number instead"
        raise SettingError(f"the header {private[0]} may identify a patient", "labels.keep_columns", fix)


def locate_images(
    table: pd.DataFrame, patterns: list[str], facts: CompetitionFacts, raw: Path, complete: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Finds the images of a table.

    Args:
        table: the table of the raw data; its columns keep their names, even if one is called id or image.
        patterns: patterns of images.train or images.test.
        facts: facts of the competition (`labels.id`, `images` and `score.unit`).
        raw: folder that patterns start from.
        complete: see `find_images`. Defaults to True.

    Returns:
        A table with id, image and unit; and `table` with one more column for each DICOM header in images.dicom_headers.
    """
    with_id = table.assign(id=table[facts.labels.id])
    image_paths = find_images(with_id, patterns, facts, raw, complete)
    unit = facts.score.unit
    keywords = facts.images.dicom_headers
    if not complete:
        keywords = [keyword for keyword in keywords if unit and keyword in pattern_fields(unit)]
    table = with_headers(table, image_paths, keywords, raw, complete)
    with_id = table.assign(id=with_id["id"])
    units = fill_pattern(unit, with_id, "score.unit") if unit else with_id["id"]
    return pd.DataFrame({"id": with_id["id"], "image": image_paths, "unit": units}), table


def with_headers(
    table: pd.DataFrame, image_paths: pd.Series, keywords: list[str], raw: Path, complete: bool = True
) -> pd.DataFrame:
    """Adds a column for each DICOM header; '' for missing images.

    Args:
        table: a row per image.
        image_paths: paths of the images relative to `raw`, with the index of `table`.
        keywords: the headers to read, by their DICOM keywords.
        raw: folder that image paths are relative to.
        complete: refuse a header that no image has; see `read_headers`. Defaults to True.
    """
    if not keywords:
        return table
    # images.max_unreadable allows missing ones
    exists = image_paths.map(lambda path: path_of_image(raw, path).is_file())
    headers = read_headers(raw, image_paths[exists], keywords, complete)
    columns = {name: pd.Series(values, image_paths.index[exists]) for name, values in headers.items()}
    return table.assign(**{name: values.reindex(image_paths.index, fill_value="") for name, values in columns.items()})


def patient_column(located: pd.DataFrame, original: pd.DataFrame, facts: CompetitionFacts) -> pd.Series:
    """Finds the patient of each image; None if unknown.

    Args:
        located: images, with the column id.
        original: table of the raw data, in the same order.
        facts: facts of the competition (`labels.group` or `labels.group_pattern`).

    Returns:
        Text or None, in the order of `located`.
    """
    labels = facts.labels
    column = original[labels.group] if labels.group is not None and labels.group in original else None
    if column is not None and not column.all():
        empty = located["id"][(column == "").to_numpy()]
        count = f"{len(empty):,} of {count_of(len(column), 'row')}"
        text = f"labels.group: '{labels.group}' is empty in {count}: each is a separate group: {shorten_list(empty)}"
        warn("samples", text)
    return pd.Series(_patients(located["id"], labels.group_pattern, column), located.index, object, name="patient")


def _patients(ids: pd.Series, pattern: str | None, column: pd.Series | None = None) -> list[str | None]:
    """Returns each image's patient: a column's value, or a pattern's match at the start of the id; None if unknown.

    The pattern gives its named group 'group', else its first group, else the whole match. Warns if it matches some of
    the ids only; `check_group_pattern` says if it matches none.
    """
    if column is not None:
        return [value or None for value in column]
    if not pattern:
        return [None] * len(ids)
    try:
        with interrupted_after(PATTERN_SECONDS + len(ids) / 10_000):
            matches = [re.match(pattern, image_id) for image_id in ids]
    except TimeoutError:
        what = "takes too long: nested repetitions such as (a+)+ try every way to split an id"
        raise SettingError(what, "labels.group_pattern", "Write it without nested + and *") from None
    patients = [
        match and (match.groupdict().get("group") or match[min(1, match.re.groups)] or match[0]) for match in matches
    ]
    unmatched = [image_id for image_id, match in zip(ids, matches, strict=True) if not match]
    if 0 < len(unmatched) < len(ids):
        count = f"{len(unmatched):,} of {len(ids):,} ids"
        warn(
            "samples",
            f"labels.group_pattern does not match {count}: each is a separate group: {shorten_list(unmatched)}",
        )
    elif not unmatched and len(ids) > FEW_IMAGES and len(set(patients)) == len(patients):
        warn("samples", f"labels.group_pattern joins nothing: {len(ids):,} ids are in {len(ids):,} groups")
    return patients
