"""The interface of leaderboards: one module per `upload` of competition.yaml, which is a `Leaderboard`."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import pandas as pd

from medfold.competition import Competition
from medfold.kaggle import RemoteRun
from medfold.paths import CompetitionPaths

MODULES = {"local": "local", "csv": "kaggle", "notebook": "notebook"}


@dataclass(frozen=True)
class SubmissionEntry:
    """A checked submission.

    Args:
        file: path of the submission.
        table: contents of the file, all columns as text.
        probabilities: the probabilities from which decisions were made: id (of the unit) and prediction columns.
        groups: the group of each test id, for intervals.
        message: its description: run, OOF score, commit.
        content_id: the part of the message that identifies the file's contents.
        sample: the sample submission that it was checked against.
        pack: packs the folds and a notebook that predicts with them, for leaderboards that take notebooks.
        record: adds entries to the record beside the file before the result is known.
        resubmit: True to submit it even if it is on the leaderboard already. Defaults to False.
    """

    file: Path
    table: pd.DataFrame
    probabilities: pd.DataFrame
    groups: pd.Series
    message: str
    content_id: str
    sample: pd.DataFrame
    pack: Callable[[], RemoteRun]
    record: Callable[[dict[str, Any]], None]
    resubmit: bool = False


@dataclass(frozen=True)
class LeaderboardResult:
    """Result of a submission.

    Args:
        status: for the ledger: written, pending, scored or error.
        public: score on the public part of the leaderboard; None where there is none.
        private: score on the private part of the leaderboard; None where there is none.
        ref: number of the submission on the leaderboard.
        problem: the reason for a late refusal.
        lines: text to print, (heading, value).
        ranking: published scores with a row for this submission, best first; None without any.
        own_row: the position of this submission in the ranking.
    """

    status: str
    public: float | None = None
    private: float | None = None
    ref: str = ""
    problem: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)
    ranking: pd.DataFrame | None = None
    own_row: int | None = None


class Leaderboard(Protocol):
    """A kind of upload: a module of this package with these names.

    Attributes:
        IS_LONG_RUNNING: True if `submit` may take hours, so that it must not hold up other submissions.
    """

    IS_LONG_RUNNING: bool

    def preflight(self, competition: Competition, paths: CompetitionPaths) -> None:
        """Checks that a submission would be accepted now.

        Raises:
            UserError: it would be refused.
        """

    def submit(self, competition: Competition, paths: CompetitionPaths, entry: SubmissionEntry) -> LeaderboardResult:
        """Scores or uploads a checked submission.

        Raises:
            UserError: it was refused.
        """

    @property
    def fetch_scores(
        self,
    ) -> Callable[[Competition, list[tuple[str, str, str]]], dict[str, LeaderboardResult]] | None:
        """Function that fetches scores which are published later; None where `submit` returns them at once.

        It takes the competition and (ref, content id, file) of each submission, and returns the results, by file, of
        those submissions that the leaderboard lists.
        """


def leaderboard_of(upload: str) -> Leaderboard:
    """Returns the leaderboard of a kind of upload."""
    return cast(Leaderboard, importlib.import_module(f"medfold.submission.leaderboards.{MODULES[upload]}"))
