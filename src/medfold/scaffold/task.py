"""Guesses the task from the values of the target columns."""

from typing import Any

import pandas as pd

from medfold.data import is_one_hot, normalise_texts, parse_marks, split_label_list
from medfold.errors import UserError, count_of, shorten_list
from medfold.scaffold.draft import MAX_LABELS, Draft, sort_classes

FEW_NUMBERS = 20  # up to this number, different numbers may be classes although they have gaps


def guess_task(draft: Draft, table: pd.DataFrame, targets: list[str], labels: dict[str, Any]) -> None:
    """Sets task, classes and the shape of the labels, from the values of the target columns.

    Args:
        draft: gets task, classes, reasons and doubts.
        table: a table with text columns.
        targets: its target columns.
        labels: the section `labels` of the facts, filled in.

    Raises:
        UserError: too many different values, or measurements instead of classes.
    """
    facts = draft.facts
    if len(targets) > 2 and len(table) and is_one_hot(parse_marks(table, targets)).all():
        facts |= {"task": "multiclass", "classes": list(targets)}
        name = next(name for name in ("label", "class", "diagnosis", "finding") if name not in table)
        labels |= {"shape": "one_hot", "targets": [name]}
        draft.add_reason(
            "labels.shape", "one_hot", f"{len(targets)} columns, one of them 1 in each row: a column per class"
        )
        draft.add_reason("task", "multiclass", f"{len(targets)} classes")
        return
    if len(targets) > 1:
        facts["task"] = "multilabel"
        draft.add_reason("task", "multilabel", f"{len(targets)} target columns")
        _map_other_marks(draft, table[targets], labels)
        return
    values = normalise_texts(table[targets[0]])
    unique = sort_classes(value for value in values.unique() if value)
    lists = _parse_lists(unique)
    if num_empty := int((values == "").sum()):
        count = f"{num_empty:,} of {len(values):,} rows"
        if lists:
            draft.doubts.append(f"labels.value: {count} have an empty list: read as none of the labels")
        else:
            labels["map"] = {"": None}
            draft.add_reason("labels.map", '{"": null}', f"{count} have no label: they are left out")
    if not lists and len(classes := _unify_case(values)) < len(unique):
        variants = [value for value in unique if value not in classes]
        draft.add_reason(
            "classes",
            shorten_list(classes, 6),
            f"{shorten_list(variants)} differ from them by case only: the same classes",
        )
        unique = sort_classes(classes)
    if lists:
        separator, names = lists
        labels |= {"shape": "lists", "value": targets[0], "targets": sort_classes(names)}
        if separator != " ":
            labels["separator"] = separator
        facts["task"] = "multilabel"
        max_labels = max(len(split_label_list(value, separator)) for value in unique)
        draft.add_reason("labels.shape", "lists", f"values contain up to {max_labels} of {len(names)} names")
    elif unique == ["0", "1"]:
        facts["task"] = "binary"
        draft.add_reason("task", "binary", "values 0 and 1")
    elif unique == ["-1", "1"]:
        facts |= {"task": "binary", "classes": unique}
        draft.add_reason("task", "binary", "values -1 and 1")
    elif len(unique) == 2:
        facts["task"] = "binary"
        draft.add_reason("task", "binary", f"values {unique[0]} and {unique[1]}")
        draft.set_two_classes(unique)
    elif len(unique) <= 10 and any(unique == _consecutive(first, len(unique)) for first in (0, 1)):
        facts |= {"task": "ordinal", "classes": unique}
        draft.add_reason("task", "ordinal", f"values {unique[0]} to {unique[-1]}")
        draft.doubts.append("task: ordinal if a higher number is a higher grade, else multiclass")
    elif _are_measurements(unique):
        what = f"column '{targets[0]}' has {len(unique):,} different numbers: regression is not supported"
        fix = "Add a column that bins them into classes; or leave only the ids and the label column in the table"
        raise UserError(what, labels["file"], fix)
    elif len(unique) <= MAX_LABELS:
        facts |= {"task": "multiclass", "classes": unique}
        draft.add_reason("task", "multiclass", f"{count_of(len(unique), 'value')}")
    else:
        fix = f"At most {MAX_LABELS} classes. Which column holds the labels? {shorten_list(table.columns, 12)}"
        raise UserError(f"column '{targets[0]}' has {len(unique):,} values, too many for classes", labels["file"], fix)


def _consecutive(first: int, count: int) -> list[str]:
    return [str(first + number) for number in range(count)]


def _unify_case(values: pd.Series) -> list[str]:
    """The different values; of those that differ by case only, the most frequent spelling."""
    counts = values[values != ""].value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    return list({value.lower(): value for value in reversed(counts.index)}.values())


def _map_other_marks(draft: Draft, table: pd.DataFrame, labels: dict[str, Any]) -> None:
    """Maps empty cells to 0 and -1 to 1 in columns of 0 and 1, as in data sets of radiographs, and adds a doubt."""
    cells = table.apply(normalise_texts)
    mapped = []
    for mark, meaning, what in (("", "0", "empty cells"), ("-1", "1", "cells of -1 (uncertain?)")):
        if count := int((cells == mark).sum().sum()):
            labels.setdefault("map", {})[mark] = meaning
            mapped.append(f"{count:,} {what} are read as {meaning}")
    if mapped:
        draft.doubts.append(f"labels.map: {' and '.join(mapped)}; use null to leave these images out")


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
