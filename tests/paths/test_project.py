"""Paths of a project and of its files."""

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
