"""The project folder, and paths as messages show them."""

from pathlib import Path

from medfold.errors import UserError
from medfold.project_root import display_path, find_root


def test_root_is_the_nearest_folder_with_a_competition(project_folder, tmp_path):
    assert find_root(project_folder) == project_folder
    assert find_root(project_folder / "competition" / "small") == project_folder
    assert find_root(tmp_path) is None


def test_paths_below_the_root_are_shown_relative_to_it(project_folder, tmp_path, monkeypatch):
    inside, outside = project_folder / "runs" / "x", tmp_path / "elsewhere"
    for folder in (project_folder, project_folder / "competition" / "small"):
        monkeypatch.chdir(folder)
        assert display_path(inside) == str(Path("runs", "x"))
        assert display_path(outside) == str(outside)
        assert display_path(project_folder) == str(project_folder)
        assert display_path(Path("typed.png")) == "typed.png"
    assert str(UserError("damaged", inside)) == f"{Path('runs', 'x')}: damaged"
    assert str(UserError("damaged", outside)) == f"{outside}: damaged"
    monkeypatch.chdir(tmp_path)
    assert display_path(inside) == str(inside)
