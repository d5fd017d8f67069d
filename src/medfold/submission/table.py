"""The submission table: built in the format of the sample submission, and read back."""

from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.raw_files import split_row_names
from medfold.scoring import decide
from medfold.submission.cell_format import CellFormat


def complete_sample_submission(
    facts: CompetitionFacts, sample_submission: pd.DataFrame, units: list[str]
) -> pd.DataFrame:
    """Returns the sample submission with all rows that a submission must have.

    In a notebook competition the sample may hold only a few rows to show the columns. Then the rows are all units of
    the test set.

    Args:
        facts: facts of the competition (`submission.layout`, and where it is uploaded).
        sample_submission: the sample submission, all columns as text.
        units: ids of the units of the test set, in the order of the sample table.
    """
    id_column = facts.submission.id
    if facts.submission.layout == "long":
        names = [f"{unit}_{label}" for unit in units for label in facts.prediction_columns]
    else:
        names = units
    if facts.upload != "notebook" or set(sample_submission[id_column]) == set(names):
        return sample_submission
    # The cells are repeated, since they show the words for the classes.
    num_rows = len(names)
    cells = {
        name: np.resize(column.to_numpy(), num_rows) if len(sample_submission) else ""
        for name, column in sample_submission.items()
    }
    return pd.DataFrame({**cells, id_column: names})[list(sample_submission.columns)]


def fill_missing(
    facts: CompetitionFacts, predictions: pd.DataFrame, units: list[str], fallback: np.ndarray
) -> pd.DataFrame:
    """Fills in the predictions of units without one, since a submission must hold every id.

    Args:
        facts: facts of the competition (the prediction columns).
        predictions: id (of the unit) and prediction columns.
        units: ids of the units of the test set.
        fallback: float64 (columns,), the prediction without an image, see `MethodChoice.fallback`.
    """
    missing = pd.Index(units).difference(predictions["id"], sort=False)
    if not len(missing):
        return predictions
    filled = pd.DataFrame(np.tile(fallback, (len(missing), 1)), columns=facts.prediction_columns)
    filled.insert(0, "id", missing)
    return pd.concat([predictions, filled], ignore_index=True)


def describe_missing(
    predictions: pd.DataFrame, units: list[str], fallback: np.ndarray, reason: str = "no readable image"
) -> str:
    """Describes how many units have no prediction, and what `fill_missing` fills in; '' if all have one.

    Args:
        predictions: id (of the unit) and prediction columns.
        units: ids of the units of the test set.
        fallback: as for `fill_missing`.
        reason: completes 'units have ...', why there is no prediction. Defaults to 'no readable image'.
    """
    num_missing = len(pd.Index(units).difference(predictions["id"]))
    if not num_missing:
        return ""
    values = ", ".join(f"{value:.3g}" for value in fallback[:6]) + (", ..." if len(fallback) > 6 else "")
    count = f"{num_missing:,} of {len(units):,} test units have {reason}"
    return f"{count}: they get {values}, the prediction without an image"


def build_submission(
    facts: CompetitionFacts, predictions: pd.DataFrame, sample_submission: pd.DataFrame
) -> pd.DataFrame:
    """Writes predictions in the columns and the row order of a sample submission.

    If the metric is computed on decisions, decisions are written (`scoring.decide`), else probabilities. Layout
    wide: a column for each label or class; or, for several classes, a single column with the name of the decided class.
    Layout long: a row `<id>_<label>` for each label. Layout lists: the names of the decided labels, joined by
    `labels.separator`. Decided classes are written in the sample's own words.

    Args:
        facts: facts of the competition (classes, metric and `submission.layout`).
        predictions: id (of the unit) and prediction columns; rows in any order.
        sample_submission: the sample submission, all columns as text.

    Returns:
        A table with the columns of the sample; ids without a prediction are missing (`check_submission` reports them).

    Raises:
        UserError: the columns of the sample fit neither the layout, the classes nor the metric.
    """
    cell_format = CellFormat.from_sample(facts, sample_submission)
    values = predictions.set_index("id")[facts.prediction_columns]
    if cell_format.holds_decisions:
        values = pd.DataFrame(decide(facts, values.to_numpy()), values.index, values.columns)
    if facts.submission.layout == "long":
        return _long_table(facts, values, cell_format, sample_submission)
    cells = _cells_by_unit(facts, values, cell_format)
    id_column = facts.submission.id
    ids = sample_submission.loc[sample_submission[id_column].isin(values.index), id_column]
    table = cells.loc[ids].reset_index(drop=True)
    table.insert(list(sample_submission.columns).index(id_column), id_column, ids.to_numpy())
    return table[list(sample_submission.columns)]


