"""Label layouts, the values of labels.shape. A new one is a function with the decorator `@label_layout`."""

import re
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import Competition
from medfold.console import say, warn
from medfold.data import image_patterns, label_tables
from medfold.data.image_patterns import PathPattern, list_files
from medfold.data.label_arrays import class_numbers, open_arrays
from medfold.data.label_tables import is_one_hot, parse_marks, read_table
from medfold.data.parts import choose_test_part, part_from_name
from medfold.errors import UserError, count_of, did_you_mean, shorten_list
from medfold.images import identifying_keywords, path_of_image, read_headers
from medfold.registry import Registry

LAYOUTS: Registry[Callable] = Registry("label layout")
Parts = tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame | None]  # train, test, solution
FEW_IMAGES = 20  # with so few images, each may well be of a different patient


def label_layout(function: Callable) -> Callable:
    """Registers `function(competition, raw) -> (train, test, solution)` under its own name.

    `train` and `test` have the columns `id`, `image`, `unit`, `patient` (text, or missing) and, in train, the targets.
    `solution` has `id`, the targets and `usage`; it is None where the raw data has no labels of the test part. With
    labels.holdout, `test` is None.
    """
    LAYOUTS.register(function.__name__, function)
    return function


@label_layout
def wide(competition: Competition, raw: Path) -> Parts:
    """One row per image in a table, one column per target."""
    return _read_label_table(competition, raw, competition.labels.targets, _wide)


def _wide(table: pd.DataFrame, competition: Competition, path: Path) -> pd.DataFrame:
    mapped = label_tables.map_labels(table[competition.labels.targets], competition)
    table = label_tables.drop_rows(table.assign(**mapped), mapped.isna().any(axis=1))
    for target in competition.labels.targets:
        label_tables.check_classes(table, target, competition, path)
    return table


@label_layout
def long(competition: Competition, raw: Path) -> Parts:
    """One row per image and label, named `<id>_<target>`, in a table; the label in the column labels.value."""
    return _read_label_table(competition, raw, [competition.labels.value], _long)


def _long(rows: pd.DataFrame, competition: Competition, path: Path) -> pd.DataFrame:
    labels = competition.labels
    ids, target = split_long(rows[labels.id], labels.targets, path)
    value = label_tables.map_labels(rows[[labels.value]], competition)[labels.value]
    rows = pd.DataFrame({labels.id: ids, "target": target, labels.value: value})
    rows = label_tables.drop_rows(rows, ids.isin(ids[value.isna()]))
    label_tables.check_classes(rows, labels.value, competition, path)
    rows = label_tables.merge_repeated_rows(rows, [labels.id, "target"], [labels.value], competition, path)
    repeated = rows.duplicated([labels.id, "target"])
    if repeated.any():
        names = (rows[labels.id] + "_" + rows["target"])[repeated]
        fix = "Set labels.repeated in competition.yaml: how to merge several rows of one id"
        raise UserError(
            f"{count_of(repeated.sum(), 'row appears', 'rows appear')} twice: {shorten_list(names)}", path, fix
        )
    train = rows.pivot(index=labels.id, columns="target", values=labels.value)
    train = train.reindex(columns=labels.targets)
    incomplete = train.index[train.isna().any(axis=1)]
    if len(incomplete):
        what = (
            f"{count_of(len(incomplete), 'id has', 'ids have')} no row for some of the labels: "
            f"{shorten_list(incomplete)}"
        )
        raise UserError(what, path, "Add the rows, or remove the ids from the table")
    return train.reset_index().rename_axis(columns=None)


@label_layout
def one_hot(competition: Competition, raw: Path) -> Parts:
    """One row per image in a table, one column per class: 1 for the class of the image, 0 for the others."""
    return _read_label_table(competition, raw, competition.class_names, _one_hot)


