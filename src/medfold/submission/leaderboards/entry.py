"""Where a submission is scored. One module per `upload` in competition.yaml, with two functions or three:

- `preflight(competition, paths)`: raises UserError if a submission would be refused now;
- `submit(competition, paths, entry)`: scores or uploads a checked submission and returns a `LeaderboardResult`;
- `fetch_scores(competition, sought)`: where scores come later: `{file: LeaderboardResult}` for those of `sought` (ref,
  content id, file) that are known there.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from medfold.kaggle import RemoteRun

UPLOADS = {"local": "local", "csv": "kaggle", "notebook": "notebook"}


@dataclass(frozen=True)
class SubmissionEntry:
    """A checked submission.

    Args:
        file: where it is written.
        table: its contents, all columns as text.
        probabilities: behind its contents, where it holds decisions: id (of the unit) and prediction columns.
        groups: the group of each test id, for intervals.
        message: what to say of it: run, OOF score, commit.
        content_id: the part of the message that stands for the file's contents.
        sample: what it was checked against.
        pack: writes the folds and a notebook that predicts with them, for leaderboards that take notebooks.
        note: puts facts on record while it is not yet placed.
        again: place it even if the leaderboard has it already.
    """

    file: Path
    table: pd.DataFrame
    probabilities: pd.DataFrame
    groups: pd.Series
    message: str
    content_id: str
    sample: pd.DataFrame
    pack: Callable[[], RemoteRun]
    note: Callable[[dict[str, Any]], None]
    again: bool = False


@dataclass(frozen=True)
class LeaderboardResult:
    """What became of a submission.

    Args:
        status: for the ledger: written, pending, scored or error.
        public, private: scores on the two parts of the leaderboard; None where there is none.
        ref: the number it has there.
        problem: why it was refused after all.
        lines: what to print, (fact, value).
        rivals: a ranked table among published scores, with the row of this submission; None without any.
        mine: the position of this submission in it.
        facts: further ones for the file beside the submission.
    """

    status: str
    public: float | None = None
    private: float | None = None
    ref: str = ""
    problem: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)
    rivals: pd.DataFrame | None = None
    mine: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def leaderboard_of(upload: str) -> ModuleType:
    """The module of a kind of upload."""
    return importlib.import_module(f"medfold.submission.leaderboards.{UPLOADS[upload]}")
