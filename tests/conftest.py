"""What tests share: a project folder of their own, with a small phantom in it, and a network that is shut."""

import os
import shutil
import socket
from pathlib import Path

import pytest

os.environ.update(dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"))

REPOSITORY = Path(__file__).parent.parent
SMALL = "\n".join(
    [
        "title: A small phantom",
        "source: {kind: phantom, seed: 1, train_patients: 40, test_patients: 25, snr: [60, 120], duplicates: 2}",
        "upload: local",
        "task: binary",
        "labels: {file: train.csv, id: id, targets: [target], group: patient_id, keep: [age, sex]}",
        "images:",
        '  {train: "train/{id}.png", test: "test/{id}.png", channels: 1, shape: [128, 128], symmetry: horizontal}',
        "score: {metric: auc}",
        "submission: {sample: sample_submission.csv}",
        "folds: {k: 3, seed: 7, method: stratified-group}",
    ]
)
TINY_RECIPE = "\n".join(
    [
        "images: {size: 16}",
        "backbone: {name: resnet9, width: 4}",
        "augment: xray",
        "training: {epochs: 2, batch_size: 8, learning_rate: 0.003}",
    ]
)


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch):
    """A test that reaches beyond this machine fails."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def project_folder(tmp_path, monkeypatch) -> Path:
    """An empty project folder, with a space in its path, as working directory: bases and the small phantom."""
    root = tmp_path / "my project"
    add_competition(root, "small", SMALL)
    shutil.copytree(REPOSITORY / "competition" / "_base", root / "competition" / "_base")
    monkeypatch.chdir(root)
    return root


def add_competition(root: Path, name: str, facts: str, recipe: str = TINY_RECIPE) -> Path:
    """Writes a competition folder with a recipe called baseline."""
    folder = root / "competition" / name
    folder.mkdir(parents=True)
    (folder / "competition.yaml").write_text(facts)
    (folder / "baseline.yaml").write_text(recipe)
    return folder


@pytest.fixture
def small(project_folder):
    """The small phantom, opened."""
    from medfold.stages import Project

    return Project.open("small")
