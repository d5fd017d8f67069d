"""The shapes that labels come in. A new one is a function with the decorator `@shape`."""

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
from medfold.data.image_patterns import PathRule, list_files
from medfold.data.label_arrays import class_numbers, open_arrays
from medfold.data.label_tables import is_one_hot, parse_marks, read_table
from medfold.data.parts import choose_test_part, part_from_name
from medfold.errors import UserError, did_you_mean, shorten_list
from medfold.images import identifying_keywords, path_of_image, read_headers
from medfold.registry import Registry

LAYOUTS: Registry[Callable] = Registry("shape of labels")
Parts = tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame | None]  # train, test, solution
FEW = 20  # images that may well be of as many patients


def label_layout(function: Callable) -> Callable:
    """Registers `function(competition, raw) -> (train, test, solution)` under its own name.

    The tables have `id`, `image`, `unit`, `patient` (text, or missing) and, in train, the targets; `solution` has
    `id`, the targets and `usage`, or is None where the labels of the test part are not among the raw data. With
    labels.holdout there is no test table: None.
    """
    LAYOUTS.register(function.__name__, function)
    return function


@label_layout
def wide(competition: Competition, raw: Path) -> Parts:
    """One row per image in a table, one column per target."""
    return _from_table(competition, raw, competition.labels.targets, _wide)


def _wide(table: pd.DataFrame, competition: Competition, path: Path) -> pd.DataFrame:
    meant = label_tables.map_labels(table[competition.labels.targets], competition)
    table = label_tables.drop_rows(table.assign(**meant), meant.isna().any(axis=1))
    for target in competition.labels.targets:
        label_tables.check_classes(table, target, competition, path)
    return table


@label_layout
def long(competition: Competition, raw: Path) -> Parts:
    """One row per image and label, named `<id>_<target>`, in a table; the label in the column labels.value."""
    return _from_table(competition, raw, [competition.labels.value], _long)


def _long(rows: pd.DataFrame, competition: Competition, path: Path) -> pd.DataFrame:
    labels = competition.labels
    ids, target = split_long(rows[labels.id], labels.targets, path)
    value = label_tables.map_labels(rows[[labels.value]], competition)[labels.value]
    rows = pd.DataFrame({labels.id: ids, "target": target, labels.value: value})
    rows = label_tables.drop_rows(rows, ids.isin(ids[value.isna()]))
    label_tables.check_classes(rows, labels.value, competition, path)
    rows = label_tables.merge_repeated_rows(rows, [labels.id, "target"], [labels.value], competition, path)
    twice = rows.duplicated([labels.id, "target"])
    if twice.any():
        named = (rows[labels.id] + "_" + rows["target"])[twice]
        fix = "labels.repeated in competition.yaml says what several rows of one id mean"
        raise UserError(f"{twice.sum()} rows stand twice: {shorten_list(named)}", path, fix)
    train = rows.pivot(index=labels.id, columns="target", values=labels.value)
    train = train.reindex(columns=labels.targets)
    gaps = train.index[train.isna().any(axis=1)]
    if len(gaps):
        raise UserError(f"{len(gaps)} ids have no row for some of the labels: {shorten_list(gaps)}", path)
    return train.reset_index().rename_axis(columns=None)


@label_layout
def one_hot(competition: Competition, raw: Path) -> Parts:
    """One row per image in a table, a column per class: 1 for the class of the image, 0 for the others."""
    return _from_table(competition, raw, competition.class_names, _one_hot)


def _one_hot(table: pd.DataFrame, competition: Competition, path: Path) -> pd.DataFrame:
    names = competition.class_names
    (target,) = competition.labels.targets
    marked = parse_marks(table, names)
    wrong = ~is_one_hot(marked)
    if wrong.any():
        ids = table[competition.labels.id][wrong]
        what = f"{wrong.sum():,} rows do not have one 1 and else 0 in {shorten_list(names, 6)}: {shorten_list(ids)}"
        raise UserError(what, path, "With several labels an image: task multilabel, labels.shape wide")
    return table.assign(**{target: np.array(names, object)[marked.to_numpy().argmax(axis=1)]})


@label_layout
def lists(competition: Competition, raw: Path) -> Parts:
    """One row per image in a table; the column labels.value holds the names of its labels, with a separator between."""
    return _from_table(competition, raw, [competition.labels.value], _lists)


