"""An imitated Kaggle with a competition, whose folder is in the project."""

import pytest

from medfold.competition import Competition
from tests.support.helpers import zipped
from tests.support.histology import HISTOLOGY as FACTS
from tests.support.histology import histology
from tests.support.kaggle_server import HostedCompetition
from tests.support.small_project import add_competition


@pytest.fixture(scope="module")
def content():
    return histology(24, 8, "png")[0]


@pytest.fixture
def hosted(kaggle, content, project_folder):
    """An imitated Kaggle with the competition, whose folder is in the project."""
    kaggle.competitions["histology"] = HostedCompetition(files=dict(content), archive=zipped(content))
    add_competition(project_folder, "histology", FACTS)
    return kaggle


@pytest.fixture
def competition(hosted):
    return Competition.open("histology")
