"""A trained project; clones of the repository, without data and with two finished runs."""

import shutil

import pytest

from medfold.commands.submit import submit
from tests.support.make_targets import clone_repository, succeed


@pytest.fixture
def competition(trained, capsys):
    """A project in which all folds of the small phantom are trained and submitted once."""
    submit(trained)
    capsys.readouterr()
    return trained


@pytest.fixture
def clone(tmp_path):
    """A clone of the repository; make uses the packages of the interpreter that runs the tests."""
    root = tmp_path / "my clone"
    root.mkdir()
    clone_repository(root)
    return root


@pytest.fixture(scope="session")
def shared_clone(once):
    """A clone without data for all tests that write nothing into it."""
    return once("clone without data", clone_repository)


@pytest.fixture(scope="session")
def clone_with_two_runs_once(once):
    """A clone where the small phantom is trained with two seeds; only to copy."""

    def make(root):
        clone_repository(root)
        succeed(root, "train", "COMPETITION=small", "SEEDS=0 1")

    return once("clone with two runs", make)


@pytest.fixture
def clone_with_two_runs(clone_with_two_runs_once, tmp_path):
    """A copy of the clone where the small phantom is trained with two seeds."""
    return shutil.copytree(clone_with_two_runs_once, tmp_path / "my clone")