def _one_hot(table: pd.DataFrame, competition: Competition, path: Path) -> pd.DataFrame:
    names = competition.class_names
    (target,) = competition.labels.targets
    marks = parse_marks(table, names)
    wrong = ~is_one_hot(marks)
    if wrong.any():
        ids = table[competition.labels.id][wrong]
        what = (
            f"{count_of(wrong.sum(), 'row does', 'rows do')} not have one 1 and else 0 in "
            f"{shorten_list(names, 6)}: {shorten_list(ids)}"
        )
        raise UserError(what, path, "With several labels per image: task multilabel, labels.shape wide")
    return table.assign(**{target: np.array(names, object)[marks.to_numpy().argmax(axis=1)]})


@label_layout
def lists(competition: Competition, raw: Path) -> Parts:
    """One row per image in a table; the column labels.value lists its labels, separated by labels.separator."""
    return _read_label_table(competition, raw, [competition.labels.value], _lists)


def _lists(table: pd.DataFrame, competition: Competition, path: Path) -> pd.DataFrame:
    labels = competition.labels
    names = (
        table[labels.value].map(partial(split_label_list, separator=labels.separator)).explode().fillna("").to_frame()
    )
    names = label_tables.map_labels(names, competition)[labels.value]
    table = label_tables.drop_rows(table, pd.Series(table.index.isin(names.index[names.isna()]), table.index))
    names = label_tables.match_class_spelling(names[names.notna() & (names != "")], [*labels.targets, *labels.ignore])
    names = names[~names.isin(labels.ignore)]
    unknown = names[~names.isin(labels.targets)]
    if len(unknown):
        where = f"{path}, row {unknown.index[0] + 2}, column '{labels.value}'"
        raise UserError(f"unknown label '{unknown.iloc[0]}'", where, f"Known: {shorten_list(labels.targets, 30)}")
    counts = pd.crosstab(names.index, names).reindex(index=table.index, columns=labels.targets, fill_value=0)
    table[labels.targets] = (counts.to_numpy() > 0).astype(int).astype(str)
    return table


@label_layout
def folders(competition: Competition, raw: Path) -> Parts:
    """Labels as folder names: patterns with `{label}` and `{id}`. Labels of the test part become the solution.

    Other fields of the patterns, as in `{label}/{patient}/{id}.png`, and DICOM headers become columns for labels.group.
    """
    (target,) = competition.labels.targets
    _refuse_private(competition)
    labels, images = competition.labels, competition.images
    all_files = list_files(raw, exclude=images.exclude)
    tables = {}
    for part, patterns in (("train", images.train), ("test", images.test)):
        rows = []
        # Where a folder `test` is beside those of the classes, {label}/{id}.png would match its images, too.
        unlabelled = [PathPattern(pattern) for pattern in images.test if part == "train" and "{label}" not in pattern]
        candidates = [path for path in all_files if not any(path_pattern.match(path) for path_pattern in unlabelled)]
        for path_pattern in map(PathPattern, patterns):
            matches = ((path, path_pattern.match(path)) for path in candidates)
            rows += [{**fields, "image": path} for path, fields in matches if fields is not None]
        columns = list(dict.fromkeys(["id", "image", "label", *(name for row in rows for name in row)]))
        table = pd.DataFrame(rows, columns=columns, dtype=str).drop_duplicates("image")
        if table.empty and patterns:
            raise UserError(f"no {part} image matches {' or '.join(patterns)}", raw, _found_folders(all_files))
        if patterns and table["label"].notna().all():
            # The same accent may be encoded as one character or as two.
            table["label"] = table["label"].map(partial(unicodedata.normalize, "NFC"))
            table["label"] = label_tables.map_labels(table[["label"]], competition)["label"]
            table = label_tables.drop_rows(table, table["label"].isna())
        unknown = sorted(set(table["label"].dropna()) - set(competition.class_names))
        if unknown:
            image = table.loc[table["label"] == unknown[0], "image"].iloc[0]
            fix = f"Expected: {', '.join(competition.class_names)}. Map other names with labels.map"
            hint = did_you_mean(unknown[0], competition.class_names)
            raise UserError(f"the folder '{unknown[0]}' is not a class{hint}", raw / image, fix)
        if patterns:
            table = _with_headers(table, table["image"], images.headers, raw)
        for column in [*([labels.group] if labels.group else []), *labels.keep] if part == "train" else ():
            if column not in table:
                example = f"{patterns[0].rpartition('/')[0]}/{{{column}}}/{{id}}.png"
                fix = f"Write it as a field: {example}; or see images.headers"
                raise UserError(f"no field of images.train and no header is called '{column}'", "labels", fix)
        patients = _patient_column(table, table, competition)
        # Patient numbers in file names may restart in the test part, so that equal ones are different patients.
        may_restart = labels.group not in images.headers
        table["patient"] = [f"{part} {patient}" if patient and may_restart else patient for patient in patients]
        extra = [column for column in labels.keep if column in table]
        tables[part] = table[["id", "image", "label", "patient", *extra]].copy()
    _make_ids_unique(competition, tables["train"], tables["test"])
    parts = []
    for table in tables.values():
        table["unit"] = table["id"]
        parts.append(table.rename(columns={"label": target}).sort_values("id", kind="stable").reset_index(drop=True))
    train, test = parts
    if not images.test:
        return train, None, None
    unlabelled = test[target].isna()
    if unlabelled.any():
        if not unlabelled.all():
            what = "some patterns of the test part have {label} and some have not"
            raise UserError(what, "images.test", "Write {label} into all of them, or into none")
        return train, test.drop(columns=target), None
    return train, test.drop(columns=target), test[["id", target]].assign(usage="Private")


