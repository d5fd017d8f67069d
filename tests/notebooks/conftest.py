"""A small competition with trained folds, packed for Kaggle once for all tests."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from medfold.commands.notebook import notebook
from medfold.commands.submit import submit
from medfold.competition import Competition
from medfold.notebooks import wheels
from medfold.paths import ProjectPaths


@dataclass(frozen=True)
class PackedProject:
    """A project with trained folds, its bundle and its notebook."""

    competition: Competition
    folder: Path
    notebook: Path

    @property
    def submission(self) -> bytes:
        """The submission that `make submit` writes locally."""
        (file,) = self.competition.paths.submissions.glob("*.csv")
        return file.read_bytes()


@pytest.fixture(scope="session")
def wheel_once(once) -> Path:
    """The wheel of medfold, built once for all tests."""
    return next(once("wheel", wheels.build_wheel).glob("*.whl"))


@pytest.fixture
def prebuilt_wheel(wheel_once, monkeypatch) -> None:
    """Uses the wheel of `wheel_once` instead of building it again: the bytes are the same."""
    monkeypatch.setattr(wheels, "build_wheel", lambda out: shutil.copy(wheel_once, out))


@pytest.fixture(scope="session")
def packed_once(once, trained_once) -> Path:
    """The small phantom, submitted locally and packed; only to copy."""

    def make(root: Path) -> None:
        shutil.copytree(trained_once, root, dirs_exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            competition = Competition.open("small")
            submit(competition, run_names=["baseline"])
            notebook(competition, ["baseline"])

    return once("packed", make)


@pytest.fixture
def packed_project(packed_once, tmp_path_factory) -> PackedProject:
    """The small phantom, submitted locally and packed, in a project of its own."""
    root = shutil.copytree(packed_once, tmp_path_factory.mktemp("packed") / "my project")
    competition = Competition.open("small", ProjectPaths(root))
    (bundle,) = (path.parent for path in root.rglob("kit.json"))
    (notebook,) = root.rglob("*.ipynb")
    return PackedProject(competition, bundle, notebook)


@pytest.fixture
def no_wheel_build(monkeypatch):
    """Writes an empty wheel instead of building one."""
    monkeypatch.setattr(wheels, "build_wheel", lambda out: (out / "medfold.whl").write_bytes(b"wheel"))
