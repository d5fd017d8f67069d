"""Training set, test set and solution of a competition whose labels are in a table; the table layouts share it."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.data.label_layouts.image_columns import check_kept_headers, locate_images, patient_column
from medfold.data.label_layouts.layout import TrainTestSolution
from medfold.data.label_layouts.test_set import divide_by_split, read_test_rows
from medfold.raw_files import check_column, merge_repeated_rows, read_table
from medfold.system.path_checks import path_inside
from medfold.terminal.console import say
from medfold.text import count_of


def read_label_table(
    facts: CompetitionFacts,
    raw: Path,
    needed: dict[str, str],
    parse: Callable[[pd.DataFrame, CompetitionFacts, Path], pd.DataFrame],
) -> TrainTestSolution:
    """Reads training set, test set and solution of a competition whose labels are in a table.

    Args:
        facts: facts of the competition; `labels` names the tables.
        raw: folder of the raw data.
        needed: the columns that the labels are read from, and the key of competition.yaml that names each.
        parse: function (table, facts, path) that turns these columns into checked target columns, and
            removes rows that `labels.map` leaves out.
    """
    check_kept_headers(facts)
    labels = facts.labels
    path = path_inside(raw, facts.labels.file)
    split_column = {labels.split: "labels.split"} if labels.split else {}
    table = read_table(path, {labels.id: "labels.id", **needed, **split_column}, "labels.file")
    test = None
    test_path = path_inside(raw, labels.test_file) if labels.test_file else path
    if labels.split:
        table, test = divide_by_split(table, facts, path)
    elif not labels.holdout:
        test = read_test_rows(facts, raw)
    train = merge_repeated_rows(parse(table, facts, path), [labels.id], labels.targets, facts, path)
    if test is None:
        return _build_split(train, facts, raw), None, None
    # Where a table has labels of the test set and there is no other leaderboard, they serve the local one.
    has_columns = facts.upload == "none" and (labels.split or labels.test_file) and set(needed) <= set(test)
    has_labels = has_columns and bool((test[list(needed)] != "").any(axis=None))
    if has_labels:
        say("samples", f"{test_path.name} has labels: they become the solution of the local leaderboard")
        rows = parse(test, facts, test_path)
        test = merge_repeated_rows(rows, [labels.id], labels.targets, facts, test_path)
    else:  # a sample submission has columns with the names of the targets, too
        test = test.drop(columns=labels.targets, errors="ignore")
    train, test = _build_split(train, facts, raw), _build_split(test, facts, raw, "test")
    _make_training_ids_differ(train, test)
    if not has_labels:
        return train, test, None
    solution = test[labels.targets].assign(id=test["unit"], usage="Private").drop_duplicates("id")
    return train, test.drop(columns=labels.targets), solution[["id", *labels.targets, "usage"]]


def _build_split(table: pd.DataFrame, facts: CompetitionFacts, raw: Path, split: str = "train") -> pd.DataFrame:
    """Builds a split's table: id, image, unit, patient, the targets and the columns of labels.keep_columns.

    Args:
        table: the table of the raw data, with the targets where they are known.
        facts: facts of the competition (`labels` and `images`).
        raw: folder of the raw data.
        split: train or test; tables of the test set may lack labels.group and labels.keep_columns. Defaults to train.
    """
    labels = facts.labels
    path = path_inside(raw, facts.labels.file)
    images = facts.images
    patterns = images.train if split == "train" else images.test or images.train
    located, original = locate_images(table, patterns, facts, raw)
    group = {labels.group: "labels.group"} if labels.group else {}
    kept = dict.fromkeys(labels.keep_columns, "labels.keep_columns")
    for column, key in (group | kept).items() if split == "train" else ():
        check_column(column, key, original, path.name)
    copied = [column for column in [*labels.keep_columns, *labels.targets] if column in original]
    return pd.concat([located, patient_column(located, original, facts), original[copied]], axis=1)


def _make_training_ids_differ(train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Puts the folder in front of the ids of training images, where training and test images have the same ids.

    Ids of the test set stay, since a sample submission names them.
    """
    shared = train.merge(test, on="id")
    if shared.empty or (shared["image_x"] == shared["image_y"]).any():
        return
    folder = train["image"].str.partition("|")[0].str.rpartition("/")[0]
    ids = folder.where(folder == "", folder + "/") + train["id"]
    if ids.duplicated().any() or ids.isin(test["id"]).any():
        return
    train["unit"] = train["unit"].where(train["unit"] != train["id"], ids)
    train["id"] = ids
    say(
        "samples",
        f"{count_of(len(shared), 'id is', 'ids are')} in train and test: training ids are prefixed "
        f"with the folder: {ids.iloc[0]}",
    )
