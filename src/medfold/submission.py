"""The submission: built in the sample file's own shape, checked against it, recorded in the ledger."""

from typing import Any

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition
from medfold.errors import UserError, some
from medfold.paths import Paths
from medfold.samples import shapes
from medfold.scoring import metrics
from medfold.terminal import warn

LEDGER = [
    "when",
    "competition",
    "runs",
    "file",
    "sha256",
    "metric",
    "oof",
    "low",
    "high",
    "folds",
    "ref",
    "public",
    "private",
    "status",
]


def fit_sample(competition: Competition, sample: pd.DataFrame, units: list[str]) -> pd.DataFrame:
    """The rows and columns that a submission must have.

    Those of the sample submission; but that of a code competition may hold a few rows to show the columns only. Then
    all units of the test part make the rows.

    Args:
        sample: the sample submission, all columns as text.
        units: of the test part, in the order of the sample table.
    """
    id_column = competition.submission.id
    if competition.submission.shape == "long":
        names = [f"{unit}_{label}" for unit in units for label in competition.columns]
    else:
        names = units
    if competition.upload != "notebook" or set(sample[id_column]) == set(names):
        return sample
    return pd.DataFrame({column: names if column == id_column else "" for column in sample.columns})


def prior(competition: Competition, targets: np.ndarray) -> np.ndarray:
    """The mean of the training labels, float64 (columns,): what an image that cannot be read gets.

    Args:
        targets: int (n,) or (n, labels).
    """
    labels = np.eye(len(competition.columns))[targets] if competition.one_of_many else targets
    return labels.reshape(len(labels), -1).mean(axis=0)


def completed(
    competition: Competition,
    predictions: pd.DataFrame,
    units: list[str],
    prior: np.ndarray,
    without: str = "no readable image",
) -> pd.DataFrame:
    """The predictions of all units: a submission must hold every id, so those without one get the prior.

    Args:
        predictions: id (of the unit) and prediction columns.
        units: of the test part.
        prior: float64 (columns,).
        without: what those have that are without a prediction.
    """
    absent = pd.Index(units).difference(predictions["id"], sort=False)
    if not len(absent):
        return predictions
    few = f"{len(absent):,} of {len(units):,} test units have {without}"
    warn("submit", f"{few}: they get the mean of the training labels")
    filled = pd.DataFrame(np.tile(prior, (len(absent), 1)), columns=competition.columns)
    filled.insert(0, "id", absent)
    return pd.concat([predictions, filled], ignore_index=True)


def build(competition: Competition, predictions: pd.DataFrame, sample: pd.DataFrame) -> pd.DataFrame:
    """Predictions in the columns and the row order of a sample submission.

    Shape wide: a column for each label or class gets its probability. A single column of a task with several classes
    gets the decided class, by name; so does a binary one if the metric looks at classes only. Shape long: the row
    `<id>_<label>` gets the probability of that label. Shape lists: the names of the labels above one half, or of the
    most probable one if none is, with spaces between.

    Args:
        competition: names id and prediction columns.
        predictions: id (of the unit) and prediction columns; rows in any order.
        sample: the sample submission, all columns as text.

    Returns:
        A table with the columns of the sample; ids that were not predicted are missing in it (`check` names them).

    Raises:
        UserError: sample columns that fit neither form.
    """
    id_column, shape = competition.submission.id, competition.submission.shape
    columns = [column for column in sample.columns if column != id_column]
    values = predictions.set_index("id")
    if shape != "wide" and len(columns) != 1:
        what = f"shape {shape} has one column beside '{id_column}', found {some(columns, 6)}"
        raise UserError(what, "sample submission", "See submission.shape in competition.yaml")
    if shape == "long":
        names, labels = shapes.split_long(sample[id_column], competition.columns, "sample submission")
        known = names.isin(values.index).to_numpy()
        place = values.index.get_indexer(names[known]), values.columns.get_indexer(labels[known])
        table = sample.loc[known, [id_column]].reset_index(drop=True)
        return table.assign(**{columns[0]: values.to_numpy()[place]})[list(sample.columns)]
    if shape == "lists":
        filled = pd.DataFrame({columns[0]: _listed(competition, values)}, index=values.index)
    elif set(columns) == set(competition.columns):
        filled = values[columns]
        if _holds_classes(competition, columns):
            filled = (filled > 0.5).astype(int)
    elif _holds_classes(competition, columns):
        decided = metrics.decide(values[competition.columns].to_numpy())
        filled = pd.DataFrame({columns[0]: np.array(competition.class_names)[decided]}, index=values.index)
    elif competition.task == "binary" and len(columns) == 1:
        filled = values[competition.columns].set_axis(columns, axis=1)
    else:
        found, expected = some(columns, 6), some(competition.columns, 6)
        raise UserError(f"columns {found} fit neither {expected} nor one class", "sample submission")
    ids = sample.loc[sample[id_column].isin(values.index), id_column]
    table = filled.loc[ids].reset_index(drop=True)
    table.insert(list(sample.columns).index(id_column), id_column, ids.to_numpy())
    return table[list(sample.columns)]


