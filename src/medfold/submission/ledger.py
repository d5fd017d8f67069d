"""The ledger: a row for every submission and every look at a hidden score, and the record beside each file."""

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


def add_row(paths: Workspace, row: dict[str, Any]) -> None:
    """Adds a row to the ledger, or renews that of the same file; what it does not name stays as it is, or empty."""
    with files.lock(paths.ledger):
        table = read_ledger(paths)
        there = table.index[(table["file"] == row["file"]) & (table["competition"] == row["competition"])]
        position = there[-1] if len(there) else len(table)
        kept = dict.fromkeys(COLUMNS, "") if not len(there) else table.loc[position].to_dict()
        table.loc[position] = [str(({**kept, **row})[column]) for column in COLUMNS]
        files.write_csv(table, paths.ledger)


def read_ledger(paths: Workspace) -> pd.DataFrame:
    """Every submission and every look at a hidden or test score, all columns as text.

    Raises:
        UserError: it is no such table any more.
    """
    if not paths.ledger.is_file():
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    fix = "Bring back a copy of it: it counts the looks at hidden scores"
    try:
        table = pd.read_csv(paths.ledger, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"not the ledger ({str(error).splitlines()[0]})", paths.ledger, fix) from None
    if absent := [column for column in COLUMNS if column not in table]:
        raise UserError(f"no column '{absent[0]}'", paths.ledger, fix)
    return table


NOTED = "kaggle"  # versions of data set and notebook


def record_path(project: Project, row: dict[str, str]) -> Path:
    """The file beside a submission: its score, inputs, hashes and what became of it."""
    return (project.workspace.root / row["file"]).with_suffix(".json")


def write_record(project: Project, row: dict[str, str], placed: LeaderboardResult, origin: dict[str, Any]) -> None:
    """Writes what became of a submission into the ledger and beside its file; facts that were noted before stay."""
    noted = {key: value for key, value in (files.read_json(record_path(project, row)) or {}).items() if key == NOTED}
    fate = {"ref": placed.ref, "public": placed.public, "private": placed.private, "status": placed.status}
    files.write_json({**origin, **noted, **placed.facts, **fate, "problem": placed.problem}, record_path(project, row))
    scores = {"public": as_text(placed.public), "private": as_text(placed.private)}
    add_row(project.workspace, {**row, **fate, **scores})


def content_id_of(row: dict[str, str], kept: dict[str, Any]) -> str:
    """What a submission's message holds of it, so that it is found again among those that Kaggle lists.

    Args:
        row: of the ledger.
        kept: what stands beside its file.
    """
    return kept.get("mark") or f"file {row['sha256'][:12]}"


def as_text(value: float | None) -> str:
    """A number as the ledger has it."""
    return "" if value is None else f"{value:.6f}"
