"""The leaderboard of each kind of upload."""

from collections.abc import Callable

import pandas as pd

from medfold.competition import Competition
from medfold.kaggle import RemoteRun
from medfold.submission.leaderboards.kaggle import KaggleLeaderboard
from medfold.submission.leaderboards.leaderboard import Leaderboard
from medfold.submission.leaderboards.local import LocalLeaderboard
from medfold.submission.leaderboards.notebook import NotebookLeaderboard

LEADERBOARDS: dict[str, type[Leaderboard]] = {  # by `upload` of competition.yaml
    "none": LocalLeaderboard,
    "csv": KaggleLeaderboard,
    "notebook": NotebookLeaderboard,
}


def leaderboard_of(
    competition: Competition, test_groups: pd.Series | None = None, pack: Callable[[], RemoteRun] | None = None
) -> Leaderboard:
    """Returns the leaderboard that scores the submissions of a competition.

    Args:
        competition: `upload` of its facts names the leaderboard.
        test_groups: see `LocalLeaderboard`. Defaults to none, which is enough to fetch scores.
        pack: see `NotebookLeaderboard`. Defaults to none, which is enough to fetch scores.
    """
    own_inputs = {"none": {"test_groups": test_groups}, "notebook": {"pack": pack}}
    upload = competition.facts.upload
    return LEADERBOARDS[upload](competition.facts, competition.paths, **own_inputs.get(upload, {}))
