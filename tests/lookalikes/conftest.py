"""Each look-alike, downloaded into its own project once for all tests."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from medfold.competition import Competition
from medfold.data import read_samples
from medfold.paths import ProjectPaths
from tests.lookalikes import LOOKALIKES, ODDITIES, lookalike_once, truth_of
from tests.support.helpers import NoLeaderboard
from tests.support.small_project import copy_project


@dataclass(frozen=True)
class Lookalike:
    """A downloaded look-alike."""

    competition: Competition
    truth: dict[str, Any]
    table: pd.DataFrame

    def part(self, name: str) -> pd.DataFrame:
        return self.table[self.table["part"] == name].set_index("id", drop=False)


@pytest.fixture(scope="session", params=[*LOOKALIKES, *ODDITIES])
def lookalike(request, once) -> Lookalike:
    """Each look-alike in turn, downloaded once for all tests; only to be read."""
    folder = lookalike_once(once, request.param)
    competition = Competition.open(request.param, ProjectPaths(folder))
    return Lookalike(competition, truth_of(folder), read_samples(competition.facts, competition.paths))


@pytest.fixture
def competition(lookalike, tmp_path, monkeypatch) -> Competition:
    """A copy of the look-alike's project, to be changed; nothing is uploaded."""
    copy_project(lookalike.competition.project_paths.root, tmp_path, monkeypatch)
    if lookalike.competition.facts.upload != "none":
        monkeypatch.setattr("medfold.commands.submit.leaderboard_of", NoLeaderboard.of)
    return Competition.open(lookalike.competition.paths.name)
