"""The task, from the values of the target columns."""

from typing import Any

import pandas as pd

from medfold.data import is_one_hot, normalise_texts, parse_marks, split_label_list
from medfold.errors import UserError, shorten_list
from medfold.scaffold.draft import MOST_LABELS, Draft, sort_classes

FEW_NUMBERS = 20  # so many different numbers may well be classes, though they have gaps


def guess_task(guess: Draft, table: pd.DataFrame, targets: list[str], labels: dict[str, Any]) -> None:
    """Sets task and classes, and what `labels` says of the shape, from the texts in the columns of a table.

    Raises:
        UserError: too many different values to be classes.
    """
    facts = guess.facts
    if len(targets) > 2 and len(table) and is_one_hot(parse_marks(table, targets)).all():
        facts |= {"task": "multiclass", "classes": list(targets)}
        name = next(name for name in ("label", "class", "diagnosis", "finding") if name not in table)
        labels |= {"shape": "one_hot", "targets": [name]}
        guess.tell("labels.shape", "one_hot", f"{len(targets)} columns, one of them 1 in each row: a column per class")
        guess.tell("task", "multiclass", f"{len(targets)} classes")
        return
    if len(targets) > 1:
        facts["task"] = "multilabel"
        guess.tell("task", "multilabel", f"{len(targets)} target columns")
        _tell_of_other_marks(guess, table[targets], labels)
        return
    values = normalise_texts(table[targets[0]])
    unique = sort_classes(value for value in values.unique() if value)
    lists = _as_lists(unique)
    if blank := int((values == "").sum()):
        told = f"{blank:,} of {len(values):,} rows"
        if lists:
            guess.doubts.append(f"labels.value: {told} have an empty list: read as none of the labels")
        else:
            labels["map"] = {"": None}
            guess.tell("labels.map", '{"": null}', f"{told} have no label: they are left out")
    if not lists and len(spelled := _in_one_spelling(values)) < len(unique):
        several = [value for value in unique if value not in spelled]
        guess.tell(
            "classes",
            shorten_list(spelled, 6),
            f"{shorten_list(several)} differ from them by case only: the same classes",
        )
        unique = sort_classes(spelled)
    if lists:
        separator, names = lists
        labels |= {"shape": "lists", "value": targets[0], "targets": sort_classes(names)}
        if separator != " ":
            labels["separator"] = separator
        facts["task"] = "multilabel"
        most = max(len(split_label_list(value, separator)) for value in unique)
        guess.tell("labels.shape", "lists", f"values hold up to {most} of {len(names)} names")
    elif unique == ["0", "1"]:
        facts["task"] = "binary"
        guess.tell("task", "binary", "values 0 and 1")
    elif unique == ["-1", "1"]:
        facts |= {"task": "binary", "classes": unique}
        guess.tell("task", "binary", "values -1 and 1")
    elif len(unique) == 2:
        facts["task"] = "binary"
        guess.tell("task", "binary", f"values {unique[0]} and {unique[1]}")
        guess.two_classes(unique)
    elif len(unique) <= 10 and any(unique == _counted(first, len(unique)) for first in (0, 1)):
        facts |= {"task": "ordinal", "classes": unique}
        guess.tell("task", "ordinal", f"values {unique[0]} to {unique[-1]}")
        guess.doubts.append("task: ordinal if a higher number is a higher grade, else multiclass")
    elif _is_measured(unique):
        what = f"column '{targets[0]}' has {len(unique):,} different numbers: a regression, and the kit tells classes"
        fix = "Add a column that cuts them into classes, or take out the table's other columns but that of the labels"
        raise UserError(what, labels["file"], fix)
    elif len(unique) <= MOST_LABELS:
        facts |= {"task": "multiclass", "classes": unique}
        guess.tell("task", "multiclass", f"{len(unique)} values")
    else:
        fix = f"At most {MOST_LABELS} classes. Which column holds the labels? {shorten_list(table.columns, 12)}"
        raise UserError(f"column '{targets[0]}' has {len(unique):,} values: no classes", labels["file"], fix)


def _counted(first: int, count: int) -> list[str]:
    return [str(first + number) for number in range(count)]


def _in_one_spelling(values: pd.Series) -> list[str]:
    """The different values, those that differ by case only once: as they are written most often."""
    counted = values[values != ""].value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    return list({value.lower(): value for value in reversed(counted.index)}.values())


def _tell_of_other_marks(guess: Draft, table: pd.DataFrame, labels: dict[str, Any]) -> None:
    """Reads empty cells and -1 among marks of 0 and 1, as sets of radiographs have them; both are a doubt."""
    cells = table.apply(normalise_texts)
    told = []
    for mark, meaning, what in (("", "0", "empty cells"), ("-1", "1", "cells of -1 (uncertain?)")):
        if count := int((cells == mark).sum().sum()):
            labels.setdefault("map", {})[mark] = meaning
            told.append(f"{count:,} {what} are read as {meaning}")
    if told:
        guess.doubts.append(f"labels.map: {' and '.join(told)}; null instead leaves such images out")


def _is_measured(values: list[str]) -> bool:
    """True if the values are measurements and no classes: fractions, or many numbers with gaps."""
    numbers = pd.to_numeric(pd.Series(values), errors="coerce")
    if numbers.isna().any():
        return False
    fractions = (numbers % 1 != 0).any() and len(values) > FEW_NUMBERS // 2
    gaps = numbers.max() - numbers.min() + 1 > len(values)
    return len(values) > MOST_LABELS or fractions or (gaps and len(values) > FEW_NUMBERS)


def _as_lists(values: list[str]) -> tuple[str, set[str]] | None:
    """Recognises lists of labels: their separator and the labels; None if each text is one class.

    Names in lists are fewer than the lists that are made of them: `no tumor` and `tumor` are two classes, not lists of
    two names.
    """
    for separator in ("|", ";", ",", " "):
        lists = [split_label_list(value, separator) for value in values]
        names = set(_in_one_spelling(pd.Series([name for each in lists for name in each], dtype=str)))
        counts = {len(each) for each in lists}
        # `left CC`, `right MLO`: words that always are as many make one name.
        words = separator == " " and not all(name.isdecimal() for name in names)
        several = max(counts, default=0) > 1 and (not words or len(counts) > 1)
        fewer = len(names) < len(values) or (separator != " " and len(names) == len(values))
        if several and fewer and 1 < len(names) <= MOST_LABELS:
            return separator, names
    return None
