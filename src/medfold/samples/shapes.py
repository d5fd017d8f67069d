"""The shapes that labels come in. A new one is a function with the decorator `@shape`."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import Competition
from medfold.errors import UserError, nearest, some
from medfold.images import formats, headers
from medfold.samples import arrays as array_files
from medfold.samples import patterns, tables
from medfold.terminal import say, warn

SHAPES: dict[str, Callable] = {}
FEW = 20  # images that may well be of as many patients


def shape(function: Callable) -> Callable:
    """Registers `function(competition, raw) -> (train, test, solution)` under its own name.

    The tables have `id`, `image`, `unit`, `patient` (text, or missing) and, in train, the targets; `solution` has
    `id`, the targets and `usage`, or is None where the labels of the test part are not among the raw data. With
    labels.holdout there is no test table: None.
    """
    SHAPES[function.__name__] = function
    return function


@shape
def wide(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame | None, None]:
    """One row per image in a table, one column per target."""
    labels, path = competition.labels, raw / competition.labels.file
    train = tables.read(path, [labels.id, *labels.targets])
    for target in labels.targets:
        tables.check_values(train, target, competition, path)
    train = tables.join_repeated(train, [labels.id], labels.targets, competition, path)
    return _complete(train, competition, raw)


@shape
def long(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame | None, None]:
    """One row per image and label, named `<id>_<target>`, in a table; the label in the column labels.value."""
    labels, path = competition.labels, raw / competition.labels.file
    rows = tables.read(path, [labels.id, labels.value])
    ids, target = split_long(rows[labels.id], labels.targets, path)
    tables.check_values(rows, labels.value, competition, path)
    rows = pd.DataFrame({labels.id: ids, "target": target, labels.value: rows[labels.value]})
    rows = tables.join_repeated(rows, [labels.id, "target"], [labels.value], competition, path)
    twice = rows.duplicated([labels.id, "target"])
    if twice.any():
        named = (rows[labels.id] + "_" + rows["target"])[twice]
        fix = "labels.repeated in competition.yaml says what several rows of one id mean"
        raise UserError(f"{twice.sum()} rows stand twice: {some(named)}", path, fix)
    train = rows.pivot(index=labels.id, columns="target", values=labels.value)
    train = train.reindex(columns=labels.targets)
    gaps = train.index[train.isna().any(axis=1)]
    if len(gaps):
        raise UserError(f"{len(gaps)} ids have no row for some of the labels: {some(gaps)}", path)
    return _complete(train.reset_index().rename_axis(columns=None), competition, raw)


@shape
def one_hot(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame | None, None]:
    """One row per image in a table, a column per class: 1 for the class of the image, 0 for the others."""
    labels, path, names = competition.labels, raw / competition.labels.file, competition.class_names
    (target,) = labels.targets
    train = tables.read(path, [labels.id, *names])
    marked = tables.marks(train, names)
    wrong = ~tables.is_one_hot(marked)
    if wrong.any():
        what = f"{wrong.sum():,} rows do not have one 1 and else 0 in {some(names, 6)}: {some(train[labels.id][wrong])}"
        raise UserError(what, path, "With several labels an image: task multilabel, labels.shape wide")
    train[target] = np.array(names, object)[marked.to_numpy().argmax(axis=1)]
    train = tables.join_repeated(train, [labels.id], [target], competition, path)
    return _complete(train, competition, raw)


@shape
def lists(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame | None, None]:
    """One row per image in a table; the column labels.value holds the names of its labels, with a separator between."""
    labels, path = competition.labels, raw / competition.labels.file
    train = tables.read(path, [labels.id, labels.value])
    named = train[labels.value].map(partial(names_in, separator=labels.separator)).explode().dropna()
    named = named[~named.isin(labels.ignore)]
    unknown = named[~named.isin(labels.targets)]
    if len(unknown):
        where = f"{path}, row {unknown.index[0] + 2}, column '{labels.value}'"
        raise UserError(f"unknown label '{unknown.iloc[0]}'", where, f"Known: {some(labels.targets, 30)}")
    member = pd.crosstab(named.index, named).reindex(index=train.index, columns=labels.targets, fill_value=0)
    train[labels.targets] = (member.to_numpy() > 0).astype(int).astype(str)
    train = tables.join_repeated(train, [labels.id], labels.targets, competition, path)
    return _complete(train, competition, raw)


@shape
def folders(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame | None]:
    """Labels as names of folders: patterns with `{label}` and `{id}`. Labels of the test part are the solution."""
    (target,) = competition.labels.targets
    images = competition.images
    everything = patterns.listing(raw, exclude=images.exclude)
    found = {}
    for part, rules in (("train", images.train), ("test", images.test)):
        rows = []
        # Of folders of classes beside a folder test, {label}/{id}.png would match the images of that, too.
        unlabelled = [patterns.Rule(rule) for rule in images.test if part == "train" and "{label}" not in rule]
        candidates = [path for path in everything if not any(rule.match(path) for rule in unlabelled)]
        for rule in map(patterns.Rule, rules):
            matches = ((path, rule.match(path)) for path in candidates)
            rows += [{**fields, "image": path} for path, fields in matches if fields is not None]
        table = pd.DataFrame(rows, columns=["id", "image", "label"], dtype=str).drop_duplicates("image")
        if table.empty and rules:
            raise UserError(f"no {part} image matches {' or '.join(rules)}", raw, _seen(everything))
        unknown = sorted(set(table["label"].dropna()) - set(competition.class_names))
        if unknown:
            where = table.loc[table["label"] == unknown[0], "image"].iloc[0]
            fix = f"Expected: {', '.join(competition.class_names)}"
            hint = nearest(unknown[0], competition.class_names)
            raise UserError(f"the folder '{unknown[0]}' is no class{hint}", raw / where, fix)
        patients = _patients(table["id"], competition.labels.group_pattern)
        # Numbers of patients start anew in the test part.
        table["patient"] = [f"{part} {patient}" if patient else None for patient in patients]
        found[part] = table
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
        if pattern and not table[patterns.fields(pattern)].isna().any(axis=None):
            table["id"] = patterns.fill(pattern, table, "labels.id")
        whole = table["image"].str.replace(r"\.\w+$", "", regex=True)
        for longer in (table["label"] + "/" + table["id"], whole, table["image"]):
            both = part == "train" and bool(set(table["id"]) & set(test["id"]))
            if not (table["id"].duplicated().any() or both) or longer.isna().any():
                continue
            table["id"] = longer
            recur = True
        if recur:
            say("samples", f"names of {part} images recur: ids are made of their paths, like {table['id'].iloc[0]}")


@shape
def arrays(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Images and labels as arrays of one .npz file: `<part>_images`; `<part>_labels`, (n,) or (n, targets)."""
    labels = competition.labels
    path = raw / labels.file
    found = []
    with array_files.opened(path) as content:
        for prefixes in (labels.train, ["test"]):
            pieces = []
            for prefix in prefixes:
                if f"{prefix}_labels" not in content or f"{prefix}_images" not in content:
                    raise UserError(f"no array '{prefix}_images' or '{prefix}_labels'", path, f"It has {content.files}")
                values, count = content[f"{prefix}_labels"], len(content[f"{prefix}_images"])
                values = values.reshape(len(values), -1)
                numbers = array_files.class_numbers(values) if competition.task != "multilabel" else None
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
            for target in labels.targets:
                tables.check_values(table, target, competition, path)
            found.append(table)
    train, test = found
    return train, test.drop(columns=labels.targets), test[["id", *labels.targets]].assign(usage="Private")


