"""A report whose names are in many writing systems."""

import shutil
from pathlib import Path

import pytest

from medfold.commands.report import report
from medfold.competition import Competition
from tests.support.finished_runs import finished_run
from tests.support.small_project import copy_project
from tests.support.writing_systems import scripts_project


@pytest.fixture(scope="session")
def scripts_once(once) -> Path:
    """The folder of `scripts_project` with the reports of its run and of both runs; only to read or to copy."""

    def make(root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            competition = scripts_project(root)
            report(competition, ["noisy"])
            report(competition, ["noisy", "louder"])

    return once("scripts", make)


@pytest.fixture(scope="session")
def reported_once(once, folded_once):
    """A project with runs of the small phantom, and the report of one of them; only to copy."""

    def make(root):
        shutil.copytree(folded_once, root, dirs_exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            competition = Competition.open("small")
            finished_run(competition, "good", 1.5)
            finished_run(competition, "fair", 1.0)
            finished_run(competition, "part", folds=[1])
            finished_run(competition, "peeked", best=True)
            report(competition, ["good"])

    return once("reported", make)


@pytest.fixture
def competition(reported_once, tmp_path, monkeypatch):
    copy_project(reported_once, tmp_path, monkeypatch)
    return Competition.open("small")


@pytest.fixture
def good(competition):
    """The report of the run `good`, as it was written."""
    return competition.paths.run("good").folder / "report.html"