def _listed(competition: Competition, values: pd.DataFrame) -> list[str]:
    names, probabilities = np.array(competition.columns), values[competition.columns].to_numpy()
    members = probabilities > 0.5
    members[np.arange(len(members)), probabilities.argmax(axis=1)] |= ~members.any(axis=1)
    return [" ".join(names[row]) for row in members]


def _holds_classes(competition: Competition, columns: list[str]) -> bool:
    """True if the sample asks for decided classes: one column for several of them, or a metric on classes."""
    if competition.one_of_many:
        return len(columns) == 1
    return competition.task == "binary" and metrics.of(competition).needs == "class"


def check(competition: Competition, table: pd.DataFrame, sample: pd.DataFrame) -> None:
    """Refuses a submission that the leaderboard would refuse, or score wrongly.

    Args:
        competition: names id and columns.
        table: what is to be submitted.
        sample: the sample submission, all columns as text.

    Raises:
        UserError: no rows; wrong columns or their order; ids missing, extra, doubled or in another order; a value
            that is missing, not a number, infinite, outside 0..1 or no known class.
    """
    id_column = competition.submission.id
    if len(table) == 0:
        raise UserError("it has no rows", "submission")
    if list(table.columns) != list(sample.columns):
        fix = f"Expected {', '.join(sample.columns)}"
        raise UserError(f"wrong columns: {', '.join(map(str, table.columns))}", "submission", fix)
    ids, expected = table[id_column].astype(str), sample[id_column]
    for what, found in (
        ("stand twice", ids[ids.duplicated()].unique()),
        ("are missing", expected[~expected.isin(ids)]),
        ("are not in the sample", ids[~ids.isin(expected)]),
    ):
        if len(found):
            raise UserError(f"{len(found)} ids {what}: {some(found)}", "submission")
    if list(ids) != list(expected):
        raise UserError("rows are in another order than in the sample", "submission")
    columns = [column for column in sample.columns if column != id_column]
    shape = competition.submission.shape
    classes = shape == "wide" and _holds_classes(competition, columns)
    for column in columns:
        if shape == "lists":
            wrong = [not _is_list(str(cell), competition.columns) for cell in table[column]]
            reason = f"no list of different labels of {some(competition.columns, 6)}"
        elif classes:
            wrong = ~table[column].astype(str).isin(competition.class_names)
            reason = f"no class of {some(competition.class_names, 6)}"
        else:
            numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
            wrong, reason = ~((numbers >= 0) & (numbers <= 1)), "no probability from 0 to 1"
        if np.any(wrong):
            row = int(np.argmax(np.asarray(wrong)))
            what = f"row {row + 2}, column '{column}': {table[column].iloc[row]} is {reason}"
            raise UserError(what, "submission", f"{int(np.sum(wrong))} such values")


def _is_list(cell: str, names: list[str]) -> bool:
    found = cell.split(" ")
    return len(set(found)) == len(found) and set(found) <= set(names)


def record(paths: Paths, row: dict[str, Any]) -> None:
    """Adds a row to the ledger, or renews that of the same file; what it does not name stays as it is, or empty."""
    with files.lock(paths.ledger):
        table = ledger(paths)
        there = table.index[(table["file"] == row["file"]) & (table["competition"] == row["competition"])]
        position = there[-1] if len(there) else len(table)
        kept = dict.fromkeys(LEDGER, "") if not len(there) else table.loc[position].to_dict()
        table.loc[position] = [str(({**kept, **row})[column]) for column in LEDGER]
        files.write_csv(table, paths.ledger)


def ledger(paths: Paths) -> pd.DataFrame:
    """Every submission and every look at a hidden or test score, all columns as text."""
    if not paths.ledger.is_file():
        return pd.DataFrame(columns=LEDGER, dtype=str)
    return pd.read_csv(paths.ledger, dtype=str, keep_default_na=False)
