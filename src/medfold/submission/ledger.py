"""The ledger, submissions/ledger.csv: a row for every submission, with its scores.

Each scored submission shows a score on the test set. Whoever chooses among many of them overfits to its labels.
"""

from dataclasses import dataclass, fields
from typing import Literal, get_args

import pandas as pd

from medfold.earlier_versions import LEDGER, current_by_former
from medfold.errors import UserError
from medfold.paths import ProjectPaths
from medfold.submission.leaderboard_result import SubmissionStatus
from medfold.system import locks
from medfold.tables import write_csv


@dataclass(frozen=True)
class LedgerRow:
    """A submission in the ledger; its fields are the columns.

    Texts are empty and scores None while they are unknown.

    Args:
        time: time of the submission in UTC: 20260131-235959.
        competition: name of the competition.
        runs: names of the runs.
        file: path of the submission below the project folder.
        sha256: hash of the file.
        metric: name of the metric of the scores.
        oof: OOF score.
        oof_low: lower end of its 95 % interval.
        oof_high: upper end of its 95 % interval.
        trained_folds: numbers of the trained folds.
        ref: Kaggle's id of the submission (`ref` in its API).
        public: score on the public part of the leaderboard.
        private: score on the private part of the leaderboard.
        status: how far it is; empty for a row that is not in the ledger yet.
    """

    time: str = ""
    competition: str = ""
    runs: tuple[str, ...] = ()
    file: str = ""
    sha256: str = ""
    metric: str = ""
    oof: float | None = None
    oof_low: float | None = None
    oof_high: float | None = None
    trained_folds: tuple[int, ...] = ()
    ref: str = ""
    public: float | None = None
    private: float | None = None
    status: SubmissionStatus | Literal[""] = ""

    @classmethod
    def from_cells(cls, cells: dict[str, str]) -> "LedgerRow":
        """Reads a row from the texts of its cells, by column.

        Raises:
            ValueError: no file, no known status; or a score, or the number of a fold, is not a number.
        """
        if not cells["file"]:
            raise ValueError("no file")
        if cells["status"] not in STATUSES:
            raise ValueError(f"unknown status '{cells['status']}'")
        scores = {column: float(cells[column]) if cells[column] else None for column in SCORE_COLUMNS}
        runs = tuple(cells["runs"].split())
        trained_folds = tuple(int(number) for number in cells["trained_folds"].split())
        return cls(**{**cells, **scores, "runs": runs, "trained_folds": trained_folds})

    def cells(self) -> dict[str, str]:
        """Returns the texts of the cells, by column; the inverse of `from_cells`. Scores have six decimals."""
        return {column: _cell(getattr(self, column)) for column in COLUMNS}


def _cell(value: str | float | tuple | None) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.6f}"


STATUSES = get_args(SubmissionStatus)
COLUMNS = [field.name for field in fields(LedgerRow)]
SCORE_COLUMNS = ["oof", "oof_low", "oof_high", "public", "private"]
FIX = "Restore it from a backup: it counts the scored submissions"


def add_row(project_paths: ProjectPaths, row: LedgerRow) -> None:
    """Adds a row to the ledger, or replaces the row of the same file.

    Args:
        project_paths: paths of the project folder, which has one ledger.
        row: it replaces the row of the same competition and file.
    """
    with locks.lock(project_paths.ledger):
        table = read_ledger(project_paths)
        existing = table.index[(table["file"] == row.file) & (table["competition"] == row.competition)]
        position = existing[-1] if len(existing) else len(table)
        before = table.loc[position].to_dict() if len(existing) else dict.fromkeys(table, "")
        table.loc[position] = before | row.cells()  # columns that the user added stay
        write_csv(table, project_paths.ledger)


def read_rows(project_paths: ProjectPaths, competition: str) -> list[LedgerRow]:
    """Reads the submissions of a competition from the ledger, in the order in which they were added.

    Args:
        project_paths: paths of the project folder.
        competition: name of the competition.

    Raises:
        UserError: as for `read_ledger` and `LedgerRow.from_cells`.
    """
    table = read_ledger(project_paths)[COLUMNS]
    rows = []
    for number, cells in enumerate(table.to_dict("records"), start=2):  # the first line has the names of the columns
        if cells["competition"] == competition:
            try:
                rows.append(LedgerRow.from_cells(cells))
            except ValueError as error:
                raise UserError(f"damaged in line {number} ({error})", project_paths.ledger, FIX) from None
    return rows


def read_ledger(project_paths: ProjectPaths) -> pd.DataFrame:
    """Reads the ledger: every submission with its scores, all columns as text.

    Raises:
        UserError: the file is damaged, or lacks a column.
    """
    if not project_paths.ledger.is_file():
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    try:
        table = pd.read_csv(project_paths.ledger, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"not the ledger ({str(error).splitlines()[0]})", project_paths.ledger, FIX) from None
    table = table.rename(columns=current_by_former(LEDGER))
    if missing := [column for column in COLUMNS if column not in table]:
        raise UserError(f"no column '{missing[0]}'", project_paths.ledger, FIX)
    return table
