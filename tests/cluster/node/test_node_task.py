"""What all tasks do on a node."""

import os
from importlib.metadata import version

import pytest

pytest.importorskip("ray", reason="Ray is not installed")

from filelock import FileLock

from medfold.cluster.node import node_task
from medfold.cluster.node.messages import Started
from medfold.cluster.node.node_task import check_versions, reported, work_folder
from medfold.errors import UserError
from tests.support.helpers import refused


@pytest.fixture(autouse=True)
def _on_a_node(monkeypatch, tmp_path):
    monkeypatch.setattr(node_task.ray.util, "get_node_ip_address", lambda: "10.0.0.2")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_first_message_names_the_node():
    assert list(reported(lambda folder: iter(()))) == [Started("10.0.0.2", os.nice(0))]


def test_equal_packages_pass():
    check_versions({"numpy": version("numpy"), "keras": version("keras")})


def test_other_packages_are_named():
    with refused(
        "node 10.0.0.2: has other packages: numpy .*, not 1.0, gone not installed, not 2.0. "
        "Run there, with the same version of medfold: make setup"
    ):
        check_versions({"numpy": "1.0", "gone": "2.0", "keras": version("keras")})


def test_work_folder_is_removed_after_an_error(tmp_path):
    with refused("no disk space left"), work_folder() as folder:
        (folder / "store").mkdir()
        assert folder.stat().st_mode & 0o077 == 0
        raise UserError("no disk space left")
    assert list((tmp_path / "medfold" / "work").iterdir()) == []


def test_folders_of_killed_tasks_are_removed_and_those_of_running_ones_kept(tmp_path):
    work = tmp_path / "medfold" / "work"
    for name in ("killed", "running"):
        (work / name / "store").mkdir(parents=True)
        (work / f"{name}.lock").touch()
    with FileLock(work / "running.lock"), work_folder():
        assert not (work / "killed").exists()
        assert (work / "running" / "store").is_dir()
