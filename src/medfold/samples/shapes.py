"""The shapes that labels come in. A new one is a function with the decorator `@shape`."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import Competition
from medfold.errors import UserError, nearest, some
from medfold.images import headers
from medfold.samples import patterns, tables

SHAPES: dict[str, Callable] = {}


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
def lists(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame | None, None]:
    """One row per image in a table; the column labels.value holds the names of its labels, with spaces between."""
    labels, path = competition.labels, raw / competition.labels.file
    train = tables.read(path, [labels.id, labels.value])
    named = train[labels.value].str.split().explode().dropna()
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
    everything = patterns.listing(raw)
    found = []
    for part, rules in (("train", competition.images.train), ("test", competition.images.test)):
        rows = []
        for rule in map(patterns.as_regex, rules):
            matches = ((path, rule.fullmatch(path)) for path in everything)
            rows += [{"id": match["id"], "image": path, target: match["label"]} for path, match in matches if match]
        table = pd.DataFrame(rows, columns=["id", "image", target])
        if table.empty and rules:
            raise UserError(f"no {part} image matches {' or '.join(rules)}", raw, _seen(everything))
        unknown = sorted(set(table[target]) - set(competition.class_names))
        if unknown:
            where = table.loc[table[target] == unknown[0], "image"].iloc[0]
            fix = f"Expected: {', '.join(competition.class_names)}"
            hint = nearest(unknown[0], competition.class_names)
            raise UserError(f"the folder '{unknown[0]}' is no class{hint}", raw / where, fix)
        patients = _patients(table["id"], competition.labels.group_pattern)
        # Numbers of patients start anew in the test part.
        table["patient"] = [f"{part} {patient}" if patient else None for patient in patients]
        table["unit"] = table["id"]
        found.append(table.sort_values("id", kind="stable").reset_index(drop=True))
    train, test = found
    if not competition.images.test:
        return train, None, None
    return train, test.drop(columns=target), test[["id", target]].assign(usage="Private")


@shape
def arrays(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Images and labels as arrays of one .npz file: `<part>_images`; `<part>_labels`, (n,) or (n, targets)."""
    labels = competition.labels
    path = raw / labels.file
    if not path.is_file():
        raise UserError("no such file", path, f"Expected the file '{labels.file}' in what FROM names")
    found = []
    with np.load(path) as content:
        for prefixes in (labels.train, ["test"]):
            pieces = []
            for prefix in prefixes:
                if f"{prefix}_labels" not in content or f"{prefix}_images" not in content:
                    raise UserError(f"no array '{prefix}_images' or '{prefix}_labels'", path, f"It has {content.files}")
                values, count = content[f"{prefix}_labels"], len(content[f"{prefix}_images"])
                values = values.reshape(len(values), -1)
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
        test = _placed(test, competition.images.test, competition, raw, complete=False)
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
    parts = []
    for table, rules in ((train, competition.images.train), (test, competition.images.test)):
        if table is None:
            parts.append(None)
            continue
        parts.append(_placed(table, rules, competition, raw))
    train, test = parts
    private = headers.identifying(set(labels.keep) & set(competition.images.headers))
    if private:
        fix = "Group by it if need be: the sample table then has a number"
        raise UserError(f"the header {private[0]} may tell who a patient is", "labels.keep", fix)
    for column in [*([labels.group] if labels.group else []), *labels.keep]:
        if column not in train:
            has = f"It has {', '.join(map(str, train.columns))}"
            raise UserError(f"no column '{column}'{nearest(column, train.columns)}", path, has)
    for table in (table for table in parts if table is not None):
        named = labels.group is not None and labels.group in table
        table["patient"] = _patients(table["id"], labels.group_pattern, table[labels.group] if named else None)
    columns = ["id", "image", "unit", "patient"]
    kept = [column for column in labels.keep if test is not None and column in test]
    return train[[*columns, *labels.targets, *labels.keep]], test if test is None else test[[*columns, *kept]], None


def _placed(
    table: pd.DataFrame, rules: list[str], competition: Competition, raw: Path, complete: bool = True
) -> pd.DataFrame:
    """Adds id, image and unit."""
    table = table.assign(id=table[competition.labels.id])
    table["image"] = patterns.find_images(table, rules, competition, raw, complete)
    unit, keywords = competition.score.unit, competition.images.headers
    if not complete:
        keywords = [keyword for keyword in keywords if unit and keyword in patterns.fields(unit)]
    for keyword, values in headers.read(raw, table["image"], keywords, complete).items():
        table[keyword] = values
    table["unit"] = patterns.fill(unit, table, "score.unit") if unit else table["id"]
    return table


def _test_table(competition: Competition, raw: Path) -> pd.DataFrame:
    """The test images: rows of labels.test, or the ids that the sample submission names."""
    labels, submission = competition.labels, competition.submission
    if labels.test:
        return tables.read(raw / labels.test, [labels.id])
    if not submission.sample:
        fix = "labels.test or submission.sample names them"
        raise UserError(f"labels.shape {labels.shape} needs to know the test ids", "competition.yaml", fix)
    path = raw / submission.sample
    test = tables.read(path, [submission.id])
    if submission.shape == "long":
        test = test.assign(**{submission.id: split_long(test[submission.id], labels.targets, path)[0]})
        test = test.drop_duplicates(submission.id)
    return test.assign(**{labels.id: test[submission.id]}).reset_index(drop=True)


def _patients(ids: pd.Series, pattern: str | None, column: pd.Series | None = None) -> list[str | None]:
    """Who each image belongs to: a column, or what a pattern finds at the start of the id; None where neither tells."""
    if column is not None:
        return [value or None for value in column]
    if not pattern:
        return [None] * len(ids)
    found = [re.match(pattern, id) for id in ids]
    return [match.groupdict().get("group", match[0]) if match else None for match in found]


def _seen(everything: list[str]) -> str:
    seen = sorted({path.rpartition("/")[0] or "." for path in everything})
    return f"Folders found: {some(seen, 5)}"
