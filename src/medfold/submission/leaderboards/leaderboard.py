"""Base class of leaderboards."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from medfold.competition import CompetitionFacts
from medfold.kaggle import NotebookJob
from medfold.paths import CompetitionPaths
from medfold.submission.leaderboard_result import LeaderboardResult
from medfold.submission.record import RecordedSubmission
from medfold.system import locks


class ScoreQuery(NamedTuple):
    """What an earlier submission is found by.

    Args:
        ref: its number on the leaderboard, or "".
        content_id: short text in its message.
        file: path of the submission below the project folder.
    """

    ref: str
    content_id: str
    file: str


@dataclass(frozen=True)
class Leaderboard(ABC):
    """Where the submissions of a competition are scored.

    Args:
        facts: facts of the competition (metric, source, format of the submission).
        paths: paths of the labels of the test set and the published scores, where these are on this machine.

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
            UserError: the leaderboard would refuse a submission.
        """

    def submission_lock(self, file: Path, run_names: list[str]) -> AbstractContextManager[Any]:
        """Returns a lock that lets one process at a time submit a file: a second one waits for the first.

        Args:
            file: path of the submission.
            run_names: names of the runs behind it.
        """
        return locks.lock(file)

    @abstractmethod
    def submit(
        self, recorded: RecordedSubmission, pack: Callable[[], NotebookJob], resubmit: bool = False
    ) -> LeaderboardResult:
        """Scores or uploads a checked submission.

        Args:
            recorded: the submission.
            pack: packs the folds and a notebook that predicts with them; called if the leaderboard takes notebooks.
            resubmit: submit it even if it is on the leaderboard already. Defaults to False.

        Raises:
            UserError: the leaderboard refused the submission.
        """

    def fetch_scores(self, queries: list[ScoreQuery]) -> dict[str, LeaderboardResult]:
        """Fetches the scores of earlier submissions.

        Args:
            queries: what each is found by.

        Returns:
            Results by file, of the submissions that the leaderboard lists; the base class returns none.
        """
        return {}
