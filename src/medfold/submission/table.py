"""The submission: built in the sample file's own shape, checked against it, recorded in the ledger."""

from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import Competition
from medfold.console import warn
from medfold.data import split_long
from medfold.scoring import decisions_of
from medfold.submission.form import Form


def align_sample(competition: Competition, sample: pd.DataFrame, units: list[str]) -> pd.DataFrame:
    """The rows and columns that a submission must have.

    Those of the sample submission; but that of a code competition may hold a few rows to show the columns only. Then
    all units of the test part make the rows.

    Args:
        sample: the sample submission, all columns as text.
        units: of the test part, in the order of the sample table.
    """
    id_column = competition.submission.id
    if competition.submission.shape == "long":
        names = [f"{unit}_{label}" for unit in units for label in competition.prediction_columns]
    else:
        names = units
    if competition.upload != "notebook" or set(sample[id_column]) == set(names):
        return sample
    # The cells stay, as often as it takes: they show the words of a class.
    count = len(names)
    cells = {name: np.resize(column.to_numpy(), count) if len(sample) else "" for name, column in sample.items()}
    return pd.DataFrame({**cells, id_column: names})[list(sample.columns)]


def fill_missing(
    competition: Competition,
    predictions: pd.DataFrame,
    units: list[str],
    nothing: np.ndarray,
    without: str = "no readable image",
    quiet: bool = False,
) -> pd.DataFrame:
    """The predictions of all units: a submission must hold every id, so those without one are filled, which is told.

    Args:
        predictions: id (of the unit) and prediction columns.
        units: of the test part.
        nothing: float64 (columns,), what is predicted without an image, see `EnsembleChoice.fallback`.
        without: what those have that are without a prediction.
        quiet: does not tell. Defaults to False.
    """
    absent = pd.Index(units).difference(predictions["id"], sort=False)
    if not len(absent):
        return predictions
    few = f"{len(absent):,} of {len(units):,} test units have {without}"
    if not quiet:
        got = ", ".join(f"{value:.3g}" for value in nothing[:6]) + (", ..." if len(nothing) > 6 else "")
        warn("submit", f"{few}: they get {got}, what is known without an image")
    filled = pd.DataFrame(np.tile(nothing, (len(absent), 1)), columns=competition.prediction_columns)
    filled.insert(0, "id", absent)
    return pd.concat([predictions, filled], ignore_index=True)


def build_submission(competition: Competition, predictions: pd.DataFrame, sample: pd.DataFrame) -> pd.DataFrame:
    """Predictions in the columns and the row order of a sample submission.

    Where the metric looks at decisions, decisions are written (`scoring.decisions`), else probabilities. Shape wide: a
    column for each label or class; or a single one that holds the decided class, by name, of a task with several
    classes. A decided class is written in the sample's own words. Shape long: a row `<id>_<label>` for each label.
    Shape lists: the names of the decided labels, with `labels.separator` between.

    Args:
        competition: names id and prediction columns.
        predictions: id (of the unit) and prediction columns; rows in any order.
        sample: the sample submission, all columns as text.

    Returns:
        A table with the columns of the sample; ids that were not predicted are missing in it (`check` names them).

    Raises:
        UserError: sample columns that fit neither form.
    """
    id_column, form = competition.submission.id, Form.of(competition, sample)
    values = predictions.set_index("id")[competition.prediction_columns]
    decided = values
    if form.decisions:
        decided = pd.DataFrame(decisions_of(competition, values.to_numpy()), values.index, values.columns)
    if competition.submission.shape == "long":
        names, labels = split_long(sample[id_column], competition.prediction_columns, "sample submission")
        known = names.isin(values.index).to_numpy()
        place = values.index.get_indexer(names[known]), values.columns.get_indexer(labels[known])
        table = sample.loc[known, [id_column]].reset_index(drop=True)
        cells = decided.to_numpy()[place]
        cells = form.words[cells.astype(int)] if form.decisions else cells
        return table.assign(**{form.columns[0]: cells})[list(sample.columns)]
    if competition.submission.shape == "lists":
        names = np.array(competition.prediction_columns)
        cells = [competition.labels.separator.join(names[row]) for row in decided.to_numpy() > 0]
        filled = pd.DataFrame({form.columns[0]: cells}, index=values.index)
    elif form.one_class:
        filled = pd.DataFrame({form.columns[0]: form.words[decided.to_numpy().argmax(axis=1)]}, index=values.index)
    else:
        decided = decided.set_axis(form.columns, axis=1) if len(form.columns) == 1 else decided[form.columns]
        filled = decided
        if form.decisions:
            filled = pd.DataFrame(form.words[decided.to_numpy().astype(int)], decided.index, decided.columns)
    ids = sample.loc[sample[id_column].isin(values.index), id_column]
    table = filled.loc[ids].reset_index(drop=True)
    table.insert(list(sample.columns).index(id_column), id_column, ids.to_numpy())
    return table[list(sample.columns)]


def read_predictions_back(
    competition: Competition, table: pd.DataFrame, sample: pd.DataFrame
) -> tuple[pd.DataFrame, bool]:
    """Reads a submission back: what a leaderboard sees of it.

    Args:
        table: the checked submission, all columns as text.
        sample: what it was checked against.

    Returns:
        The prediction columns by unit: float64, of probabilities or of decisions as 0 and 1; and True for decisions.
    """
    id_column, form = competition.submission.id, Form.of(competition, sample)
    columns, shape = competition.prediction_columns, competition.submission.shape
    if shape == "lists":
        listed = [set(cell.split(competition.labels.separator)) for cell in table[form.columns[0]]]
        cells = np.array([[float(name in names) for name in columns] for names in listed]).reshape(-1, len(columns))
        return pd.DataFrame(cells, table[id_column], columns), True
    code = {word: float(number) for number, word in enumerate(form.words)}
    numbers = table[form.columns].apply(lambda column: column.map(code) if form.decisions else column.astype(float))
    if shape == "long":
        names, labels = split_long(table[id_column], columns, "submission")
        found = pd.DataFrame({"id": names, "label": labels, "value": numbers[form.columns[0]]})
        found = found.pivot(index="id", columns="label", values="value").reindex(names.unique(), columns=columns)
        return found.rename_axis(columns=None), form.decisions
    if form.one_class:
        cells = np.eye(len(columns))[numbers[form.columns[0]].astype(int)]
        return pd.DataFrame(cells, table[id_column], columns), True
    named = numbers.set_axis(columns, axis=1) if len(form.columns) == 1 else numbers[columns]
    return named.set_index(table[id_column]), form.decisions


def read_submission(path: Path) -> pd.DataFrame:
    """A submission file, all columns as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)
