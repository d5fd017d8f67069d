"""Training in the notebook: what is packed at its end, whatever happened; the training itself is imitated."""

import os
import tempfile
from pathlib import Path
from zipfile import ZipFile

import pytest

from medfold.competition import Recipe
from medfold.errors import UserError
from medfold.notebooks import notebook_training
from medfold.notebooks.training_bundle import MANIFEST, write_training_bundle
from medfold.system import json_files
from medfold.system.deadline import STOP_AT
from medfold.terminal.command_text import BY_MAKE
from medfold.training import TrainingRequest
from tests.support.helpers import refused

REQUEST = TrainingRequest("debug", {}, 0, "quick", [0], 1)


@pytest.fixture
def train(folded, no_wheel_build, tmp_path, monkeypatch):
    """Returns a function that trains in a notebook with a time limit; its training leaves a checkpoint and fails."""
    write_training_bundle(folded.paths, folded.facts, Recipe(), REQUEST, (), tmp_path / "job")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in (BY_MAKE, STOP_AT):
        monkeypatch.setenv(name, "")

    def stop(competition, request, recipe, dataset):
        assert dataset.train["fold"].nunique() == competition.facts.folds.k
        assert os.environ[BY_MAKE] == "1"
        checkpoint = competition.paths.run(request.given_name).fold(0).checkpoint
        checkpoint.parent.mkdir(parents=True)
        checkpoint.write_bytes(b"state")
        raise UserError("stopped", "fold 0", "Run it again")

    monkeypatch.setattr(notebook_training, "train_run", stop)
    return lambda hours: notebook_training.train_in_notebook(tmp_path / "job", tmp_path, tmp_path / "out", hours)


def packed(folder: Path) -> tuple[list[str], bytes]:
    """Returns the names in the archive of results, and its comment."""
    with ZipFile(folder / "out" / "trained.zip") as archive:
        return archive.namelist(), archive.comment


def test_failed_training_raises_and_packs_its_checkpoint(train, tmp_path):
    with refused("fold 0: stopped"):
        train(hours=1)
    content_id = json_files.read(tmp_path / "job" / MANIFEST)["content_id"]
    assert packed(tmp_path) == (["fold0/checkpoint.npz"], content_id.encode())


def test_training_that_its_time_limit_stops_does_not_fail(train, tmp_path, capsys):
    train(hours=-1)
    assert "fold 0: stopped" in capsys.readouterr().out
    assert packed(tmp_path)[0] == ["fold0/checkpoint.npz"]
