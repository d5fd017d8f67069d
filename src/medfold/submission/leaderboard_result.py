"""Answer of a leaderboard to a submission."""

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

SubmissionStatus = Literal["written", "pending", "scored", "error"]  # written: here, perhaps not uploaded


@dataclass(frozen=True)
class LeaderboardResult:
    """Result of a submission.

    Args:
        status: how far the submission is, for the ledger.
        public: score on the public part of the leaderboard; None where there is none.
        private: score on the private part of the leaderboard; None where there is none.
        ref: number of the submission on the leaderboard.
        problem: the reason for a late refusal.
        lines: text to print, (heading, value).
        ranking: published scores with a row for this submission, best first; None without any.
        own_row: the position of this submission in the ranking.
    """

    status: SubmissionStatus
    public: float | None = None
    private: float | None = None
    ref: str = ""
    problem: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)
    ranking: pd.DataFrame | None = None
    own_row: int | None = None
