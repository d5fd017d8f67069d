"""Layout `folders`: labels as folder names."""

import unicodedata
from functools import partial
from pathlib import Path

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.data.label_layouts.image_columns import check_kept_headers, patient_column, with_headers
from medfold.data.label_layouts.layout import TrainTestSolution, label_layout
from medfold.errors import SettingError, UserError
from medfold.raw_files import (
    PathPattern,
    drop_rows,
    fill_pattern,
    found_folders,
    list_files,
    map_labels,
    pattern_fields,
)
from medfold.terminal.console import say
from medfold.text import did_you_mean


@label_layout
def folders(facts: CompetitionFacts, raw: Path) -> TrainTestSolution:
    """Labels as folder names: patterns with `{label}` and `{id}`. Labels of the test set become the solution.

    Other fields of the patterns, as in `{label}/{patient}/{id}.png`, and DICOM headers become columns for labels.group.
    """
    (target,) = facts.labels.targets
    check_kept_headers(facts)
    tables = {split: _read_split(split, facts, raw) for split in ("train", "test")}
    _make_ids_unique(facts, tables["train"], tables["test"])
    splits = []
    for table in tables.values():
        table["unit"] = table["id"]
        splits.append(table.rename(columns={"label": target}).sort_values("id", kind="stable").reset_index(drop=True))
    train, test = splits
    if not facts.images.test:
        return train, None, None
    unlabelled = test[target].isna()
    if unlabelled.any():
        if not unlabelled.all():
            what = "some patterns of the test set have {label} and some have not"
            raise SettingError(what, "images.test", "Write {label} into all of them, or into none")
        return train, test.drop(columns=target), None
    return train, test.drop(columns=target), test[["id", target]].assign(usage="Private")


def _read_split(split: str, facts: CompetitionFacts, raw: Path) -> pd.DataFrame:
    """Reads the images of a split: columns id, image, label, patient and the columns of labels.keep_columns."""
    labels = facts.labels
    images = facts.images
    patterns = images.train if split == "train" else images.test
    table = _match_images(split, patterns, facts, raw)
    if patterns and table["label"].notna().all():
        # The same accent may be encoded as one character or as two.
        table["label"] = table["label"].map(partial(unicodedata.normalize, "NFC"))
        table["label"] = map_labels(table[["label"]], facts)["label"]
        table = drop_rows(table, table["label"].isna())
    _check_folder_classes(table, facts, raw)
    if patterns:
        table = with_headers(table, table["image"], images.dicom_headers, raw)
    for column in [*([labels.group] if labels.group else []), *labels.keep_columns] if split == "train" else ():
        if column not in table:
            example = f"{patterns[0].rpartition('/')[0]}/{{{column}}}/{{id}}.png"
            key = "labels.group" if column == labels.group else "labels.keep_columns"
            fix = f"Write it as a field: {example}; or name a DICOM header in images.dicom_headers"
            raise SettingError(f"no field of images.train and no header is called '{column}'", key, fix)
    patients = patient_column(table, table, facts)
    # Patient numbers in file names may restart in the test set, so that equal ones are different patients.
    may_restart = labels.group not in images.dicom_headers
    table["patient"] = [f"{split} {patient}" if patient and may_restart else patient for patient in patients]
    extra = [column for column in labels.keep_columns if column in table]
    return table[["id", "image", "label", "patient", *extra]].copy()


def _match_images(split: str, patterns: list[str], facts: CompetitionFacts, raw: Path) -> pd.DataFrame:
    """Finds the images of a split: columns id, image, label and the other fields of the patterns."""
    images = facts.images
    all_files = list_files(raw, exclude=images.exclude)
    # Where a folder `test` is beside the class folders, {label}/{id}.png would match its images, too.
    unlabelled = [PathPattern(pattern) for pattern in images.test if split == "train" and "{label}" not in pattern]
    candidates = [path for path in all_files if not any(path_pattern.match(path) for path_pattern in unlabelled)]
    rows = []
    for path_pattern in map(PathPattern, patterns):
        matches = ((path, path_pattern.match(path)) for path in candidates)
        rows += [{**fields, "image": path} for path, fields in matches if fields is not None]
    columns = list(dict.fromkeys(["id", "image", "label", *(name for row in rows for name in row)]))
    table = pd.DataFrame(rows, columns=columns, dtype=str).drop_duplicates("image")
    if table.empty and patterns:
        fix = f"Correct the pattern. {found_folders(all_files)}"
        raise SettingError(f"no {split} image matches {' or '.join(patterns)}", f"images.{split}", fix)
    return table


def _check_folder_classes(table: pd.DataFrame, facts: CompetitionFacts, raw: Path) -> None:
    """Raises UserError if a label is not a class."""
    unknown = sorted(set(table["label"].dropna()) - set(facts.class_names))
    if unknown:
        image_path = table.loc[table["label"] == unknown[0], "image"].iloc[0]
        fix = f"Expected: {', '.join(facts.class_names)}. Map other names with labels.map"
        hint = did_you_mean(unknown[0], facts.class_names)
        raise UserError(f"the folder '{unknown[0]}' is not a class{hint}", raw / image_path, fix)


def _make_ids_unique(facts: CompetitionFacts, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Replaces ids that are not unique with longer parts of the image paths.

    File names may recur in several classes, or in train and test. Ids of the test set stay the same as long as they
    are unique, since a sample submission may name them.
    """
    pattern = facts.labels.id if "{" in facts.labels.id else ""
    for split, table in (("test", test), ("train", train)):
        replaced = False
        if pattern and not table[pattern_fields(pattern)].isna().any(axis=None):
            table["id"] = fill_pattern(pattern, table, "labels.id")
        path_without_ending = table["image"].str.replace(r"\.\w+$", "", regex=True)
        for longer in (table["label"] + "/" + table["id"], path_without_ending, table["image"]):
            in_both = split == "train" and bool(set(table["id"]) & set(test["id"]))
            if not (table["id"].duplicated().any() or in_both) or longer.isna().any():
                continue
            table["id"] = longer
            replaced = True
        if replaced:
            say("samples", f"names of {split} images recur: ids are made of their paths, like {table['id'].iloc[0]}")
