"""Guesses the task from the values of the target columns."""

import pandas as pd

from medfold.errors import UserError
from medfold.raw_files import is_one_hot, normalise_texts, parse_binary_columns, split_label_list
from medfold.scaffold.class_order import sort_classes
from medfold.scaffold.draft import MAX_LABELS, Draft
from medfold.text import count_of, shorten_list

FEW_NUMBERS = 20  # up to this number, different numbers may be classes although they have gaps


def guess_task(draft: Draft, table: pd.DataFrame, targets: list[str]) -> None:
    """Sets task, classes and the layout of the labels, from the values of the target columns.

    Args:
        draft: task, classes, layout, reasons and doubts are added to it; has `labels.file`.
        table: a table with text columns.
        targets: names of the target columns.

    Raises:
        UserError: too many different values, or measurements instead of classes.
    """
    if len(targets) > 2 and len(table) and is_one_hot(parse_binary_columns(table, targets)).all():
        _set_one_hot(draft, table, targets)
    elif len(targets) > 1:
        draft.facts["task"] = "multilabel"
        draft.add_reason("task", "multilabel", f"{len(targets)} target columns")
        _map_other_marks(draft, table[targets])
    else:
        _guess_task_of_column(draft, table, targets[0])


def _set_one_hot(draft: Draft, table: pd.DataFrame, targets: list[str]) -> None:
    """Sets the task of a table with a column per class."""
    draft.facts |= {"task": "multiclass", "classes": list(targets)}
    name = next(name for name in ("label", "class", "diagnosis", "finding") if name not in table)
    draft.facts["labels"] |= {"layout": "one_hot", "targets": [name]}
    why = f"{len(targets)} columns, one of them 1 in each row: a column per class"
    draft.add_reason("labels.layout", "one_hot", why)
    draft.add_reason("task", "multiclass", f"{len(targets)} classes")


def _guess_task_of_column(draft: Draft, table: pd.DataFrame, target: str) -> None:
    """Guesses task and classes from the values of a single target column."""
    values = normalise_texts(table[target])
    unique = sort_classes(value for value in values.unique() if value)
    lists = _parse_lists(unique)
    if num_empty := int((values == "").sum()):
        count = f"{num_empty:,} of {len(values):,} rows"
        if lists:
            draft.add_doubt("labels.value", f"{count} have an empty list: read as none of the labels")
        else:
            draft.facts["labels"]["map"] = {"": None}
            draft.add_reason("labels.map", '{"": null}', f"{count} have no label: they are left out")
    if lists:
        _set_lists(draft, target, unique, lists)
        return
    if len(classes := _unify_case(values)) < len(unique):
        variants = [value for value in unique if value not in classes]
        why = f"{shorten_list(variants)} differ from them by case only: the same classes"
        draft.add_reason("classes", shorten_list(classes, 6), why)
        unique = sort_classes(classes)
    _set_classes(draft, table, target, unique)


def _set_lists(draft: Draft, target: str, values: list[str], lists: tuple[str, set[str]]) -> None:
    """Sets the task of a column of lists.

    Args:
        draft: the task, its labels and the reason are added to it.
        target: name of the column.
        values: distinct values of the column.
        lists: the separator, and the names that occur in the lists, as `_parse_lists` returns them.
    """
    separator, names = lists
    labels = draft.facts["labels"]
    labels |= {"layout": "lists", "value": target, "targets": sort_classes(names)}
    if separator != " ":
        labels["separator"] = separator
    draft.facts["task"] = "multilabel"
    max_labels = max(len(split_label_list(value, separator)) for value in values)
    draft.add_reason("labels.layout", "lists", f"values contain up to {max_labels} of {len(names)} names")