def _lists(table: pd.DataFrame, competition: Competition, path: Path) -> pd.DataFrame:
    labels = competition.labels
    named = (
        table[labels.value].map(partial(split_label_list, separator=labels.separator)).explode().fillna("").to_frame()
    )
    named = label_tables.map_labels(named, competition)[labels.value]
    table = label_tables.drop_rows(table, pd.Series(table.index.isin(named.index[named.isna()]), table.index))
    named = label_tables.match_class_spelling(named[named.notna() & (named != "")], [*labels.targets, *labels.ignore])
    named = named[~named.isin(labels.ignore)]
    unknown = named[~named.isin(labels.targets)]
    if len(unknown):
        where = f"{path}, row {unknown.index[0] + 2}, column '{labels.value}'"
        raise UserError(f"unknown label '{unknown.iloc[0]}'", where, f"Known: {shorten_list(labels.targets, 30)}")
    member = pd.crosstab(named.index, named).reindex(index=table.index, columns=labels.targets, fill_value=0)
    table[labels.targets] = (member.to_numpy() > 0).astype(int).astype(str)
    return table


@label_layout
def folders(competition: Competition, raw: Path) -> Parts:
    """Labels as names of folders: patterns with `{label}` and `{id}`. Labels of the test part are the solution.

    Further fields of the patterns, and DICOM headers, are columns: `{label}/{patient}/{id}.png` may be grouped by.
    """
    (target,) = competition.labels.targets
    _refuse_private(competition)
    labels, images = competition.labels, competition.images
    everything = list_files(raw, exclude=images.exclude)
    found = {}
    for part, rules in (("train", images.train), ("test", images.test)):
        rows = []
        # Of folders of classes beside a folder test, {label}/{id}.png would match the images of that, too.
        unlabelled = [PathRule(rule) for rule in images.test if part == "train" and "{label}" not in rule]
        candidates = [path for path in everything if not any(rule.match(path) for rule in unlabelled)]
        for rule in map(PathRule, rules):
            matches = ((path, rule.match(path)) for path in candidates)
            rows += [{**fields, "image": path} for path, fields in matches if fields is not None]
        columns = list(dict.fromkeys(["id", "image", "label", *(name for row in rows for name in row)]))
        table = pd.DataFrame(rows, columns=columns, dtype=str).drop_duplicates("image")
        if table.empty and rules:
            raise UserError(f"no {part} image matches {' or '.join(rules)}", raw, _seen(everything))
        if rules and table["label"].notna().all():
            # Accents in one letter or in two are the same name.
            table["label"] = table["label"].map(partial(unicodedata.normalize, "NFC"))
            table["label"] = label_tables.map_labels(table[["label"]], competition)["label"]
            table = label_tables.drop_rows(table, table["label"].isna())
        unknown = sorted(set(table["label"].dropna()) - set(competition.class_names))
        if unknown:
            where = table.loc[table["label"] == unknown[0], "image"].iloc[0]
            fix = f"Expected: {', '.join(competition.class_names)}. labels.map says what others mean"
            hint = did_you_mean(unknown[0], competition.class_names)
            raise UserError(f"the folder '{unknown[0]}' is no class{hint}", raw / where, fix)
        if rules:
            table = _with_headers(table, table["image"], images.headers, raw)
        for column in [*([labels.group] if labels.group else []), *labels.keep] if part == "train" else ():
            if column not in table:
                fix = (
                    f"Write it as a field: {rules[0].rpartition('/')[0]}/{{{column}}}/{{id}}.png; or see images.headers"
                )
                raise UserError(f"no field of images.train and no header is called '{column}'", "labels", fix)
        own = _groups(table, table, competition)
        # Numbers of patients in names start anew in the test part.
        anew = labels.group not in images.headers
        table["patient"] = [f"{part} {patient}" if patient and anew else patient for patient in own]
        kept = [column for column in labels.keep if column in table]
        found[part] = table[["id", "image", "label", "patient", *kept]].copy()
    _make_ids_differ(competition, found["train"], found["test"])
    parts = []
    for table in found.values():
        table["unit"] = table["id"]
        parts.append(table.rename(columns={"label": target}).sort_values("id", kind="stable").reset_index(drop=True))
    train, test = parts
    if not images.test:
        return train, None, None
    unlabelled = test[target].isna()
    if unlabelled.any():
        if not unlabelled.all():
            what = "some patterns of the test part have {label} and some have not"
            raise UserError(what, "images.test", "Either all of them tell labels, or none does")
        return train, test.drop(columns=target), None
    return train, test.drop(columns=target), test[["id", target]].assign(usage="Private")


