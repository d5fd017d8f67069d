"""The task, from the values of the target columns."""

from typing import Any

import pandas as pd

from medfold.errors import UserError
from medfold.guess.found import MOST_LABELS, Guess, in_order
from medfold.samples.shapes import names_in


def guess_task(guess: Guess, table: pd.DataFrame, targets: list[str], labels: dict[str, Any]) -> None:
    """Sets task and classes, and what `labels` says of the shape, from the texts in the columns of a table.

    Raises:
        UserError: too many different values to be classes.
    """
    facts = guess.facts
    if len(targets) > 1:
        facts["task"] = "multilabel"
        guess.tell("task", "multilabel", f"{len(targets)} target columns")
        return
    values = table[targets[0]].str.strip().str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    unique = in_order(value for value in values.unique() if value)
    if lists := _as_lists(unique):
        separator, names = lists
        labels |= {"shape": "lists", "value": targets[0], "targets": in_order(names)}
        if separator != " ":
            labels["separator"] = separator
        facts["task"] = "multilabel"
        most = max(len(names_in(value, separator)) for value in unique)
        guess.tell("labels.shape", "lists", f"values hold up to {most} of {len(names)} names")
    elif unique == ["0", "1"]:
        facts["task"] = "binary"
        guess.tell("task", "binary", "values 0 and 1")
    elif len(unique) == 2:
        facts["task"] = "binary"
        guess.tell("task", "binary", f"values {unique[0]} and {unique[1]}")
        guess.two_classes(unique)
    elif unique == [str(number) for number in range(len(unique))] and len(unique) <= 10:
        facts |= {"task": "ordinal", "classes": unique}
        guess.tell("task", "ordinal", f"values 0 to {len(unique) - 1}")
        guess.doubts.append("task: ordinal if a higher number is a higher grade, else multiclass")
    elif len(unique) <= MOST_LABELS:
        facts |= {"task": "multiclass", "classes": unique}
        guess.tell("task", "multiclass", f"{len(unique)} values")
    else:
        raise UserError(f"column '{targets[0]}' has {len(unique):,} values: no classes", labels["file"])


def _as_lists(values: list[str]) -> tuple[str, set[str]] | None:
    """Recognises lists of labels: their separator and the labels; None if each text is one class.

    Names in lists are fewer than the lists that are made of them: `no tumor` and `tumor` are two classes, not lists of
    two names.
    """
    for separator in ("|", ";", ",", " "):
        lists = [names_in(value, separator) for value in values]
        names = {name for each in lists for name in each}
        several = any(len(each) > 1 for each in lists)
        fewer = len(names) < len(values) or (separator != " " and len(names) == len(values))
        if several and fewer and 1 < len(names) <= MOST_LABELS:
            return separator, names
    return None
