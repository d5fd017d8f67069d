"""The ledger, submissions/ledger.csv: a row for every submission, with its scores.

Each scored submission shows a score on hidden labels. Whoever chooses among many of them overfits to these labels.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from medfold.errors import UserError
from medfold.paths import Workspace
from medfold.system import files, locks
from medfold.terminal.console import warn

COLUMNS = [
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


def add_row(workspace: Workspace, row: dict[str, Any]) -> None:
    """Adds a row to the ledger, or updates the row of the same file.

    Args:
        workspace: paths of the project folder, which has one ledger.
        row: values by column; missing columns keep their value, or are empty in a new row.
    """
    with locks.lock(workspace.ledger):
        table = read_ledger(workspace)
        existing = table.index[(table["file"] == row["file"]) & (table["competition"] == row["competition"])]
        position = existing[-1] if len(existing) else len(table)
        values = dict.fromkeys(COLUMNS, "") if not len(existing) else table.loc[position].to_dict()
        table.loc[position] = [str(({**values, **row})[column]) for column in COLUMNS]
        files.write_csv(table, workspace.ledger)


def warn_of_lost_ledger(workspace: Workspace) -> None:
    """Prints a warning if there is no ledger, although a submission was scored or sent."""
    if not workspace.ledger.is_file() and (submitted := _submitted_record(workspace)):
        text = f"{workspace.ledger.name} is missing, although {submitted.with_suffix('.csv').name} was submitted"
        warn("ledger", f"{text}: a new one is started. Restore the old one from a backup, if you can")


def read_ledger(workspace: Workspace) -> pd.DataFrame:
    """Reads the ledger: every submission with its scores, all columns as text.

    Raises:
        UserError: the file is damaged or lacks a column.
    """
    fix = "Restore it from a backup: it counts the scored submissions"
    if not workspace.ledger.is_file():
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    try:
        table = pd.read_csv(workspace.ledger, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"not the ledger ({str(error).splitlines()[0]})", workspace.ledger, fix) from None
    if missing := [column for column in COLUMNS if column not in table]:
        raise UserError(f"no column '{missing[0]}'", workspace.ledger, fix)
    return table


def _submitted_record(workspace: Workspace) -> Path | None:
    """Returns the record of a submission that was scored or sent, which the ledger had a row for; None without one."""
    for path in sorted(workspace.ledger.parent.glob("*/*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # damaged
            continue
        if isinstance(record, dict) and record.get("status") in ("pending", "scored", "error"):
            return path
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
        "folds": " ".join(map(str, score["folds_done"])),
    }


def find_scored_row(
    ledger: pd.DataFrame, competition: str, run_names: list[str], score: dict[str, Any]
) -> dict[str, str] | None:
    """Returns the last row of a scored submission of these runs with this OOF score; None if there is none.

    Args:
        ledger: the ledger, from `read_ledger`.
        competition: name of the competition.
        run_names: names of the runs.
        score: the content of score.json.
    """
    cells = score_cells(run_names, score)
    wanted = {"competition": competition, "status": "scored", **{key: cells[key] for key in ("runs", "folds", "oof")}}
    for row in reversed(ledger.to_dict("records")):
        if all(row[column] == cell for column, cell in wanted.items()):
            return row
    return None


def format_ledger_score(value: float | None) -> str:
    """Formats a score for the ledger; '' for None."""
    return "" if value is None else f"{value:.6f}"