def _long_table(
    facts: CompetitionFacts, values: pd.DataFrame, cell_format: CellFormat, sample_submission: pd.DataFrame
) -> pd.DataFrame:
    """Returns a submission with a row for each unit and label."""
    id_column = facts.submission.id
    names, labels = split_row_names(sample_submission[id_column], facts.prediction_columns, "sample submission")
    known = names.isin(values.index).to_numpy()
    cells = values.to_numpy()[values.index.get_indexer(names[known]), values.columns.get_indexer(labels[known])]
    if cell_format.holds_decisions:
        cells = cell_format.words[cells.astype(int)]
    table = sample_submission.loc[known, [id_column]].reset_index(drop=True)
    return table.assign(**{cell_format.columns[0]: cells})[list(sample_submission.columns)]


def _cells_by_unit(facts: CompetitionFacts, values: pd.DataFrame, cell_format: CellFormat) -> pd.DataFrame:
    """Returns the columns of a submission, apart from the id, for a layout with a row for each unit."""
    columns = cell_format.columns
    if facts.submission.layout == "lists":
        names = np.array(facts.prediction_columns)
        lists = [facts.labels.separator.join(names[row]) for row in values.to_numpy() > 0]
        return pd.DataFrame({columns[0]: lists}, index=values.index)
    if cell_format.is_one_class:
        return pd.DataFrame({columns[0]: cell_format.words[values.to_numpy().argmax(axis=1)]}, index=values.index)
    cells = values.set_axis(columns, axis=1) if len(columns) == 1 else values[columns]
    if cell_format.holds_decisions:
        cells = pd.DataFrame(cell_format.words[cells.to_numpy().astype(int)], cells.index, cells.columns)
    return cells


def read_predictions_back(
    facts: CompetitionFacts, table: pd.DataFrame, sample_submission: pd.DataFrame
) -> pd.DataFrame:
    """Reads predictions back from a submission, as a leaderboard does.

    Args:
        facts: facts of the competition (classes, metric and `submission.layout`).
        table: the checked submission, all columns as text.
        sample_submission: the sample submission that it was checked against.

    Returns:
        The prediction columns by unit, float64: probabilities, or decisions as 0 and 1.
    """
    id_column = facts.submission.id
    cell_format = CellFormat.from_sample(facts, sample_submission)
    columns = facts.prediction_columns
    layout = facts.submission.layout
    if layout == "lists":
        listed = [set(cell.split(facts.labels.separator)) for cell in table[cell_format.columns[0]]]
        cells = np.array([[float(name in names) for name in columns] for names in listed]).reshape(-1, len(columns))
        return pd.DataFrame(cells, table[id_column], columns)
    number_of_word = {word: float(number) for number, word in enumerate(cell_format.words)}
    numbers = table[cell_format.columns].apply(
        lambda column: column.map(number_of_word) if cell_format.holds_decisions else column.astype(float)
    )
    if layout == "long":
        names, labels = split_row_names(table[id_column], columns, "submission")
        long = pd.DataFrame({"id": names, "label": labels, "value": numbers[cell_format.columns[0]]})
        long = long.pivot(index="id", columns="label", values="value").reindex(names.unique(), columns=columns)
        return long.rename_axis(columns=None)
    if cell_format.is_one_class:
        cells = np.eye(len(columns))[numbers[cell_format.columns[0]].astype(int)]
        return pd.DataFrame(cells, table[id_column], columns)
    values = numbers.set_axis(columns, axis=1) if len(cell_format.columns) == 1 else numbers[columns]
    return values.set_index(table[id_column])


def read_submission(path: Path) -> pd.DataFrame:
    """Reads a submission file, all columns as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)
