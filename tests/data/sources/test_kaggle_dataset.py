"""Download of a data set of Kaggle."""

import pytest

from medfold.commands.download import download
from medfold.competition import Competition
from tests.support.helpers import refused, zipped
from tests.support.histology import HISTOLOGY as FACTS
from tests.support.kaggle_server import HostedDataset, drop
from tests.support.small_project import add_competition
from tests.support.sources import raw_files


@pytest.fixture
def dataset(kaggle, content, project_folder):
    kaggle.datasets["bob/histology-set"] = HostedDataset(files=dict(content), archive=zipped(content))
    facts = FACTS.replace(FACTS.splitlines()[1], "source: {kind: kaggle_dataset, slug: bob/histology-set}")
    add_competition(project_folder, "set", facts)
    return Competition.open("set")


def test_download_writes_all_files_of_a_data_set(kaggle, dataset, content):
    kaggle.fault("storage", drop(after=200_000))
    download(dataset)
    assert raw_files(dataset.paths) == content


def test_public_data_set_needs_no_account(kaggle, dataset, content, monkeypatch):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    download(dataset)
    assert raw_files(dataset.paths) == content
    assert "without an account" in kaggle.said()


def test_single_files_of_a_data_set_are_downloaded(kaggle, dataset, content):
    download(dataset, patterns=["*.csv"])
    assert sorted(raw_files(dataset.paths)) == ["sample_submission.csv", "train_labels.csv"]


def test_unknown_data_set_is_refused(kaggle, dataset):
    del kaggle.datasets["bob/histology-set"]
    with refused("bob/histology-set: not found on Kaggle: Not found"):
        download(dataset)
