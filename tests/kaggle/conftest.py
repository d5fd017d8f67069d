"""An imitated Kaggle with one competition, and a notebook job to start there."""

import pytest

from medfold.kaggle import AttachedData, NotebookJob, client
from tests.support.kaggle_machines import Ended
from tests.support.kaggle_server import HostedCompetition
from tests.support.notebook_jobs import NAME, labelled


@pytest.fixture
def hosted(kaggle):
    kaggle.competitions["histology"] = HostedCompetition(files={f"train/{n:02}.tif": b"x" for n in range(45)})
    kaggle.runner = lambda pushed: Ended(
        {"submission.csv": b"id,label\n", "other.txt": b"x"}, "three lines\nof a\nlog\n"
    )
    return kaggle


@pytest.fixture
def kaggle_json(kaggle, monkeypatch):
    """The path where the client looks for kaggle.json; no token is in the environment."""
    path = kaggle.home / ".kaggle" / "kaggle.json"
    path.parent.mkdir()
    monkeypatch.setattr(client._client_class(), "config", str(path))
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    return path


@pytest.fixture
def job(tmp_path):
    """A notebook job to start: a folder with a manifest, and a notebook."""
    folder = tmp_path / "kit"
    folder.mkdir()
    (folder / "weights.h5").write_bytes(b"weights" * 1000)
    attached = AttachedData(competition="histology")
    return labelled(NotebookJob(NAME, f"{NAME}-kit", folder / "kit.json", tmp_path / "submission.ipynb", attached))
