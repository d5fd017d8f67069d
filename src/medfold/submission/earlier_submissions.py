"""Searches among earlier submissions: for the same predictions, the same score, or a lost ledger."""

from pathlib import Path

from medfold.competition import Competition
from medfold.earlier_versions import RECORD
from medfold.errors import UserError
from medfold.paths import ProjectPaths
from medfold.scoring import OofScore
from medfold.submission.ledger import LedgerRow
from medfold.submission.record import SubmissionRecord, read_record
from medfold.system import json_files


def content_id_of(row: LedgerRow, record: SubmissionRecord | None) -> str:
    """Returns the part of a submission's message by which it is found again in Kaggle's list.

    Args:
        row: row of the ledger.
        record: the record beside the submission; None if it is lost. Those of earlier versions have no content id.
    """
    return (record and record.content_id) or f"file {row.sha256[:12]}"


def find_same_submission(competition: Competition, earlier: list[LedgerRow], content_id: str) -> LedgerRow | None:
    """Returns the last row of the ledger with the same predictions; None if there is none.

    Args:
        competition: the competition; `file` of the ledger is relative to its project folder.
        earlier: submissions of the competition, from `read_rows`.
        content_id: content id of the submission.
    """
    for row in reversed(earlier):
        if content_id_of(row, read_record(competition, row)) == content_id:
            return row
    return None


def find_scored_row(rows: list[LedgerRow], run_names: list[str], score: OofScore) -> LedgerRow | None:
    """Returns the last scored submission of these runs with this OOF score; None if there is none.

    Args:
        rows: submissions of the competition, from `read_rows`.
        run_names: names of the runs.
        score: OOF score of the runs.
    """
    trained_folds = tuple(score.trained_folds)
    expected = LedgerRow(runs=tuple(run_names), trained_folds=trained_folds, oof=score.value).cells()
    for row in reversed(rows):
        cells = row.cells()
        is_same = all(cells[column] == expected[column] for column in ("runs", "trained_folds", "oof"))
        if row.status == "scored" and is_same:
            return row
    return None


def find_unlisted_submission(project_paths: ProjectPaths) -> Path | None:
    """Returns a submission that was scored or sent, if there is no ledger, so that it was lost; else None."""
    if project_paths.ledger.is_file():
        return None
    for path in sorted(project_paths.ledger.parent.glob("*/*.json")):
        try:
            record = json_files.read(path, RECORD, schema=SubmissionRecord)
        except (UserError, OSError):  # damaged
            continue
        if record and record.status in ("pending", "scored", "error"):
            return path.with_suffix(".csv")
    return None
