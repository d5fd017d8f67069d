"""A small own competition, which tests damage: radiographs of patients, a label table, a sample submission."""

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from medfold.cli import main
from medfold.competition import Competition
from medfold.terminal.command_text import BY_MAKE
from tests.support.finished_runs import finished_run
from tests.support.helpers import REPOSITORY, picture
from tests.support.python_warnings import warnings_on_stderr
from tests.support.small_project import TINY_RECIPE, add_competition

FACTS = """title: Clinic
source: {kind: own}
upload: none
task: binary
classes: [healthy, sick]
labels:
  file: train.csv
  id: id
  targets: [finding]
  group: patient
images: {train: "train/{id}.png", test: "test/{id}.png", channels: 1, symmetry: none}
score: {metric: auc}
submission: {sample: sample_submission.csv}
folds: {k: 2, seed: 1, method: stratified_group}
"""
TRAINING, TEST = 16, 4


def make_given(folder: Path) -> None:
    """Writes the raw data: train.csv, sample_submission.csv, train/, test/."""
    rows = ["id,patient,finding"]
    for number in range(TRAINING):
        picture(folder / "train" / f"i{number:02}.png", seed=number, shape=(20, 18))
        rows.append(f"i{number:02},p{number // 2},{'sick' if number // 2 % 2 else 'healthy'}")
    (folder / "train.csv").write_text("\n".join(rows) + "\n")
    sample = ["id,finding"]
    for number in range(TEST):
        picture(folder / "test" / f"t{number}.png", seed=100 + number, shape=(20, 18))
        sample.append(f"t{number},0.5")
    (folder / "sample_submission.csv").write_text("\n".join(sample) + "\n")


def make_project(root: Path, repository: Path) -> None:
    """Makes a project with the competition `clinic`, and its raw data in `given/`."""
    import shutil

    add_competition(root, "clinic", FACTS, TINY_RECIPE)
    shutil.copytree(repository / "competition" / "_base", root / "competition" / "_base")
    make_given(root / "given")


def make_in_state(root: Path, state: str) -> None:
    """Makes such a project in a state: bare, downloaded, folded, trained (two runs, `noise` and `noise2`)."""
    make_project(root, REPOSITORY)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        if state != "bare":
            assert medfold("download", "-c", "clinic", "--from", "given").code == 0
        if state in ("folded", "trained"):
            assert medfold("folds", "-c", "clinic").code == 0
        if state == "trained":
            for name in ("noise", "noise2"):
                finished_run(Competition.open("clinic"), name)


@dataclass(frozen=True)
class Ended:
    """Exit code and output of a command."""

    code: int
    said: str
    errors: str


def medfold(*words: str) -> Ended:
    """Runs a command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["medfold", *words])
        patch.delenv(BY_MAKE, raising=False)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings_on_stderr():
            try:
                main()
            except SystemExit as end:
                code = end.code or 0
    return Ended(code, out.getvalue(), err.getvalue())


def files_of(root: Path) -> dict[str, bytes]:
    """Contents of the files of a project by name, without locks and `given/`."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not path.name.endswith(".lock") and not name.startswith("given"):
            found[name] = path.read_bytes()
    return found
