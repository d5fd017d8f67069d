"""The leaderboard of each kind of upload."""

from medfold.competition import Competition
from medfold.submission.leaderboards.kaggle import KaggleLeaderboard
from medfold.submission.leaderboards.leaderboard import Leaderboard
from medfold.submission.leaderboards.local import LocalLeaderboard
from medfold.submission.leaderboards.notebook import NotebookLeaderboard

LEADERBOARDS: dict[str, type[Leaderboard]] = {  # by `upload` of competition.yaml
    "none": LocalLeaderboard,
    "csv": KaggleLeaderboard,
    "notebook": NotebookLeaderboard,
}


def leaderboard_of(competition: Competition) -> Leaderboard:
    """Returns the leaderboard that scores the submissions of a competition: `upload` of its facts names it."""
    return LEADERBOARDS[competition.facts.upload](competition.facts, competition.paths)
