"""The submission: built in the sample file's own shape, checked against it, recorded in the ledger."""

from typing import Any

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition
from medfold.errors import UserError, some
from medfold.paths import Paths
from medfold.scoring import metrics

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


def build(competition: Competition, predictions: pd.DataFrame, sample: pd.DataFrame) -> pd.DataFrame:
    """Predictions in the columns and the row order of a sample submission.

    A column for each label or class gets its probability. A single column of a task with several classes gets the
    decided class, by name; so does a binary one if the metric looks at classes only.

    Args:
        competition: names id and prediction columns.
        predictions: id and prediction columns; rows in any order.
        sample: the sample submission, all columns as text.

    Returns:
        A table with the columns of the sample; ids that were not predicted are missing in it (`check` names them).

    Raises:
        UserError: sample columns that fit neither form.
    """
    id_column = competition.submission.id
    columns = [column for column in sample.columns if column != id_column]
    values = predictions.set_index("id")
    if set(columns) == set(competition.columns):
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


def _holds_classes(competition: Competition, columns: list[str]) -> bool:
    """True if the sample asks for decided classes: one column for several of them, or a metric on classes."""
    if competition.one_of_many:
        return len(columns) == 1
    return competition.task == "binary" and metrics.get(competition.score.metric, "binary").needs == "class"


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
    classes = _holds_classes(competition, columns)
    for column in columns:
        if classes:
            wrong = ~table[column].astype(str).isin(competition.class_names)
            reason = f"no class of {some(competition.class_names, 6)}"
        else:
            numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
            wrong, reason = ~((numbers >= 0) & (numbers <= 1)), "no probability from 0 to 1"
        if np.any(wrong):
            row = int(np.argmax(np.asarray(wrong)))
            what = f"row {row + 2}, column '{column}': {table[column].iloc[row]} is {reason}"
            raise UserError(what, "submission", f"{int(np.sum(wrong))} such values")


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
