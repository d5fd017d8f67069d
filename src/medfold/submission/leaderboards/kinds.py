"""The leaderboard of each kind of upload."""

from medfold.competition import Project
from medfold.submission.leaderboards.entry import Leaderboard
from medfold.submission.leaderboards.kaggle import KaggleLeaderboard
from medfold.submission.leaderboards.local import LocalLeaderboard
from medfold.submission.leaderboards.notebook import NotebookLeaderboard

LEADERBOARDS: dict[str, type[Leaderboard]] = {  # by `upload` of competition.yaml
    "local": LocalLeaderboard,
    "csv": KaggleLeaderboard,
    "notebook": NotebookLeaderboard,
}


def leaderboard_of(project: Project) -> Leaderboard:
    """Returns the leaderboard that scores the submissions of a competition."""
    return LEADERBOARDS[project.competition.upload](project.competition, project.paths)
