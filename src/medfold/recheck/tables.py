"""Labels, predictions and submissions, read from their files with pandas alone, every cell as text."""

import re
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.errors import UserError


def read(path: Path) -> pd.DataFrame:
    """Reads a table, all cells as text; of an .npz file, the columns of numbers as float64.

    Raises:
        UserError: the file is empty, or not a table.
    """
    try:
        if path.suffix == ".npz":
            return _read_arrays(path)
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except BadZipFile:
        raise UserError("damaged (not an .npz file)", path, "Restore it from a backup") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        reason = "empty" if isinstance(error, pd.errors.EmptyDataError) else str(error).splitlines()[0]
        raise UserError(f"damaged ({reason})", path, "Restore it from a backup") from None


def _read_arrays(path: Path) -> pd.DataFrame:
    with np.load(path) as content:
        text = {name: content[name].astype(str) for name in content.files if name not in ("columns", "numbers")}
        numbers = pd.DataFrame(content["numbers"].astype(float), columns=content["columns"])
    return pd.concat([pd.DataFrame(text, dtype=str), numbers], axis=1)


def label_matrix(facts: CompetitionFacts, table: pd.DataFrame) -> np.ndarray:
    """Returns the labels of a table: int (rows, columns) of 0 and 1, one column per prediction column."""
    if facts.has_exclusive_classes:
        (target,) = facts.labels.targets
        return np.array([[int(cell == name) for name in facts.prediction_columns] for cell in table[target]])
    positive = facts.class_names[1]
    return (table[facts.labels.targets] == positive).astype(int).to_numpy()


def by_unit(facts: CompetitionFacts, unit: pd.Series, labels: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Returns the units in order, and their labels: the highest class, or every label, of their samples."""
    rows = pd.DataFrame(labels).groupby(unit.to_numpy(), sort=False)
    if facts.has_exclusive_classes:
        highest = rows.apply(lambda part: int(part.to_numpy().argmax(axis=1).max()))
        return highest.index.tolist(), np.eye(labels.shape[1], dtype=int)[highest.to_numpy()]
    highest = rows.max()
    return highest.index.tolist(), highest.to_numpy()


def predictions_by_unit(facts: CompetitionFacts, unit: pd.Series, values: np.ndarray) -> pd.DataFrame:
    """Returns the mean or the maximum of the predictions of each unit; classes sum to 1 again."""
    grouped = pd.DataFrame(values, columns=facts.prediction_columns).groupby(unit.to_numpy(), sort=False)
    aggregated = grouped.mean() if facts.score.aggregate == "mean" else grouped.max()
    if facts.has_exclusive_classes and facts.score.aggregate == "max":
        aggregated = aggregated.div(aggregated.sum(axis=1), axis=0)
    return aggregated


def cells(facts: CompetitionFacts, table: pd.DataFrame, words: list[str] | None = None) -> pd.DataFrame:
    """Reads the content of a submission for each unit, in the prediction columns: numbers, decisions as 0 and 1.

    Args:
        facts: facts of the competition (layout and columns of the submission).
        table: the submission, all cells as text.
        words: the words of the classes, or the words for no and yes. Defaults to a guess from the cells.
    """
    names, id_column = facts.prediction_columns, facts.submission.id
    first, *others = (column for column in table.columns if column != id_column)
    if facts.submission.layout == "lists":
        separator = facts.labels.separator
        values = [[float(name in cell.split(separator)) for name in names] for cell in table[first]]
        return pd.DataFrame(values, index=table[id_column], columns=names)
    one_class = facts.has_exclusive_classes and not others
    if words is None and (one_class or facts.task == "binary"):
        words = _guess_words(names if one_class else facts.class_names, table[first])
    if one_class:
        values = [[float(cell == word) for word in words] for cell in table[first]]
        return pd.DataFrame(values, index=table[id_column], columns=names)
    values = table.drop(columns=id_column)
    if words is not None and set(values.to_numpy().ravel()) <= set(words):
        values = values.replace({word: str(number) for number, word in enumerate(words)})
    if facts.submission.layout == "long":
        return _from_long(table[id_column], values[first], names)
    values = values[names] if others or first in names else values[[first]].set_axis(names, axis=1)
    return values.astype(float).set_index(table[id_column])


def _guess_words(names: list[str], column: pd.Series) -> list[str]:
    """Returns the words for classes in a column: their names, or their numbers if it holds other words."""
    return names if set(column) <= set(names) else [str(number) for number in range(len(names))]


def _from_long(ids: pd.Series, values: pd.Series, names: list[str]) -> pd.DataFrame:
    """Returns the values of a submission with one row per unit and label, whose ids are `<unit>_<label>`."""
    if not len(ids):
        return pd.DataFrame(columns=names, dtype=float)
    labels = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    split = ids.str.extract(rf"^(?P<unit>.+?)_(?P<label>{labels})$")
    return split.assign(value=values.astype(float)).pivot(index="unit", columns="label", values="value")[names]
