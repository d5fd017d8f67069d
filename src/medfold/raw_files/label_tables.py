"""Labels in tables: marks, classes, `labels.map`, and several rows of one id."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.errors import UserError
from medfold.terminal.console import warn
from medfold.text import count_of, shorten_list

MAX_LISTED_CLASSES = 30  # in a message
INTEGER_AS_FLOAT = r"^(-?\d+)\.0$"  # pandas writes integers so if their column has gaps
BINARY_MARKS = {
    "0": 0,
    "0.0": 0,
    "false": 0,
    "1": 1,
    "1.0": 1,
    "true": 1,
}  # how tables write absent and present labels


def normalise_texts(values: pd.Series) -> pd.Series:
    """Strips spaces around texts, and writes 1.0 as 1."""
    return values.str.strip().str.replace(INTEGER_AS_FLOAT, r"\1", regex=True)


def normalise_text(value: str) -> str:
    """Normalises one text as `normalise_texts` does."""
    return re.sub(INTEGER_AS_FLOAT, r"\1", value.strip())


def parse_binary_columns(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Parses columns of marks to 0 and 1, ignoring case and spaces; NaN for any other cell."""
    return table[columns].apply(lambda column: column.str.strip().str.lower().map(BINARY_MARKS))


def map_labels(values: pd.DataFrame, facts: CompetitionFacts) -> pd.DataFrame:
    """Translates values of label columns to classes by `labels.map`; None for values that it maps to null.

    Ignores spaces around a value, and reads 1.0 as 1. Values that are not in `labels.map` stay unchanged.

    Args:
        values: label columns as text.
        facts: facts of the competition (`labels.map`).
    """
    mapping = facts.labels.map
    if not mapping:
        return values

    def mapped(value: str) -> str | None:
        stripped = value.strip()
        key = stripped if stripped in mapping else re.sub(INTEGER_AS_FLOAT, r"\1", stripped)
        return mapping.get(key, value)

    return values.apply(lambda column: column.map({value: mapped(value) for value in column.unique()}))


def drop_rows(table: pd.DataFrame, dropped: pd.Series) -> pd.DataFrame:
    """Drops the rows that `labels.map` leaves out, with a warning. The index of the other rows is kept.

    Args:
        table: rows of a raw table.
        dropped: bool (n,), True for rows to drop.
    """
    if not dropped.any():
        return table
    warn(
        "labels", f"{dropped.sum():,} of {len(table):,} rows are left out because labels.map maps their labels to null"
    )
    return table[~dropped].copy()


def is_one_hot(marks: pd.DataFrame) -> pd.Series:
    """Returns which rows are one-hot (a single 1, the others 0), as bool (n,)."""
    return marks.notna().all(axis=1) & (marks.sum(axis=1) == 1)


def check_classes(table: pd.DataFrame, target: str, facts: CompetitionFacts, path: Path) -> None:
    """Checks that a column holds known classes only, and writes them as competition.yaml does, in place.

    Ignores spaces around a value, and its case unless two classes differ by case only. Reads 1.0 as 1, since pandas
    writes integers as floats if their column has gaps.

    Args:
        table: text columns; the column `target` is changed.
        target: name of the target column.
        facts: facts of the competition (the names of the classes).
        path: file of the table, for the error message.

    Raises:
        UserError: an unknown value; the message names its row and column.
    """
    table[target] = match_class_spelling(table[target], facts.class_names)
    wrong = ~table[target].isin(facts.class_names)
    if wrong.any():
        row = table.index[int(np.argmax(wrong.to_numpy()))]
        value = table.at[row, target] or "nothing"
        expected = shorten_list(facts.class_names, MAX_LISTED_CLASSES)
        fix = _fix_of_class(table[target], table.at[row, target].strip(), facts)
        raise UserError(f"row {row + 2}, column '{target}': found {value}, expected one of {expected}", path, fix)


