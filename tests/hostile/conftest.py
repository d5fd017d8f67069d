"""A user with planted files, for whom make targets run on hostile files; and a project for commands in this process."""

import json
import shutil
from pathlib import Path

import pytest

from medfold.competition import Competition
from medfold.notebooks.wheels import SOURCES
from medfold.system.hashes import sha256
from tests.layouts.clinic import FACTS, Ended, make_given, make_in_state, medfold
from tests.support.finished_runs import finished_run
from tests.support.helpers import REPOSITORY
from tests.support.make_targets import clone_repository
from tests.support.small_project import TINY_RECIPE, add_competition, copy_project
from tests.support.victim import Victim
from tests.support.weights_files import keras_weights

TOKEN = "KGAT_0123456789abcdef"


@pytest.fixture(scope="session")
def _clinic_once(once):
    def make(root: Path) -> None:
        clone_repository(root)
        add_competition(root, "clinic", FACTS, TINY_RECIPE)
        make_given(root / "given")

    return once("clone with a clinic", make)


@pytest.fixture
def victim(_clinic_once, tmp_path) -> Victim:
    """A clone whose raw data in `given/` is not yet read."""
    return Victim(tmp_path, _clinic_once)


@pytest.fixture(scope="session")
def _trained_clinic_once(once, _clinic_once):
    """The same for a notebook competition of Kaggle, with a trained run."""

    def make(root: Path) -> None:
        shutil.copytree(_clinic_once, root, dirs_exist_ok=True)
        for name in SOURCES:
            shutil.copy(REPOSITORY / name, root)
        facts = root / "competition" / "clinic" / "competition.yaml"
        kaggle = {"{kind: own}": "{kind: kaggle, slug: clinic}", "upload: none": "upload: notebook"}
        for old, new in kaggle.items():
            facts.write_text(facts.read_text().replace(old, new))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            assert medfold("download", "-c", "clinic", "--from", "given").code == 0
            assert medfold("folds", "-c", "clinic").code == 0
            finished_run(Competition.open("clinic"))
        for fold in (root / "runs" / "clinic" / "baseline").glob("fold*"):
            weights = keras_weights(fold / "net.weights.h5")
            marker = json.loads((fold / "done.json").read_text())
            (fold / "done.json").write_text(json.dumps({**marker, weights.name: sha256(weights)}))

    return once("clone with a trained clinic", make)


@pytest.fixture
def trained_victim(_trained_clinic_once, tmp_path) -> Victim:
    """A clone with the trained run `baseline`, which can be packed for Kaggle."""
    return Victim(tmp_path, _trained_clinic_once)


@pytest.fixture(scope="session")
def _honest_memory(_clinic_once, tmp_path_factory) -> int:
    """The memory of preparing honest images."""
    honest = Victim(tmp_path_factory.mktemp("honest"), _clinic_once)
    assert honest.make("download", f"FROM={honest.given}").code == 0
    ended = honest.make("prepare")
    assert ended.code == 0
    return ended.memory


@pytest.fixture
def limited_victim(victim, _honest_memory) -> Victim:
    """A victim whose commands may take at most MAX_MEMORY more than those of honest images."""
    victim.max_memory = _honest_memory
    return victim


@pytest.fixture
def clinic(once, tmp_path, monkeypatch):
    """`clinic("downloaded")` returns a project in that state, as working directory; files beside it stay untouched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "token.csv").write_text(f"{TOKEN},secret\n{TOKEN},1\n")
    (outside / "token").write_text(TOKEN)

    def make(state: str) -> Path:
        template = once(f"clinic {state}", lambda root: make_in_state(root, state))
        return copy_project(template, tmp_path, monkeypatch)

    yield make
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my project", "outside"]
    assert {path.name: path.read_text() for path in outside.iterdir()} == {
        "token": TOKEN,
        "token.csv": f"{TOKEN},secret\n{TOKEN},1\n",
    }


@pytest.fixture
def refusal():
    """`refusal("folds", "-c", "clinic")` runs a command that must end in one line and exit code 2; returns the line."""

    def run(*words: str) -> str:
        ended: Ended = medfold(*words)
        assert ended.code == 2, (ended.code, ended.said, ended.errors)
        assert ended.errors.startswith("medfold: "), ended.errors
        assert ended.errors.count("\n") == 1, ended.errors
        assert len(ended.errors) < 12_000, ended.errors
        assert TOKEN not in ended.said + ended.errors
        return ended.errors

    return run
