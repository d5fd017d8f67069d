"""Each look-alike, downloaded into its own project once for all tests."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from medfold.competition.project import Project
from medfold.data.samples import read_samples
from medfold.paths import ProjectPaths
from tests.lookalikes import LOOKALIKES, ODDITIES, lookalike_once, truth_of
from tests.support.helpers import NoLeaderboard
from tests.support.small_project import copy_project


@dataclass(frozen=True)
class Lookalike:
    """A downloaded look-alike."""

    project: Project
    truth: dict[str, Any]
    table: pd.DataFrame

    def part(self, name: str) -> pd.DataFrame:
        return self.table[self.table["part"] == name].set_index("id", drop=False)


@pytest.fixture(scope="session", params=[*LOOKALIKES, *ODDITIES])
def lookalike(request, once) -> Lookalike:
    """Each look-alike in turn, downloaded once for all tests; only to be read."""
    folder = lookalike_once(once, request.param)
    project = Project.open(request.param, ProjectPaths(folder))
    return Lookalike(project, truth_of(folder), read_samples(project.competition, project.paths))


@pytest.fixture
def project(lookalike, tmp_path, monkeypatch) -> Project:
    """A copy of the look-alike's project, to be changed; nothing is uploaded."""
    copy_project(lookalike.project.project_paths.root, tmp_path, monkeypatch)
    if lookalike.project.competition.upload != "local":
        monkeypatch.setattr("medfold.commands.submit.leaderboard_of", NoLeaderboard.of)
    return Project.open(lookalike.project.paths.name)