def _fix_of_class(values: pd.Series, wrong: str, facts: CompetitionFacts) -> str:
    """Returns what to do about a value that is no class: name the classes of the column, or map the value.

    Args:
        values: cells of the label column, as text.
        wrong: the value, without spaces around it.
        facts: facts of the competition (the names of the classes).
    """
    if not wrong:
        return 'Fill it in; or leave these images out: labels.map: {"": null}'
    found = sorted({value.strip() for value in values.unique()} - {""})
    names = facts.class_names
    choice = " or ".join(names) if len(names) == 2 else "one of the classes"
    classes = ""
    if facts.task == "binary" and len(found) == 2:
        classes = f"set classes: [{', '.join(found)}], the positive one last; or "
    elif facts.task in ("multiclass", "ordinal"):
        classes = "add it to classes; or "
    return f'Correct it; or {classes}map it: labels.map: {{"{wrong}": <{choice}>}}, or null to leave these images out'


def match_class_spelling(values: pd.Series, names: list[str]) -> pd.Series:
    """Writes values as the class names that they match up to case and spaces; warns if any value was changed.

    Values that match no class are only stripped of spaces.

    Args:
        values: cells of a label column, as text.
        names: the names of the classes.
    """
    by_lower_case = {name.lower(): name for name in names}
    if len(by_lower_case) < len(names):  # two classes differ by case only
        by_lower_case = {}

    def matched(value: str) -> str:
        stripped = value.strip()
        for text in (value, stripped, re.sub(INTEGER_AS_FLOAT, r"\1", stripped)):
            if text in names:
                return text
        return by_lower_case.get(stripped.lower(), stripped)

    replaced = {value: matched(value) for value in values.unique() if value not in names}
    known = {value: name for value, name in replaced.items() if name in names}
    reported = {value: name for value, name in known.items() if value.strip() != value}
    reported |= {value: name for value, name in known.items() if value.strip().lower() == name.lower()}
    if reported:
        count = int(values.isin(reported).sum())
        examples = shorten_list(reported)
        warn(
            "labels",
            f"{values.name}: {count_of(count, 'value is', 'values are')} read as a class in spite of other case or "
            f"spaces: {examples}",
        )
    return values.map(lambda value: replaced.get(value, value)) if replaced else values


def _describe_difference(rows: pd.DataFrame) -> str:
    """Describes the first label in which two rows of one id differ: "'target' is 0 in row 2, 1 in row 3"."""
    target = next(name for name in rows if rows[name].nunique() > 1)
    first_rows = rows[target].drop_duplicates().head(2)
    return f"'{target}' is " + ", ".join(f"{value} in row {row + 2}" for row, value in first_rows.items())


def merge_repeated_rows(table: pd.DataFrame, keys: list[str], targets: list[str], facts: CompetitionFacts, path: Path):
    """Merges the rows of each key into one, by `labels.repeated`.

    `refuse` leaves the table unchanged (the caller reports repeated ids), `same` requires equal labels, `max`
    takes the highest class, `majority` the most frequent one, with ties the highest. Other columns are taken from the
    first row.

    Args:
        table: text columns, its targets checked.
        keys: columns that identify what a label is for.
        targets: names of the label columns.
        facts: facts of the competition (`labels.repeated`, and the names of the classes).
        path: file of the table, for the error message.

    Raises:
        UserError: rows with different labels under `same`.
    """
    policy = facts.labels.repeated
    names = facts.class_names
    repeated = table.duplicated(keys, keep=False)
    if policy == "refuse" or not repeated.any():
        return table
    rows = table[repeated]
    numbers = {name: number for number, name in enumerate(names)}
    codes = rows[targets].apply(lambda column: column.map(numbers)).astype(np.int64)
    grouped = codes.groupby([rows[key] for key in keys], sort=False)
    if policy == "same":
        differ = (grouped.min() != grouped.max()).any(axis=1)
        if differ.any():
            keys_that_differ = differ.index[differ]
            ids = [" ".join(key) if isinstance(key, tuple) else key for key in keys_that_differ]
            what = f"{count_of(len(ids), 'id has', 'ids have')} rows with different labels: {shorten_list(ids)}"
            of_first = rows.loc[grouped.groups[keys_that_differ[0]], targets]
            fix = "Choose how to merge them: labels.repeated: max, or majority"
            raise UserError(f"{what} ({_describe_difference(of_first)})", path, fix)
        merged = grouped.max()
    elif policy == "max":
        merged = grouped.max()
    else:
        merged = grouped.agg(lambda values: values.mode().max())
    result = table.drop_duplicates(keys).set_index(keys)
    merged = merged.apply(lambda column: column.map(dict(enumerate(names))))
    result.loc[merged.index, targets] = merged
    return result.reset_index()[table.columns]
