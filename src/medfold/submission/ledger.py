"""The ledger with a row for every submission, and the record beside each submission.

A scored submission is called a look: it shows a score on hidden labels. Choosing among many looks overfits to them.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from medfold import files
from medfold.competition import Project
from medfold.errors import UserError
from medfold.paths import Workspace
from medfold.submission.leaderboards.entry import LeaderboardResult

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
        row: values by column; missing columns keep their value, or are empty in a new row.
    """
    with files.lock(workspace.ledger):
        table = read_ledger(workspace)
        existing = table.index[(table["file"] == row["file"]) & (table["competition"] == row["competition"])]
        position = existing[-1] if len(existing) else len(table)
        values = dict.fromkeys(COLUMNS, "") if not len(existing) else table.loc[position].to_dict()
        table.loc[position] = [str(({**values, **row})[column]) for column in COLUMNS]
        files.write_csv(table, workspace.ledger)


def read_ledger(workspace: Workspace) -> pd.DataFrame:
    """Reads the ledger: every submission with its scores, all columns as text.

    Raises:
        UserError: the file is damaged or lacks a column.
    """
    if not workspace.ledger.is_file():
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    fix = "Restore it from a backup: it counts the scored submissions"
    try:
        table = pd.read_csv(workspace.ledger, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"not the ledger ({str(error).splitlines()[0]})", workspace.ledger, fix) from None
    if missing := [column for column in COLUMNS if column not in table]:
        raise UserError(f"no column '{missing[0]}'", workspace.ledger, fix)
    return table


VERSIONS_KEY = "kaggle"  # key of the record with the versions of data set and notebook


def record_path(project: Project, row: dict[str, str]) -> Path:
    """Returns the path of the JSON record beside a submission: its score, inputs, hashes and result."""
    return (project.workspace.root / row["file"]).with_suffix(".json")


def write_record(project: Project, row: dict[str, str], outcome: LeaderboardResult, record: dict[str, Any]) -> None:
    """Writes the result of a submission into the ledger and into the record beside its file.

    Versions of data set and notebook that were recorded before are kept.

    Args:
        row: of the ledger.
        outcome: the result of the leaderboard.
        record: other contents of the record: inputs, hashes, score.
    """
    path = record_path(project, row)
    versions = {key: value for key, value in (files.read_json(path) or {}).items() if key == VERSIONS_KEY}
    result = {"ref": outcome.ref, "public": outcome.public, "private": outcome.private, "status": outcome.status}
    files.write_json({**record, **versions, **outcome.record_entries, **result, "problem": outcome.problem}, path)
    scores = {"public": format_ledger_score(outcome.public), "private": format_ledger_score(outcome.private)}
    add_row(project.workspace, {**row, **result, **scores})


def content_id_of(row: dict[str, str], record: dict[str, Any]) -> str:
    """Returns the part of a submission's message by which it is found again in Kaggle's list.

    Args:
        row: of the ledger.
        record: the JSON beside its file.
    """
    return record.get("mark") or f"file {row['sha256'][:12]}"


def format_ledger_score(value: float | None) -> str:
    """Formats a score for the ledger; '' for None."""
    return "" if value is None else f"{value:.6f}"