def _make_ids_differ(competition: Competition, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Names images by more of their paths where names alone recur: in several classes, or in train and test.

    Ids of the test part stay as they are as long as they differ, since a sample submission may name them.
    """
    pattern = competition.labels.id if "{" in competition.labels.id else ""
    for part, table in (("test", test), ("train", train)):
        recur = False
        if pattern and not table[image_patterns.pattern_fields(pattern)].isna().any(axis=None):
            table["id"] = image_patterns.fill_pattern(pattern, table, "labels.id")
        whole = table["image"].str.replace(r"\.\w+$", "", regex=True)
        for longer in (table["label"] + "/" + table["id"], whole, table["image"]):
            both = part == "train" and bool(set(table["id"]) & set(test["id"]))
            if not (table["id"].duplicated().any() or both) or longer.isna().any():
                continue
            table["id"] = longer
            recur = True
        if recur:
            say("samples", f"names of {part} images recur: ids are made of their paths, like {table['id'].iloc[0]}")


@label_layout
def arrays(competition: Competition, raw: Path) -> Parts:
    """Images and labels as arrays of one .npz file: `<part>_images`; `<part>_labels`, (n,) or (n, targets)."""
    labels = competition.labels
    path = raw / labels.file
    found = []
    with open_arrays(path) as content:
        for prefixes in (labels.train, ["test"]):
            pieces = []
            for prefix in prefixes:
                if f"{prefix}_labels" not in content or f"{prefix}_images" not in content:
                    raise UserError(f"no array '{prefix}_images' or '{prefix}_labels'", path, f"It has {content.files}")
                values, count = content[f"{prefix}_labels"], len(content[f"{prefix}_images"])
                values = values.reshape(len(values), -1)
                numbers = class_numbers(values) if competition.task != "multilabel" else None
                if numbers is not None and values.shape[1] == len(competition.class_names):
                    values = np.array(competition.class_names)[numbers][:, None]
                if values.shape != (count, len(labels.targets)):
                    expected = (count, len(labels.targets))
                    raise UserError(f"labels of shape {values.shape}, expected {expected}", f"{path}, {prefix}_labels")
                ids = [f"{prefix}{row:05d}" for row in range(count)]
                images = [f"{labels.file}#{prefix}_images/{row}" for row in range(count)]
                pieces.append(pd.DataFrame(values.astype(str), columns=labels.targets).assign(id=ids, image=images))
            table = pd.concat(pieces, ignore_index=True).assign(patient=None)
            table["unit"] = table["id"]
            meant = label_tables.map_labels(table[labels.targets], competition)
            table = label_tables.drop_rows(table.assign(**meant), meant.isna().any(axis=1)).reset_index(drop=True)
            for target in labels.targets:
                label_tables.check_classes(table, target, competition, path)
            found.append(table)
    train, test = found
    return train, test.drop(columns=labels.targets), test[["id", *labels.targets]].assign(usage="Private")


def split_label_list(text: str, separator: str) -> list[str]:
    """The names in a list: `a|b c` -> a and 'b c'; brackets and quotes of Python's lists do not count."""
    enclosed = re.fullmatch(r"\s*[\[({](.*)[\])}]\s*", text, re.S)
    parts = (enclosed[1] if enclosed else text).split(None if separator == " " else separator)
    return [name for part in parts if (name := part.strip(" '\""))]


def read_test_table(competition: Competition, raw: Path) -> pd.DataFrame:
    """The test part alone, as a notebook meets it on Kaggle: id, image, unit.

    Labels of the training part are not looked at, and an image may be missing: then it cannot be read.

    Raises:
        UserError: no table of the test part.
    """
    labels, images = competition.labels, competition.images
    if labels.shape in (folders.__name__, arrays.__name__):
        _, test, _ = LAYOUTS.find(labels.shape, "labels.shape")(competition, raw)
    else:
        test = _test_table(competition, raw)
        test, _ = _placed(test, images.test or images.train, competition, raw, complete=False)
    return test[["id", "image", "unit"]]


def split_long(names: pd.Series, targets: list[str], path: Path) -> tuple[pd.Series, pd.Series]:
    """`ID_1_any` -> `ID_1` and `any`.

    Raises:
        UserError: a name that ends with no target.
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


def _from_table(
    competition: Competition,
    raw: Path,
    needed: list[str],
    labelled: Callable[[pd.DataFrame, Competition, Path], pd.DataFrame],
) -> Parts:
    """Training part, test part and solution of a competition whose labels stand in a table.

    Args:
        needed: columns that the labels are read from.
        labelled: makes checked target columns of them; rows that `labels.map` leaves out are not in what it returns.
    """
    _refuse_private(competition)
    labels, path = competition.labels, raw / competition.labels.file
    table = read_table(path, [labels.id, *needed, *([labels.part] if labels.part else [])])
    test, test_path = None, raw / labels.test if labels.test else path
    if labels.part:
        table, test = _by_part(table, competition, path)
    elif not labels.holdout:
        test = _test_table(competition, raw)
    train = label_tables.merge_repeated_rows(
        labelled(table, competition, path), [labels.id], labels.targets, competition, path
    )
    if test is None:
        return _complete(train, competition, raw), None, None
    # The labels of the test part, where a table has them and nobody else scores, are for the local leaderboard.
    shipped = competition.upload == "local" and (labels.part or labels.test) and set(needed) <= set(test)
    known = shipped and bool((test[needed] != "").any(axis=None))
    if known:
        say("samples", f"{test_path.name} has labels: they become the hidden solution of the local leaderboard")
        rows = labelled(test, competition, test_path)
        test = label_tables.merge_repeated_rows(rows, [labels.id], labels.targets, competition, test_path)
    else:  # a sample submission has columns of that name, too
        test = test.drop(columns=labels.targets, errors="ignore")
    train, test = _complete(train, competition, raw), _complete(test, competition, raw, "test")
    _tell_apart(train, test)
    if not known:
        return train, test, None
    solution = test[labels.targets].assign(id=test["unit"], usage="Private").drop_duplicates("id")
    return train, test.drop(columns=labels.targets), solution[["id", *labels.targets, "usage"]]


def _refuse_private(competition: Competition) -> None:
    """Stops where the sample table would keep a DICOM header that may tell who a patient is."""
    if private := identifying_keywords(set(competition.labels.keep) & set(competition.images.headers)):
        fix = "Group by it if need be: the sample table then has a number"
        raise UserError(f"the header {private[0]} may tell who a patient is", "labels.keep", fix)


def _by_part(table: pd.DataFrame, competition: Competition, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of the training part and those of the test part, by the column `labels.part`.

    Rows of the validation part belong to the training part, since folds are made of it; without a test part they are
    the test part.

    Raises:
        UserError: no such rows, a value that names no part, or an id of several parts.
    """
    column, key = competition.labels.part, competition.labels.id
    part = table[column].map({value: part_from_name(value) for value in table[column].unique()})
    if part.isna().any():
        row = part.index[int(np.argmax(part.isna().to_numpy()))]
        value = table.at[row, column] or "nothing"
        fix = "Known: train, valid, test and their other forms. Correct it, or take labels.part out"
        raise UserError(f"row {row + 2}, column '{column}': found {value}, which names no part", path, fix)
    several = part.groupby(table[key]).nunique()
    if (several > 1).any():
        ids = several.index[several > 1]
        raise UserError(f"{len(ids)} ids stand in several parts: {shorten_list(ids)}", f"{path}, column '{column}'")
    count = part.value_counts()
    held = choose_test_part(count.index)
    if held not in count or "train" not in count:
        fix = "Take labels.part out, and let labels.holdout set a share aside"
        raise UserError(f"column '{column}' has rows of {', '.join(count.index)} only", path, fix)
    joined = f", {count['valid']:,} of the validation part among them" if held == "test" and "valid" in count else ""
    say(
        "samples",
        f"by column '{column}': {(part != held).sum():,} rows to train on{joined}, {count[held]:,} to test on",
    )
    return table[part != held].copy(), table[part == held].copy()


def _complete(table: pd.DataFrame, competition: Competition, raw: Path, part: str = "train") -> pd.DataFrame:
    """A part's table with the kit's own columns id, image, unit and patient, the targets and what is kept.

    Args:
        table: as it was shipped, with the targets where they are known.
        part: train or test; tables of the test part may lack the group and what is kept.
    """
    labels, path = competition.labels, raw / competition.labels.file
    images = competition.images
    own, shipped = _placed(table, images.train if part == "train" else images.test or images.train, competition, raw)
    wanted = [*labels.keep, *labels.targets]
    for column in [*([labels.group] if labels.group else []), *labels.keep] if part == "train" else ():
        if column not in shipped:
            has = f"It has {', '.join(map(str, shipped.columns))}"
            raise UserError(f"no column '{column}'{did_you_mean(column, shipped.columns)}", path, has)
    kept = [column for column in wanted if column in shipped]
    return pd.concat([own, _groups(own, shipped, competition), shipped[kept]], axis=1)


def _tell_apart(train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Gives training images ids with their folder where images of both parts have the same ids.

    Ids of the test part stay, since a sample submission names them.
    """
    both = train.merge(test, on="id")
    if both.empty or (both["image_x"] == both["image_y"]).any():
        return
    folder = train["image"].str.partition("|")[0].str.rpartition("/")[0]
    named = folder.where(folder == "", folder + "/") + train["id"]
    if named.duplicated().any() or named.isin(test["id"]).any():
        return
    train["unit"] = train["unit"].where(train["unit"] != train["id"], named)
    train["id"] = named
    say("samples", f"{len(both):,} ids stand in train and test: training ids have the folder in front: {named.iloc[0]}")


def _groups(own: pd.DataFrame, shipped: pd.DataFrame, competition: Competition) -> pd.Series:
    labels = competition.labels
    column = shipped[labels.group] if labels.group is not None and labels.group in shipped else None
    return pd.Series(_patients(own["id"], labels.group_pattern, column), own.index, object, name="patient")


def _placed(
    table: pd.DataFrame, rules: list[str], competition: Competition, raw: Path, complete: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Where the images of a table are.

    Args:
        table: as it was shipped; its columns keep their names, even if one is called id or image.
        complete: as `patterns.find_images` takes it.

    Returns:
        The kit's own columns id, image and unit; and the table with a column for each header that is asked for.
    """
    nameable = table.assign(id=table[competition.labels.id])
    image = image_patterns.find_images(nameable, rules, competition, raw, complete)
    unit, keywords = competition.score.unit, competition.images.headers
    if not complete:
        keywords = [keyword for keyword in keywords if unit and keyword in image_patterns.pattern_fields(unit)]
    table = _with_headers(table, image, keywords, raw, complete)
    nameable = table.assign(id=nameable["id"])
    units = image_patterns.fill_pattern(unit, nameable, "score.unit") if unit else nameable["id"]
    return pd.DataFrame({"id": nameable["id"], "image": image, "unit": units}), table


def _with_headers(
    table: pd.DataFrame, image: pd.Series, keywords: list[str], raw: Path, complete: bool = True
) -> pd.DataFrame:
    """The table with a column for each DICOM header; '' where an image is not there."""
    if not keywords:
        return table
    there = image.map(lambda path: path_of_image(raw, path).is_file())  # a few may be missing
    read = read_headers(raw, image[there], keywords, complete)
    found = {name: pd.Series(values, image.index[there]) for name, values in read.items()}
    return table.assign(**{name: values.reindex(image.index, fill_value="") for name, values in found.items()})


def _test_table(competition: Competition, raw: Path) -> pd.DataFrame:
    """The test images: rows by labels.part or of labels.test, ids of the sample submission, or the files there are."""
    labels, submission = competition.labels, competition.submission
    if labels.part:
        path = raw / labels.file
        return _by_part(read_table(path, [labels.id, labels.part]), competition, path)[1].reset_index(drop=True)
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
    """What the patterns of the test part tell of the files that match them."""
    images, key = competition.images, competition.labels.id
    everything, rows = list_files(raw, exclude=images.exclude), []
    for rule in map(PathRule, images.test):
        rows += [fields for path in everything if (fields := rule.match(path)) is not None]
    if not rows:
        raise UserError(f"no test image matches {' or '.join(images.test)}", raw, _seen(everything))
    table = pd.DataFrame(rows, dtype=str).drop_duplicates("id").sort_values("id", kind="stable")
    return table.assign(**{key: table["id"]}).reset_index(drop=True)


def _patients(ids: pd.Series, pattern: str | None, column: pd.Series | None = None) -> list[str | None]:
    """Who each image belongs to: a column, or what a pattern finds at the start of the id; None where neither tells.

    Of a pattern that is its group 'group', else its first group, else all that it matches. What it leaves out is told.
    """
    if column is not None:
        return [value or None for value in column]
    if not pattern:
        return [None] * len(ids)
    matches = [re.match(pattern, id) for id in ids]
    found = [
        match and (match.groupdict().get("group") or match[min(1, match.re.groups)] or match[0]) for match in matches
    ]
    left = [id for id, match in zip(ids, matches, strict=True) if not match]
    if left:
        told = f"labels.group_pattern does not match {len(left):,} of {len(ids):,} ids: each is a group of its own"
        warn("samples", f"{told}: {shorten_list(left)}")
    elif len(ids) > FEW and len(set(found)) == len(found):
        warn("samples", f"labels.group_pattern joins nothing: {len(ids):,} ids, as many groups")
    return found


def _seen(everything: list[str]) -> str:
    seen = sorted({path.rpartition("/")[0] or "." for path in everything})
    return f"Folders found: {shorten_list(seen, 5)}"
