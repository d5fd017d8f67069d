"""Checks that refuse a submission which a leaderboard would refuse or score wrongly."""

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.errors import UserError
from medfold.submission.cell_format import CellFormat
from medfold.text import count_of, shorten_list

REPORT = "medfold made this table: check the layout in plugins.py, if there is one; else please report it"


def check_submission(facts: CompetitionFacts, table: pd.DataFrame, sample_submission: pd.DataFrame) -> None:
    """Refuses a submission that the leaderboard would refuse or score wrongly.

    Args:
        facts: facts of the competition (classes, metric and `submission.layout`).
        table: the submission.
        sample_submission: the sample submission, all columns as text.

    Raises:
        UserError: no rows, unless the whole test set is hidden; wrong columns or their order; ids missing, extra,
            duplicated or in another order; a value that is missing, not a number, infinite, outside 0..1 or not a known
            class.
    """
    id_column = facts.submission.id
    if len(table) == 0 and not (facts.upload == "notebook" and len(sample_submission) == 0):
        rows = count_of(len(sample_submission), "row")
        raise UserError(f"no rows, where the sample submission has {rows}", "submission", REPORT)
    if list(table.columns) != list(sample_submission.columns):
        found, expected = (
            shorten_list([str(name) for name in names.columns], 12) for names in (table, sample_submission)
        )
        what = f"its columns are {found}; those of the sample submission {expected}"
        raise UserError(what, "submission", REPORT)
    _check_ids(table[id_column].astype(str), sample_submission[id_column])
    cell_format = CellFormat.from_sample(facts, sample_submission)
    for column in cell_format.columns:
        is_wrong, reason = _wrong_cells(facts, cell_format, table[column])
        if is_wrong.any():
            row = int(np.argmax(is_wrong))
            what = f"row {row + 2}, column '{column}': {table[column].iloc[row]} is {reason}"
            found = count_of(int(is_wrong.sum()), "such value")
            raise UserError(what, "submission", f"{found}. {REPORT}")


def _check_ids(ids: pd.Series, expected: pd.Series) -> None:
    """Refuses ids other than the ids of the sample submission, each once and in its order."""
    for what, wrong_ids in (
        ("duplicated", ids[ids.duplicated()].unique()),
        ("missing", expected[~expected.isin(ids)]),
        ("not in the sample submission", ids[~ids.isin(expected)]),
    ):
        if len(wrong_ids):
            found = f"{count_of(len(wrong_ids), 'id')} {what}: {shorten_list(wrong_ids)}"
            expected_ids = f"the sample submission has {count_of(len(expected), 'id')}, each once"
            fix = (
                REPORT
                if what == "duplicated"
                else "Check images.test, labels.test_file and score.unit: they give the ids"
            )
            raise UserError(f"{found}; {expected_ids}", "submission", fix)
    if list(ids) != list(expected):
        what = "rows are in a different order than in the sample submission"
        raise UserError(what, "submission", REPORT)


def _wrong_cells(facts: CompetitionFacts, cell_format: CellFormat, cells: pd.Series) -> tuple[np.ndarray, str]:
    """Returns True for each cell of a column that the format does not allow, and what such a cell is."""
    if facts.submission.layout == "lists":
        is_wrong = np.array([not _is_list(str(cell), facts) for cell in cells], bool)
        return is_wrong, f"not a list of different labels of {shorten_list(facts.prediction_columns, 6)}"
    if cell_format.holds_decisions:
        is_wrong = ~cells.astype(str).isin(cell_format.words).to_numpy()
        return is_wrong, f"not a class of {shorten_list(cell_format.words.tolist(), 6)}"
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
    return ~((numbers >= 0) & (numbers <= 1)), "not a probability from 0 to 1"


def _is_list(cell: str, facts: CompetitionFacts) -> bool:
    """Returns True if a cell is a list of different labels, or empty where that is allowed."""
    if not cell:
        return facts.submission.allow_empty_lists
    labels = cell.split(facts.labels.separator)
    return len(set(labels)) == len(labels) and set(labels) <= set(facts.prediction_columns)
