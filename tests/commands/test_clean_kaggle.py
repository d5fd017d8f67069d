"""make clean-kaggle: lists what medfold put on Kaggle, and removes it only with YES=1."""

import pytest

from medfold.commands.clean_kaggle import clean_kaggle
from tests.support.kaggle_machines import Ended, HostedNotebook
from tests.support.kaggle_server import HostedDataset


@pytest.fixture
def hosted(kaggle):
    kaggle.datasets["alice/medfold-small-baseline"] = HostedDataset()
    kaggle.datasets["alice/my-own"] = HostedDataset()
    kaggle.notebooks["alice/medfold-small-baseline"] = HostedNotebook({"text": ""}, 1, [], Ended())
    return kaggle


def test_without_yes_content_is_listed_not_removed(hosted):
    clean_kaggle()
    said = hosted.said()
    assert "notebook   https://www.kaggle.com/code/alice/medfold-small-baseline" in said
    assert "data set   https://www.kaggle.com/datasets/alice/medfold-small-baseline" in said
    assert "my-own" not in said
    assert "2 in all; make clean-kaggle YES=1 removes them there" in said
    assert (len(hosted.datasets), len(hosted.notebooks)) == (2, 1)


def test_remove_deletes_only_content_of_medfold(hosted):
    clean_kaggle(remove=True)
    assert set(hosted.datasets) == {"alice/my-own"}
    assert not hosted.notebooks
    assert hosted.said().count("removed") == 2
    clean_kaggle(remove=True)
    assert "you have no notebooks or data sets on Kaggle with the prefix medfold-" in hosted.said()