def names_in(text: str, separator: str) -> list[str]:
    """The names in a list: `a|b c` -> a and 'b c'; brackets and quotes of Python's lists do not count."""
    enclosed = re.fullmatch(r"\s*[\[({](.*)[\])}]\s*", text, re.S)
    parts = (enclosed[1] if enclosed else text).split(None if separator == " " else separator)
    return [name for part in parts if (name := part.strip(" '\""))]


def test_part(competition: Competition, raw: Path) -> pd.DataFrame:
    """The test part alone, as a notebook meets it on Kaggle: id, image, unit.

    Labels of the training part are not looked at, and an image may be missing: then it cannot be read.

    Raises:
        UserError: no table of the test part.
    """
    if competition.labels.shape in (folders.__name__, arrays.__name__):
        _, test, _ = SHAPES[competition.labels.shape](competition, raw)
    else:
        test = _test_table(competition, raw)
        test, _ = _placed(test, competition.images.test, competition, raw, complete=False)
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
        raise UserError(f"row {row + 2}: '{names.iloc[row]}' is not <id>_<label>", path, f"Labels: {some(targets, 30)}")
    return parts[0], parts[1]


def _complete(
    train: pd.DataFrame, competition: Competition, raw: Path
) -> tuple[pd.DataFrame, pd.DataFrame | None, None]:
    """Adds id, image, unit and patient to a table of labels, and makes the table of the test part."""
    labels, path = competition.labels, raw / competition.labels.file
    test = None if labels.holdout else _test_table(competition, raw)
    private = headers.identifying(set(labels.keep) & set(competition.images.headers))
    if private:
        fix = "Group by it if need be: the sample table then has a number"
        raise UserError(f"the header {private[0]} may tell who a patient is", "labels.keep", fix)
    own, shipped = _placed(train, competition.images.train, competition, raw)
    for column in [*([labels.group] if labels.group else []), *labels.keep]:
        if column not in shipped:
            has = f"It has {', '.join(map(str, shipped.columns))}"
            raise UserError(f"no column '{column}'{nearest(column, shipped.columns)}", path, has)
    train = pd.concat([own, _groups(own, shipped, competition), shipped[[*labels.targets, *labels.keep]]], axis=1)
    if test is None:
        return train, None, None
    own, shipped = _placed(test, competition.images.test, competition, raw)
    kept = [column for column in labels.keep if column in shipped]
    solution = _solution(own, shipped, competition)
    return train, pd.concat([own, _groups(own, shipped, competition), shipped[kept]], axis=1), solution


