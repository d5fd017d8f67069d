"""Paths of a project and of its files."""

from pathlib import Path

from medfold.paths import ProjectPaths
from tests.support.helpers import refused


def test_project_is_found_from_a_subfolder(project_folder, monkeypatch):
    below = project_folder / "competition" / "small"
    monkeypatch.chdir(below)
    assert ProjectPaths.find().root == project_folder


def test_folder_without_a_project_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with refused("Change into your clone"):
        ProjectPaths.find()


def test_unknown_competition_suggests_the_nearest(project_folder):
    with refused("did you mean 'small'"):
        ProjectPaths.find().competition("smal")


def test_files_of_a_competition_are_in_documented_places(project_folder):
    paths = ProjectPaths.find().competition("small")
    fold = paths.run("baseline").fold(2)
    shown = {
        path.relative_to(project_folder).as_posix() for path in (paths.folds, paths.samples, paths.groups, fold.oof)
    }
    assert shown == {
        "folds/small.csv",
        "data/small/samples.csv",
        "data/small/groups.csv",
        "runs/small/baseline/fold2/oof.csv",
    }
    assert ProjectPaths.find().ledger == Path(project_folder) / "submissions" / "ledger.csv"
