"""Labels, predictions and submissions, read from their files by pandas alone, every cell as text."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import Competition


def read(path: Path) -> pd.DataFrame:
    """A table, all cells as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def members(competition: Competition, table: pd.DataFrame) -> np.ndarray:
    """The labels of a table: int (rows, columns) of 0 and 1, a column for each prediction column."""
    if competition.one_of_many:
        (target,) = competition.labels.targets
        return np.array([[int(cell == name) for name in competition.columns] for cell in table[target]])
    positive = competition.class_names[1]
    return (table[competition.labels.targets] == positive).astype(int).to_numpy()


def by_unit(competition: Competition, unit: pd.Series, labels: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The units in their order, and their labels: of several samples the highest class, and each label that any has."""
    rows = pd.DataFrame(labels).groupby(unit.to_numpy(), sort=False)
    if competition.one_of_many:
        highest = rows.apply(lambda part: int(part.to_numpy().argmax(axis=1).max()))
        return highest.index.tolist(), np.eye(labels.shape[1], dtype=int)[highest.to_numpy()]
    highest = rows.max()
    return highest.index.tolist(), highest.to_numpy()


def predictions_by_unit(competition: Competition, unit: pd.Series, values: np.ndarray) -> pd.DataFrame:
    """The predictions of units: the mean or the maximum of their samples', classes brought to a sum of 1 again."""
    grouped = pd.DataFrame(values, columns=competition.columns).groupby(unit.to_numpy(), sort=False)
    found = grouped.mean() if competition.score.aggregate == "mean" else grouped.max()
    if competition.one_of_many and competition.score.aggregate == "max":
        found = found.div(found.sum(axis=1), axis=0)
    return found


def cells(competition: Competition, table: pd.DataFrame) -> pd.DataFrame:
    """What a submission says of each unit, in the prediction columns: numbers, decisions as 0 and 1."""
    names, key = competition.columns, competition.submission.id
    (first, *others) = [column for column in table.columns if column != key]
    if competition.submission.shape == "lists":
        held = [[float(name in cell.split()) for name in names] for cell in table[first]]
        return pd.DataFrame(held, index=table[key], columns=names)
    if competition.submission.shape == "long":
        split = table[key].str.extract(
            rf"^(?P<unit>.+?)_(?P<label>{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})$"
        )
        wide = split.assign(value=table[first].astype(float)).pivot(index="unit", columns="label", values="value")
        return wide[names]
    if competition.one_of_many and not others:
        numbered = set(table[first]) <= {str(number) for number in range(len(names))}
        words = names if set(table[first]) <= set(names) or not numbered else [str(n) for n in range(len(names))]
        held = [[float(cell == word) for word in words] for cell in table[first]]
        return pd.DataFrame(held, index=table[key], columns=names)
    held = table[names] if others or first in names else table[[first]].set_axis(names, axis=1)
    if competition.task == "binary" and set(held[names[0]]) <= set(competition.class_names):
        held = held.replace({word: str(number) for number, word in enumerate(competition.class_names)})
    return held.astype(float).set_index(table[key])