def _solution(own: pd.DataFrame, shipped: pd.DataFrame, competition: Competition) -> pd.DataFrame | None:
    """The labels of the test part, where its table has them and nobody else scores: for the local leaderboard."""
    targets, path = competition.labels.targets, Path(competition.labels.test or "")
    if competition.upload != "local" or not competition.labels.test or not set(targets) <= set(shipped.columns):
        return None
    held = shipped[targets].copy()
    if (held == "").all(axis=None):
        return None
    for target in targets:
        tables.check_values(held, target, competition, path)
    say("samples", f"{path.name} has labels: they become the hidden solution of the local leaderboard")
    return held.assign(id=own["unit"], usage="Private").drop_duplicates("id")[["id", *targets, "usage"]]


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
    image = patterns.find_images(nameable, rules, competition, raw, complete)
    unit, keywords = competition.score.unit, competition.images.headers
    if not complete:
        keywords = [keyword for keyword in keywords if unit and keyword in patterns.fields(unit)]
    found = {}
    if keywords:
        there = image.map(lambda path: formats.path_of(raw, path).is_file())  # a few may be missing
        read = headers.read(raw, image[there], keywords, complete)
        found = {
            name: pd.Series(values, image.index[there]).reindex(image.index, fill_value="")
            for name, values in read.items()
        }
    table, nameable = table.assign(**found), nameable.assign(**found)
    units = patterns.fill(unit, nameable, "score.unit") if unit else nameable["id"]
    return pd.DataFrame({"id": nameable["id"], "image": image, "unit": units}), table


def _test_table(competition: Competition, raw: Path) -> pd.DataFrame:
    """The test images: rows of labels.test, the ids that the sample submission names, or the files that there are."""
    labels, submission = competition.labels, competition.submission
    if labels.test:
        return tables.read(raw / labels.test, [labels.id])
    if not submission.sample:
        return _test_files(competition, raw)
    path = raw / submission.sample
    test = tables.read(path, [submission.id])
    if submission.shape == "long":
        test = test.assign(**{submission.id: split_long(test[submission.id], labels.targets, path)[0]})
        test = test.drop_duplicates(submission.id)
    return test.assign(**{labels.id: test[submission.id]}).reset_index(drop=True)


def _test_files(competition: Competition, raw: Path) -> pd.DataFrame:
    """What the patterns of the test part tell of the files that match them."""
    images, key = competition.images, competition.labels.id
    everything, rows = patterns.listing(raw, exclude=images.exclude), []
    for rule in map(patterns.Rule, images.test):
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
        warn("samples", f"{told}: {some(left)}")
    elif len(ids) > FEW and len(set(found)) == len(found):
        warn("samples", f"labels.group_pattern joins nothing: {len(ids):,} ids, as many groups")
    return found


def _seen(everything: list[str]) -> str:
    seen = sorted({path.rpartition("/")[0] or "." for path in everything})
    return f"Folders found: {some(seen, 5)}"
