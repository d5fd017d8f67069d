"""Recording of a submission: its row of the ledger, and its record, the JSON file beside it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from medfold.competition import Competition, CompetitionFacts
from medfold.earlier_versions import RECORD
from medfold.ensemble import Ensemble
from medfold.paths import EnsemblePaths, SubmissionPaths
from medfold.submission.cell_format import class_words, holds_decisions
from medfold.submission.draft import SubmissionDraft
from medfold.submission.leaderboard_result import LeaderboardResult, SubmissionStatus
from medfold.submission.ledger import LedgerRow, add_row, read_ledger
from medfold.system import json_files
from medfold.system.hashes import sha256


class SubmissionRecord(BaseModel):
    """The contents of the JSON file beside a submission; None for what it lacks. Keys of other versions are kept.

    Args:
        runs: names of the runs.
        score: their OOF score.
        inputs: hashes of the files that it was made from, by path below the project folder.
        sha256: hash of the submission.
        content_id: short text in the message, by which the submission is found again.
        fallback: the prediction without an image.
        holds_decisions: True for decisions, False for probabilities.
        class_words: the words for the classes, or for no and yes; None for probabilities and lists.
        kaggle: versions of data set and notebook.
        ref: number of the submission on the leaderboard.
        public: score on the public part of the leaderboard.
        private: score on the private part of the leaderboard.
        status: how far it is.
        problem: the reason for a late refusal.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    runs: list[str] | None = None
    score: dict[str, Any] | None = None
    inputs: dict[str, str] | None = None
    sha256: str | None = None
    content_id: str | None = None
    fallback: list[float] | None = None
    holds_decisions: bool | None = None
    class_words: list[str] | None = None
    kaggle: dict[str, Any] | None = None
    ref: str | None = None
    public: float | None = None
    private: float | None = None
    status: SubmissionStatus | None = None
    problem: str | None = None

    def content(self) -> dict[str, Any]:
        """Returns the values that the file has, as JSON objects."""
        return self.model_dump(exclude_unset=True)


@dataclass(frozen=True)
class RecordedSubmission:
    """A submission that is written, checked, and in the ledger with the status "written".

    Args:
        file: path of the submission.
        table: contents of the file, all columns as text.
        draft: what the file was written from.
        row: its row of the ledger.
        record: contents of the record beside the file.
        num_scored_before: number of earlier submissions of the competition that were scored.
    """

    file: Path
    table: pd.DataFrame
    draft: SubmissionDraft
    row: LedgerRow
    record: SubmissionRecord
    num_scored_before: int


def submission_paths(competition: Competition, row: LedgerRow) -> SubmissionPaths:
    """Returns the paths of the submission in a row of the ledger."""
    return SubmissionPaths(competition.project_paths.root / row.file)


def read_record(competition: Competition, row: LedgerRow) -> SubmissionRecord | None:
    """Reads the record of a submission; None if there is none.

    Args:
        competition: the competition; `file` of the ledger is relative to its project folder.
        row: row of the ledger.

    Raises:
        UserError: the file is damaged.
    """
    return json_files.read(submission_paths(competition, row).record, RECORD, schema=SubmissionRecord)


def ledger_row(
    competition: Competition, ensemble: Ensemble, draft: SubmissionDraft, same: LedgerRow | None
) -> LedgerRow:
    """Returns the row of the ledger for a submission that has no result yet.

    Args:
        competition: the competition of the submission.
        ensemble: the combined runs.
        draft: the checked submission.
        same: row of a submission with the same predictions, whose time and file are used again; None without one.
    """
    time, file = (same.time, same.file) if same else _new_file(competition, ensemble.run_names, draft.sha256)
    score = ensemble.score
    return LedgerRow(
        time=time,
        competition=competition.paths.name,
        runs=tuple(ensemble.run_names),
        file=file,
        sha256=draft.sha256,
        metric=score.metric,
        oof=score.value,
        oof_low=score.low,
        oof_high=score.high,
        trained_folds=tuple(score.trained_folds),
    )


def _new_file(competition: Competition, run_names: list[str], content_hash: str) -> tuple[str, str]:
    """Returns the time, and the path below the project folder, of a new submission.

    A command that was killed after it had written the file, and before the ledger, left a file without a row: it is
    used again.
    """
    folder = competition.paths.submissions
    name = EnsemblePaths(competition.paths, run_names).name
    listed = set(read_ledger(competition.project_paths)["file"])
    for file in sorted(folder.glob(f"????????-??????-{name}*.csv")):
        path = file.relative_to(competition.project_paths.root).as_posix()
        if path not in listed and sha256(file) == content_hash:
            return file.name[: len("20260101-000000")], path
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    file = folder / f"{time}-{name}.csv"
    count = 1
    while file.exists():  # two within one second
        count += 1
        file = file.with_name(f"{time}-{name}-{count}.csv")
    return time, file.relative_to(competition.project_paths.root).as_posix()


def submission_record(facts: CompetitionFacts, ensemble: Ensemble, draft: SubmissionDraft) -> SubmissionRecord:
    """Returns the record of a submission that has no result yet."""
    return SubmissionRecord(
        runs=ensemble.run_names,
        score=ensemble.score.content(),
        inputs=ensemble.input_hashes,
        sha256=draft.sha256,
        content_id=draft.content_id,
        fallback=ensemble.fallback.tolist(),
        holds_decisions=holds_decisions(facts, draft.sample_submission),
        class_words=class_words(facts, draft.sample_submission),
    )


def record_result(
    competition: Competition, row: LedgerRow, result: LeaderboardResult, record: SubmissionRecord | None
) -> LedgerRow:
    """Writes the result of a submission into the ledger and into the record beside its file.

    Versions of data set and notebook that were recorded before are kept.

    Args:
        competition: the competition; its project folder has the ledger, whose `file` is relative to it.
        row: row of the ledger, from `ledger_row`.
        result: the answer of the leaderboard.
        record: other values of the record, from `submission_record`; None if they are lost.

    Returns:
        The row as it is in the ledger now.
    """
    earlier = read_record(competition, row)
    versions = {"kaggle": earlier.kaggle} if earlier and earlier.kaggle else {}
    entries = {"ref": result.ref, "public": result.public, "private": result.private, "status": result.status}
    updated = (record or SubmissionRecord()).model_copy(update={**versions, **entries, "problem": result.problem})
    json_files.write(updated.content(), submission_paths(competition, row).record)
    row = replace(row, **entries)
    add_row(competition.project_paths, row)
    return row


def record_versions(file: Path, versions: dict[str, Any]) -> None:
    """Adds the versions of data set and notebook to the record of a submission whose result is not known yet.

    Args:
        file: path of the submission.
        versions: their names, versions and links.
    """
    path = SubmissionPaths(file).record
    record = json_files.read(path, RECORD, schema=SubmissionRecord) or SubmissionRecord()
    json_files.write(record.model_copy(update={"kaggle": versions}).content(), path)
