"""Base class of leaderboards, with what is submitted to them, and the result."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.kaggle import RemoteRun
from medfold.paths import CompetitionPaths
from medfold.submission.draft import SubmissionDraft
from medfold.system import locks


@dataclass(frozen=True)
class SubmissionEntry:
    """A checked submission.

    Args:
        file: path of the submission.
        table: contents of the file, all columns as text.
        draft: what the file was written from, with the message for the leaderboard.
        groups: the group of each test id, for intervals.
        pack: packs the folds and a notebook that predicts with them, for leaderboards that take notebooks.
        add_to_record: adds entries to the record beside the file before the result is known.
        resubmit: True to submit it even if it is on the leaderboard already. Defaults to False.
    """

    file: Path
    table: pd.DataFrame
    draft: SubmissionDraft
    groups: pd.Series
    pack: Callable[[], RemoteRun]
    add_to_record: Callable[[dict[str, Any]], None]
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


@dataclass(frozen=True)
class Leaderboard(ABC):
    """Where the submissions of a competition are scored.

    Args:
        facts: facts of the competition (metric, source, format of the submission).
        paths: paths of the hidden labels and the published scores, where these are on this machine.

    Attributes:
        has_late_scores: True if scores may be published after `submit`; `fetch_scores` then fetches them.
    """

    facts: CompetitionFacts
    paths: CompetitionPaths

    has_late_scores: ClassVar[bool] = False

    @abstractmethod
    def preflight(self) -> None:
        """Checks that a submission would be accepted now.

        Raises:
            UserError: it would be refused.
        """

    def submission_lock(self, file: Path, run_names: list[str]) -> AbstractContextManager[Any]:
        """Returns a lock that lets one process at a time submit a file: a second one waits for the first.

        Args:
            file: path of the submission.
            run_names: names of the runs behind it.
        """
        return locks.lock(file)

    @abstractmethod
    def submit(self, entry: SubmissionEntry) -> LeaderboardResult:
        """Scores or uploads a checked submission.

        Raises:
            UserError: it was refused.
        """

    def fetch_scores(self, queries: list[tuple[str, str, str]]) -> dict[str, LeaderboardResult]:
        """Fetches the scores of earlier submissions.

        Args:
            queries: (ref, content id, file) of each.

        Returns:
            Results by file, of the submissions that the leaderboard lists. Defaults to none.
        """
        return {}
