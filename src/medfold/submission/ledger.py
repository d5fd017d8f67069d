"""The ledger, submissions/ledger.csv: a row for every submission, with its scores.

Each scored submission shows a score on hidden labels. Whoever chooses among many of them overfits to these labels.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from medfold.errors import UserError
from medfold.paths import ProjectPaths
from medfold.system import locks
from medfold.tables import write_csv


@dataclass(frozen=True)
class LedgerRow:
    """A submission in the ledger: all values as text, '' while they are unknown.

    Args:
        when: time of the submission in UTC: 20260131-235959.
        competition: name of the competition.
        runs: names of the runs, separated by spaces.
        file: path of the submission below the project folder.
        sha256: hash of the file.
        metric: name of the metric of the scores.
        oof: OOF score.
        low: lower end of its 95 % interval.
        high: upper end of its 95 % interval.
        folds: numbers of the trained folds, separated by spaces.
        ref: number of the submission on the leaderboard.
        public: score on the public part of the leaderboard.
        private: score on the private part of the leaderboard.
        status: written, pending, scored or error.
    """

    when: str = ""
    competition: str = ""
    runs: str = ""
    file: str = ""
    sha256: str = ""
    metric: str = ""
    oof: str = ""
    low: str = ""
    high: str = ""
    folds: str = ""
    ref: str = ""
    public: str = ""
    private: str = ""
    status: str = ""

    @property
    def run_names(self) -> list[str]:
        """Names of the runs."""
        return self.runs.split()


COLUMNS = [field.name for field in fields(LedgerRow)]


def add_row(project_paths: ProjectPaths, row: LedgerRow) -> None:
    """Adds a row to the ledger, or replaces the row of the same file.

    Args:
        project_paths: paths of the project folder, which has one ledger.
        row: the submission.
    """
    with locks.lock(project_paths.ledger):
        table = read_ledger(project_paths)
        existing = table.index[(table["file"] == row.file) & (table["competition"] == row.competition)]
        position = existing[-1] if len(existing) else len(table)
        table.loc[position] = [getattr(row, column) for column in COLUMNS]
        write_csv(table, project_paths.ledger)


def read_rows(project_paths: ProjectPaths, competition: str) -> list[LedgerRow]:
    """Reads the submissions of a competition from the ledger, in the order in which they were added.

    Args:
        project_paths: paths of the project folder.
        competition: name of the competition.

    Raises:
        UserError: as for `read_ledger`.
    """
    table = read_ledger(project_paths)[COLUMNS]
    return [LedgerRow(**row) for row in table[table["competition"] == competition].to_dict("records")]


def read_ledger(project_paths: ProjectPaths) -> pd.DataFrame:
    """Reads the ledger: every submission with its scores, all columns as text.

    Raises:
        UserError: the file is damaged or lacks a column.
    """
    fix = "Restore it from a backup: it counts the scored submissions"
    if not project_paths.ledger.is_file():
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    try:
        table = pd.read_csv(project_paths.ledger, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"not the ledger ({str(error).splitlines()[0]})", project_paths.ledger, fix) from None
    if missing := [column for column in COLUMNS if column not in table]:
        raise UserError(f"no column '{missing[0]}'", project_paths.ledger, fix)
    return table


def find_unlisted_submission(project_paths: ProjectPaths) -> Path | None:
    """Returns a submission that was scored or sent, if there is no ledger, so that it was lost; else None."""
    if project_paths.ledger.is_file():
        return None
    for path in sorted(project_paths.ledger.parent.glob("*/*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # damaged
            continue
        if isinstance(record, dict) and record.get("status") in ("pending", "scored", "error"):
            return path.with_suffix(".csv")
    return None


def score_cells(run_names: list[str], score: dict[str, Any]) -> dict[str, str]:
    """Returns the cells of a row that describe an OOF score: runs, metric, oof, low, high, folds.

    Args:
        run_names: names of the runs that were scored.
        score: the content of score.json.
    """
    return {
        "runs": " ".join(run_names),
        "metric": score["metric"],
        "oof": format_ledger_score(score["value"]),
        "low": format_ledger_score(score["low"]),
        "high": format_ledger_score(score["high"]),
        "folds": " ".join(map(str, score["trained_folds"])),
    }


def find_scored_row(rows: list[LedgerRow], run_names: list[str], score: dict[str, Any]) -> LedgerRow | None:
    """Returns the last scored submission of these runs with this OOF score; None if there is none.

    Args:
        rows: submissions of the competition, from `read_rows`.
        run_names: names of the runs.
        score: the content of score.json.
    """
    cells = score_cells(run_names, score)
    for row in reversed(rows):
        if row.status == "scored" and all(getattr(row, column) == cells[column] for column in ("runs", "folds", "oof")):
            return row
    return None


def format_ledger_score(value: float | None) -> str:
    """Formats a score for the ledger; '' for None."""
    return "" if value is None else f"{value:.6f}"
