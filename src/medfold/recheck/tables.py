"""Labels, predictions and submissions, read from their files by pandas alone, every cell as text."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import Competition


def read(path: Path) -> pd.DataFrame:
    """A table, all cells as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def label_matrix(competition: Competition, table: pd.DataFrame) -> np.ndarray:
    """The labels of a table: int (rows, columns) of 0 and 1, a column for each prediction column."""
    if competition.exclusive_classes:
        (target,) = competition.labels.targets
        return np.array([[int(cell == name) for name in competition.prediction_columns] for cell in table[target]])
    positive = competition.class_names[1]
    return (table[competition.labels.targets] == positive).astype(int).to_numpy()


def by_unit(competition: Competition, unit: pd.Series, labels: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The units in their order, and their labels: of several samples the highest class, and each label that any has."""
    rows = pd.DataFrame(labels).groupby(unit.to_numpy(), sort=False)
    if competition.exclusive_classes:
        highest = rows.apply(lambda part: int(part.to_numpy().argmax(axis=1).max()))
        return highest.index.tolist(), np.eye(labels.shape[1], dtype=int)[highest.to_numpy()]
    highest = rows.max()
    return highest.index.tolist(), highest.to_numpy()


def predictions_by_unit(competition: Competition, unit: pd.Series, values: np.ndarray) -> pd.DataFrame:
    """The predictions of units: the mean or the maximum of their samples', classes brought to a sum of 1 again."""
    grouped = pd.DataFrame(values, columns=competition.prediction_columns).groupby(unit.to_numpy(), sort=False)
    found = grouped.mean() if competition.score.aggregate == "mean" else grouped.max()
    if competition.exclusive_classes and competition.score.aggregate == "max":
        found = found.div(found.sum(axis=1), axis=0)
    return found


def cells(competition: Competition, table: pd.DataFrame, words: list[str] | None = None) -> pd.DataFrame:
    """What a submission says of each unit, in the prediction columns: numbers, decisions as 0 and 1.

    Args:
        table: the submission, all cells as text.
        words: that stand for the classes, or for no and yes, in it. Defaults to what the cells look like.
    """
    names, key = competition.prediction_columns, competition.submission.id
    (first, *others) = [column for column in table.columns if column != key]
    if competition.submission.shape == "lists":
        separator = competition.labels.separator
        held = [[float(name in cell.split(separator)) for name in names] for cell in table[first]]
        return pd.DataFrame(held, index=table[key], columns=names)
    one_class = competition.exclusive_classes and not others
    if words is None and (one_class or competition.task == "binary"):
        known = names if one_class else competition.class_names
        words = known if set(table[first]) <= set(known) else [str(number) for number in range(len(known))]
    if one_class:
        held = [[float(cell == word) for word in words] for cell in table[first]]
        return pd.DataFrame(held, index=table[key], columns=names)
    held = table.drop(columns=key)
    if words is not None and set(held.to_numpy().ravel()) <= set(words):
        held = held.replace({word: str(number) for number, word in enumerate(words)})
    if competition.submission.shape == "long":
        if not len(table):
            return pd.DataFrame(columns=names, dtype=float)
        split = table[key].str.extract(
            rf"^(?P<unit>.+?)_(?P<label>{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})$"
        )
        return split.assign(value=held[first].astype(float)).pivot(index="unit", columns="label", values="value")[names]
    held = held[names] if others or first in names else held[[first]].set_axis(names, axis=1)
    return held.astype(float).set_index(table[key])
