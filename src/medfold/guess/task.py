"""The task, from the values of the target columns."""

from typing import Any

import pandas as pd

from medfold.errors import UserError
from medfold.guess.found import MOST_LABELS, Guess, in_order


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
    values = table[targets[0]].str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    unique = in_order(value for value in values.unique() if value)
    words = values.str.split()
    if (words.str.len() > 1).any() and (names := set(words.explode().dropna())) and len(names) <= MOST_LABELS:
        labels |= {"shape": "lists", "value": targets[0], "targets": in_order(names)}
        facts["task"] = "multilabel"
        guess.tell("labels.shape", "lists", f"values hold up to {int(words.str.len().max())} of {len(names)} names")
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
