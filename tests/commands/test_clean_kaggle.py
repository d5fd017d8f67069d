"""make clean-kaggle: lists what medfold put on Kaggle, and removes it after confirmation, or with YES=1."""

import pytest

from medfold.commands import clean_kaggle as module
from medfold.commands.clean_kaggle import clean_kaggle
from medfold.errors import UserError
from tests.support.kaggle_machines import Ended, HostedNotebook
from tests.support.kaggle_server import HostedDataset


@pytest.fixture
def hosted(kaggle):
    kaggle.datasets["alice/medfold-small-baseline"] = HostedDataset()
    kaggle.datasets["alice/my-own"] = HostedDataset()
    kaggle.notebooks["alice/medfold-small-baseline"] = HostedNotebook({"text": ""}, 1, [], Ended())
    return kaggle


def test_content_is_listed_and_kept_if_the_answer_is_no(hosted, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "confirm", asked.append)  # None, as for no
    clean_kaggle()
    said = hosted.said()
    assert "notebook   https://www.kaggle.com/code/alice/medfold-small-baseline" in said
    assert "data set   https://www.kaggle.com/datasets/alice/medfold-small-baseline" in said
    assert "my-own" not in said
    assert "nothing was removed" in said
    assert asked == ["Remove these 2 from Kaggle for good?"]
    assert (len(hosted.datasets), len(hosted.notebooks)) == (2, 1)


def test_nothing_is_removed_where_no_question_can_be_asked(hosted):
    with pytest.raises(UserError, match="without a terminal. Use YES=1"):
        clean_kaggle()
    assert (len(hosted.datasets), len(hosted.notebooks)) == (2, 1)


def test_only_content_of_medfold_is_removed_without_a_question(hosted):
    clean_kaggle(skip_question=True)
    assert set(hosted.datasets) == {"alice/my-own"}
    assert not hosted.notebooks
    assert hosted.said().count("removed") == 2
    clean_kaggle(skip_question=True)
    assert "you have no notebooks or data sets on Kaggle with the prefix medfold-" in hosted.said()