def _make_ids_unique(competition: Competition, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Replaces ids that are not unique by longer parts of the image paths.

    File names may recur in several classes, or in train and test. Ids of the test part stay the same as long as they
    are unique, since a sample submission may name them.
    """
    pattern = competition.labels.id if "{" in competition.labels.id else ""
    for part, table in (("test", test), ("train", train)):
        replaced = False
        if pattern and not table[image_patterns.pattern_fields(pattern)].isna().any(axis=None):
            table["id"] = image_patterns.fill_pattern(pattern, table, "labels.id")
        path_without_ending = table["image"].str.replace(r"\.\w+$", "", regex=True)
        for longer in (table["label"] + "/" + table["id"], path_without_ending, table["image"]):
            in_both_parts = part == "train" and bool(set(table["id"]) & set(test["id"]))
            if not (table["id"].duplicated().any() or in_both_parts) or longer.isna().any():
                continue
            table["id"] = longer
            replaced = True
        if replaced:
            say("samples", f"names of {part} images recur: ids are made of their paths, like {table['id'].iloc[0]}")


@label_layout
def arrays(competition: Competition, raw: Path) -> Parts:
    """Images and labels as arrays of one .npz file: `<part>_images`; `<part>_labels`, (n,) or (n, targets)."""
    labels = competition.labels
    path = raw / labels.file
    tables = []
    with open_arrays(path) as content:
        for prefixes in (labels.train, ["test"]):
            pieces = []
            for prefix in prefixes:
                if f"{prefix}_labels" not in content or f"{prefix}_images" not in content:
                    raise UserError(
                        f"no array '{prefix}_images' or '{prefix}_labels'", path, f"Arrays: {', '.join(content.files)}"
                    )
                values, count = content[f"{prefix}_labels"], len(content[f"{prefix}_images"])
                values = values.reshape(len(values), -1)
                numbers = class_numbers(values) if competition.task != "multilabel" else None
                if numbers is not None and values.shape[1] == len(competition.class_names):
                    values = np.array(competition.class_names)[numbers][:, None]
                if values.shape != (count, len(labels.targets)):
                    expected = (count, len(labels.targets))
                    fix = "Check labels.targets and classes in competition.yaml: a row per image, a column per target"
                    raise UserError(
                        f"labels of shape {values.shape}, expected {expected}", f"{path}, {prefix}_labels", fix
                    )
                ids = [f"{prefix}{row:05d}" for row in range(count)]
                images = [f"{labels.file}#{prefix}_images/{row}" for row in range(count)]
                pieces.append(pd.DataFrame(values.astype(str), columns=labels.targets).assign(id=ids, image=images))
            table = pd.concat(pieces, ignore_index=True).assign(patient=None)
            table["unit"] = table["id"]
            mapped = label_tables.map_labels(table[labels.targets], competition)
            table = label_tables.drop_rows(table.assign(**mapped), mapped.isna().any(axis=1)).reset_index(drop=True)
            for target in labels.targets:
                label_tables.check_classes(table, target, competition, path)
            tables.append(table)
    train, test = tables
    return train, test.drop(columns=labels.targets), test[["id", *labels.targets]].assign(usage="Private")


def split_label_list(text: str, separator: str) -> list[str]:
    """Splits a list of labels: `a|b c` -> 'a' and 'b c'; ignores brackets and quotes, as in `['a', 'b']`."""
    enclosed = re.fullmatch(r"\s*[\[({](.*)[\])}]\s*", text, re.S)
    parts = (enclosed[1] if enclosed else text).split(None if separator == " " else separator)
    return [name for part in parts if (name := part.strip(" '\""))]


def read_test_table(competition: Competition, raw: Path) -> pd.DataFrame:
    """Reads only the test part, as a notebook on Kaggle needs it.

    Does not read the labels of the training part. Images may be missing; they count as unreadable later.

    Args:
        raw: the folder that patterns start from.

    Returns:
        Text columns id, image, unit.

    Raises:
        UserError: no table of the test part.
    """
    labels, images = competition.labels, competition.images
    if labels.shape in (folders.__name__, arrays.__name__):
        _, test, _ = LAYOUTS.find(labels.shape, "labels.shape")(competition, raw)
    else:
        test = _test_table(competition, raw)
        test, _ = _locate_images(test, images.test or images.train, competition, raw, complete=False)
    return test[["id", "image", "unit"]]


def split_long(names: pd.Series, targets: list[str], path: Path) -> tuple[pd.Series, pd.Series]:
    """Splits names of rows into id and target: `ID_1_any` -> `ID_1` and `any`.

    Args:
        names: texts `<id>_<target>`.
        targets: the names of the labels.
        path: file of the table, for error messages.

    Returns:
        Ids and targets, in the order of `names`.

    Raises:
        UserError: a name that does not end with a target.
    """
    endings = "|".join(re.escape(target) for target in sorted(targets, key=len, reverse=True))
    parts = names.str.extract(rf"^(.+?)_({endings})$")
    wrong = parts[0].isna()
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        raise UserError(
            f"row {row + 2}: '{names.iloc[row]}' is not <id>_<label>", path, f"Labels: {shorten_list(targets, 30)}"
        )
    return parts[0], parts[1]


def _read_label_table(
    competition: Competition,
    raw: Path,
    needed: list[str],
    parse: Callable[[pd.DataFrame, Competition, Path], pd.DataFrame],
) -> Parts:
    """Reads training part, test part and solution of a competition whose labels are in a table.

    Args:
        needed: columns that the labels are read from.
        parse: turns them into checked target columns, without the rows that `labels.map` leaves out.
    """
    _refuse_private(competition)
    labels, path = competition.labels, raw / competition.labels.file
    table = read_table(path, [labels.id, *needed, *([labels.part] if labels.part else [])])
    test, test_path = None, raw / labels.test if labels.test else path
    if labels.part:
        table, test = _split_by_part(table, competition, path)
    elif not labels.holdout:
        test = _test_table(competition, raw)
    train = label_tables.merge_repeated_rows(
        parse(table, competition, path), [labels.id], labels.targets, competition, path
    )
    if test is None:
        return _build_part(train, competition, raw), None, None
    # Where a table has labels of the test part and there is no other leaderboard, they serve the local one.
    has_columns = competition.upload == "local" and (labels.part or labels.test) and set(needed) <= set(test)
    has_labels = has_columns and bool((test[needed] != "").any(axis=None))
    if has_labels:
        say("samples", f"{test_path.name} has labels: they become the hidden solution of the local leaderboard")
        rows = parse(test, competition, test_path)
        test = label_tables.merge_repeated_rows(rows, [labels.id], labels.targets, competition, test_path)
    else:  # a sample submission has columns with the names of the targets, too
        test = test.drop(columns=labels.targets, errors="ignore")
    train, test = _build_part(train, competition, raw), _build_part(test, competition, raw, "test")
    _make_training_ids_differ(train, test)
    if not has_labels:
        return train, test, None
    solution = test[labels.targets].assign(id=test["unit"], usage="Private").drop_duplicates("id")
    return train, test.drop(columns=labels.targets), solution[["id", *labels.targets, "usage"]]


def _refuse_private(competition: Competition) -> None:
    """Raises UserError if labels.keep names a DICOM header that may identify a patient."""
    if private := identifying_keywords(set(competition.labels.keep) & set(competition.images.headers)):
        fix = "To group by it, use labels.group: the sample table then has a number instead"
        raise UserError(f"the header {private[0]} may identify a patient", "labels.keep", fix)


def _split_by_part(table: pd.DataFrame, competition: Competition, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Splits a table into training and test part by the column `labels.part`.

    Rows of the validation part go to the training part, since folds replace it; without a test part they become the
    test part.

    Raises:
        UserError: a part without rows, a value that is not a part, or an id in several parts.
    """
    column, key = competition.labels.part, competition.labels.id
    part = table[column].map({value: part_from_name(value) for value in table[column].unique()})
    if part.isna().any():
        row = part.index[int(np.argmax(part.isna().to_numpy()))]
        value = table.at[row, column] or "nothing"
        fix = "Known: train, valid, test and their other forms. Correct it, or remove labels.part"
        raise UserError(f"row {row + 2}, column '{column}': found {value}, which is not a part", path, fix)
    several = part.groupby(table[key]).nunique()
    if (several > 1).any():
        ids = several.index[several > 1]
        what = f"{count_of(len(ids), 'id')} in several parts: {shorten_list(ids)}"
        raise UserError(what, f"{path}, column '{column}'", "Give each id one part, or remove labels.part")
    counts = part.value_counts()
    test_part = choose_test_part(counts.index)
    if test_part not in counts or "train" not in counts:
        fix = "Remove labels.part, and set labels.holdout: the share of the images for the test part"
        raise UserError(f"column '{column}' has rows of {', '.join(counts.index)} only", path, fix)
    joined = ""
    if test_part == "test" and "valid" in counts:
        joined = f", {counts['valid']:,} of the validation part among them"
    is_test = part == test_part
    num_rows = f"{count_of((~is_test).sum(), 'row')} to train on{joined}, {counts[test_part]:,} to test on"
    say("samples", f"by column '{column}': {num_rows}")
    return table[~is_test].copy(), table[is_test].copy()


def _build_part(table: pd.DataFrame, competition: Competition, raw: Path, part: str = "train") -> pd.DataFrame:
    """Builds a part's table: id, image, unit, patient, the targets and the columns of labels.keep.

    Args:
        table: the table of the raw data, with the targets where they are known.
        part: train or test; tables of the test part may lack labels.group and labels.keep.
    """
    labels, path = competition.labels, raw / competition.labels.file
    images = competition.images
    patterns = images.train if part == "train" else images.test or images.train
    located, original = _locate_images(table, patterns, competition, raw)
    for column in [*([labels.group] if labels.group else []), *labels.keep] if part == "train" else ():
        if column not in original:
            columns = f"Columns: {', '.join(map(str, original.columns))}"
            raise UserError(f"no column '{column}'{did_you_mean(column, original.columns)}", path, columns)
    copied = [column for column in [*labels.keep, *labels.targets] if column in original]
    return pd.concat([located, _patient_column(located, original, competition), original[copied]], axis=1)


def _make_training_ids_differ(train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Puts the folder in front of the ids of training images, where images of both parts have the same ids.

    Ids of the test part stay, since a sample submission names them.
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


def _patient_column(located: pd.DataFrame, original: pd.DataFrame, competition: Competition) -> pd.Series:
    labels = competition.labels
    column = original[labels.group] if labels.group is not None and labels.group in original else None
    return pd.Series(_patients(located["id"], labels.group_pattern, column), located.index, object, name="patient")


def _locate_images(
    table: pd.DataFrame, patterns: list[str], competition: Competition, raw: Path, complete: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Finds the images of a table.

    Args:
        table: the table of the raw data; its columns keep their names, even if one is called id or image.
        patterns: patterns of images.train or images.test.
        complete: see `image_patterns.find_images`.

    Returns:
        A table with id, image and unit; and `table` with one more column for each DICOM header in images.headers.
    """
    with_id = table.assign(id=table[competition.labels.id])
    image = image_patterns.find_images(with_id, patterns, competition, raw, complete)
    unit, keywords = competition.score.unit, competition.images.headers
    if not complete:
        keywords = [keyword for keyword in keywords if unit and keyword in image_patterns.pattern_fields(unit)]
    table = _with_headers(table, image, keywords, raw, complete)
    with_id = table.assign(id=with_id["id"])
    units = image_patterns.fill_pattern(unit, with_id, "score.unit") if unit else with_id["id"]
    return pd.DataFrame({"id": with_id["id"], "image": image, "unit": units}), table


def _with_headers(
    table: pd.DataFrame, image: pd.Series, keywords: list[str], raw: Path, complete: bool = True
) -> pd.DataFrame:
    """Adds a column for each DICOM header; '' for missing images."""
    if not keywords:
        return table
    exists = image.map(lambda path: path_of_image(raw, path).is_file())  # images.tolerate allows missing ones
    headers = read_headers(raw, image[exists], keywords, complete)
    columns = {name: pd.Series(values, image.index[exists]) for name, values in headers.items()}
    return table.assign(**{name: values.reindex(image.index, fill_value="") for name, values in columns.items()})


def _test_table(competition: Competition, raw: Path) -> pd.DataFrame:
    """Rows of the test part: by labels.part, from labels.test, from the sample submission, or from the image files."""
    labels, submission = competition.labels, competition.submission
    if labels.part:
        path = raw / labels.file
        return _split_by_part(read_table(path, [labels.id, labels.part]), competition, path)[1].reset_index(drop=True)
    if labels.test:
        return read_table(raw / labels.test, [labels.id])
    if not submission.sample:
        return _test_files(competition, raw)
    path = raw / submission.sample
    test = read_table(path, [submission.id])
    if submission.shape == "long":
        test = test.assign(**{submission.id: split_long(test[submission.id], labels.targets, path)[0]})
        test = test.drop_duplicates(submission.id)
    return test.assign(**{labels.id: test[submission.id]}).reset_index(drop=True)


def _test_files(competition: Competition, raw: Path) -> pd.DataFrame:
    """Table of the files that match the patterns of the test part, with a column for each field."""
    images, key = competition.images, competition.labels.id
    all_files, rows = list_files(raw, exclude=images.exclude), []
    for path_pattern in map(PathPattern, images.test):
        rows += [fields for path in all_files if (fields := path_pattern.match(path)) is not None]
    if not rows:
        raise UserError(f"no test image matches {' or '.join(images.test)}", raw, _found_folders(all_files))
    table = pd.DataFrame(rows, dtype=str).drop_duplicates("id").sort_values("id", kind="stable")
    return table.assign(**{key: table["id"]}).reset_index(drop=True)


def _patients(ids: pd.Series, pattern: str | None, column: pd.Series | None = None) -> list[str | None]:
    """The patient of each image: the value of a column, or a pattern's match at the start of the id; None if unknown.

    The pattern gives its named group 'group', else its first group, else the whole match. Warns of ids that it does not
    match.
    """
    if column is not None:
        return [value or None for value in column]
    if not pattern:
        return [None] * len(ids)
    matches = [re.match(pattern, id) for id in ids]
    patients = [
        match and (match.groupdict().get("group") or match[min(1, match.re.groups)] or match[0]) for match in matches
    ]
    unmatched = [id for id, match in zip(ids, matches, strict=True) if not match]
    if unmatched:
        count = f"{len(unmatched):,} of {len(ids):,} ids"
        warn(
            "samples",
            f"labels.group_pattern does not match {count}: each is a separate group: {shorten_list(unmatched)}",
        )
    elif len(ids) > FEW_IMAGES and len(set(patients)) == len(patients):
        warn("samples", f"labels.group_pattern joins nothing: {len(ids):,} ids, as many groups")
    return patients


def _found_folders(all_files: list[str]) -> str:
    folders = sorted({path.rpartition("/")[0] or "." for path in all_files})
    return f"Folders found: {shorten_list(folders, 5)}"