def _set_classes(draft: Draft, table: pd.DataFrame, target: str, values: list[str]) -> None:
    """Sets the task of a column with one class per row.

    Args:
        draft: task and classes are added to it, with reasons and doubts.
        table: the label table, all cells as text.
        target: name of the column.
        values: distinct values of the column, sorted.
    """
    facts = draft.facts
    file = facts["labels"]["file"]
    if values == ["0", "1"]:
        facts["task"] = "binary"
        draft.add_reason("task", "binary", "values 0 and 1")
    elif values == ["-1", "1"]:
        facts |= {"task": "binary", "classes": values}
        draft.add_reason("task", "binary", "values -1 and 1")
    elif len(values) == 2:
        facts["task"] = "binary"
        draft.add_reason("task", "binary", f"values {values[0]} and {values[1]}")
        draft.set_two_classes(values)
    elif len(values) <= 10 and any(values == _consecutive(first, len(values)) for first in (0, 1)):
        facts |= {"task": "ordinal", "classes": values}
        draft.add_reason("task", "ordinal", f"values {values[0]} to {values[-1]}")
        draft.add_doubt("task", "ordinal if a higher number is a higher grade, else multiclass")
    elif _are_measurements(values):
        what = f"column '{target}' has {len(values):,} different numbers: regression is not supported"
        fix = "Add a column that bins them into classes; or leave only the ids and the label column in the table"
        raise UserError(what, file, fix)
    elif len(values) <= MAX_LABELS:
        facts |= {"task": "multiclass", "classes": values}
        draft.add_reason("task", "multiclass", count_of(len(values), "value"))
    else:
        fix = f"At most {MAX_LABELS} classes. Which column holds the labels? {shorten_list(table.columns, 12)}"
        raise UserError(f"column '{target}' has {len(values):,} values, too many for classes", file, fix)


def _consecutive(first: int, count: int) -> list[str]:
    return [str(first + number) for number in range(count)]


def _unify_case(values: pd.Series) -> list[str]:
    """Returns the different values; of values that differ by case only, the most frequent spelling."""
    counts = values[values != ""].value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    return list({value.lower(): value for value in reversed(counts.index)}.values())


def _map_other_marks(draft: Draft, table: pd.DataFrame) -> None:
    """Maps empty cells to 0 and -1 to 1 in columns of 0 and 1, as in data sets of radiographs, and adds a doubt."""
    cells = table.apply(normalise_texts)
    mapped = []
    for mark, meaning, what in (("", "0", "empty cells"), ("-1", "1", "cells of -1 (uncertain?)")):
        if count := int((cells == mark).sum().sum()):
            draft.facts["labels"].setdefault("map", {})[mark] = meaning
            mapped.append(f"{count:,} {what} are read as {meaning}")
    if mapped:
        draft.add_doubt("labels.map", f"{' and '.join(mapped)}; use null to leave these images out")


def _are_measurements(values: list[str]) -> bool:
    """Returns True if the values are measurements, not classes: fractions, or many numbers with gaps."""
    numbers = pd.to_numeric(pd.Series(values), errors="coerce")
    if numbers.isna().any():
        return False
    has_fractions = (numbers % 1 != 0).any() and len(values) > FEW_NUMBERS // 2
    has_gaps = numbers.max() - numbers.min() + 1 > len(values)
    return len(values) > MAX_LABELS or has_fractions or (has_gaps and len(values) > FEW_NUMBERS)


def _parse_lists(values: list[str]) -> tuple[str, set[str]] | None:
    """Recognises lists of labels.

    Lists have fewer names than there are different lists: `no tumor` and `tumor` are two classes, not lists of two
    names.

    Returns:
        Their separator and the labels; None if each text is one class.
    """
    for separator in ("|", ";", ",", " "):
        lists = [split_label_list(value, separator) for value in values]
        names = set(_unify_case(pd.Series([name for names in lists for name in names], dtype=str)))
        lengths = {len(names) for names in lists}
        # `left CC`, `right MLO`: texts with the same number of words are names of several words, not lists.
        has_words = separator == " " and not all(name.isdecimal() for name in names)
        has_several = max(lengths, default=0) > 1 and (not has_words or len(lengths) > 1)
        few_names = len(names) < len(values) or (separator != " " and len(names) == len(values))
        if has_several and few_names and 1 < len(names) <= MAX_LABELS:
            return separator, names
    return None
