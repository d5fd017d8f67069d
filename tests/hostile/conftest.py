"""A small project beside files that no command may touch, and what every refusal looks like."""

from pathlib import Path

import pytest

from tests.layouts.clinic import Ended, make_in_state, medfold
from tests.support.small_project import copy_project

TOKEN = "KGAT_0123456789abcdef"


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
