"""A competition on the imitated Kaggle; each module hosts its own, by a fixture `hosted`."""

import pytest

from medfold.competition import Competition
from tests.support.histology import histology


@pytest.fixture(scope="module")
def files_and_truth():
    return histology(24, 8, "png")


@pytest.fixture
def competition(hosted):
    return Competition.open("histology")
