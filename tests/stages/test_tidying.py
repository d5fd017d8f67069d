"""make clean-kaggle: lists, and removes only when told to."""

import pytest

from medfold import stages
from tests.kaggle_machines import Ended, HostedNotebook
from tests.kaggle_server import HostedDataset


@pytest.fixture
def hosted(kaggle):
    kaggle.datasets["alice/medfold-small-baseline"] = HostedDataset()
    kaggle.datasets["alice/my-own"] = HostedDataset()
    kaggle.notebooks["alice/medfold-small-baseline"] = HostedNotebook({"text": ""}, 1, [], Ended())
    return kaggle


def test_it_lists_and_removes_nothing(hosted):
    stages.clean_kaggle()
    said = hosted.said()
    assert "notebook   https://www.kaggle.com/code/alice/medfold-small-baseline" in said
    assert "data set   https://www.kaggle.com/datasets/alice/medfold-small-baseline" in said
    assert "my-own" not in said
    assert "2 in all; make clean-kaggle YES=1 removes them there" in said
    assert (len(hosted.datasets), len(hosted.notebooks)) == (2, 1)


def test_it_removes_what_is_ours_and_nothing_else(hosted):
    stages.clean_kaggle(remove=True)
    assert set(hosted.datasets) == {"alice/my-own"}
    assert not hosted.notebooks
    assert hosted.said().count("removed") == 2
    stages.clean_kaggle(remove=True)
    assert "nothing of yours there begins with medfold-" in hosted.said()
