"""What tests share: a project folder of their own, with a small phantom in it, and a network that is shut."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from medfold.errors import UserError
from tests.helpers import REPOSITORY
from tests.kaggle_server import KEY, TOKEN, KaggleServer

os.environ.update(dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"))

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


@pytest.fixture(scope="session")
def all_trained(tmp_path_factory) -> Path:
    """A project in which all folds of the small phantom are trained; only to look at or to copy."""
    from medfold import stages

    root = tmp_path_factory.mktemp("all trained") / "my project"
    add_competition(root, "small", SMALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        project = stages.Project.open("small")
        stages.download(project)
        stages.make_folds(project)
        stages.train(project)
    return root


@pytest.fixture
def kaggle(tmp_path, monkeypatch, capfd, caplog) -> Iterator[KaggleServer]:
    """A Kaggle to break, reached by the environment; nobody waits. No secret may be found in what a test leaves.

    `waits` holds the seconds that would have been waited, `said()` gives what was printed since it was last asked.
    """
    home, heard = tmp_path / "home", []
    home.mkdir()

    def said() -> str:
        heard.append("".join(capfd.readouterr()))
        return heard[-1]

    with KaggleServer() as server:
        server.home, server.waits, server.said = home, [], said
        for name, value in server.environment(home).items():
            monkeypatch.setenv(name, value)
        for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR", "HTTP_PROXY", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        for module in ("transfer", "kaggle_api", "kaggle_api.client", "kaggle_api.machines", "leaderboards.kaggle"):
            monkeypatch.setattr(f"medfold.{module}.wait", server.waits.append)
        remember = UserError.__init__

        def heard_too(self, *words, **more):
            remember(self, *words, **more)
            heard.append(str(self))

        monkeypatch.setattr(UserError, "__init__", heard_too)
        yield server
    said()
    heard.append(caplog.text)
    left = [path for path in tmp_path.rglob("*") if path.is_file() and home not in path.parents]
    for secret in (TOKEN, KEY, "X-Goog-Signature"):
        assert secret not in "".join(heard)
        assert [path for path in left if secret.encode() in path.read_bytes()] == []
