"""A cluster on this machine, which a command starts and ends."""

import os
import re
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest

from medfold.cluster import ClusterAddress, driver_process
from medfold.cluster.cluster_jobs import TrainingJob
from medfold.cluster.driver_process import driver_messages
from medfold.competition import run_name
from tests.support.helpers import refused
from tests.support.processes import finish, start

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="Ray is not installed")

GUARD_SECONDS = 600


@pytest.fixture(autouse=True)
def _short_paths_of_sockets(monkeypatch, tmp_path_factory):
    """Ray's sockets need short paths; its files are removed with those of the test."""
    folder = Path("/tmp") / f"r{os.getpid()}"
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    folder.mkdir(exist_ok=True)
    yield
    shutil.rmtree(folder, ignore_errors=True)


def descendants(process):
    return psutil.Process(process.pid).children(recursive=True)


@pytest.fixture
def python_in_a_path_with_a_space(monkeypatch, tmp_path):
    """Starts commands by such a Python, which Ray does not quote by itself."""
    (tmp_path / "my venv").symlink_to(sys.prefix)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "my venv" / "bin" / Path(sys.executable).name))


@pytest.mark.usefixtures("python_in_a_path_with_a_space")
def test_two_seeds_are_trained_side_by_side(project_folder):
    words = ["train", "-c", "small", "--on", "ray", "--jobs", "auto", "--seeds"]
    output = finish(project_folder, " ".join([*words, "0"]), timeout=GUARD_SECONDS)
    assert re.search(r"^cluster +1 node, [0-9]+ cores?: 3 folds, ", output, re.MULTILINE)
    assert "all 3 folds" in output
    code = "import sys; sys.argv.append('0 1')"
    output = finish(project_folder, " ".join(words), prelude=code, timeout=GUARD_SECONDS)
    assert "all folds are trained in runs/small/baseline\n" in output
    assert re.search(r"^fold 2 +127\.0\.0\.1: AUC ", output, re.MULTILINE)
    assert output.count("all 3 folds") == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_command_leaves_no_process(project_folder, number):
    process = start(project_folder, "train -c small --on ray --set training.epochs=5000")
    log = (
        project_folder
        / "runs"
        / "small"
        / run_name("baseline", 0, {"training": {"epochs": 5000}})
        / "logs"
        / "fold0.log"
    )
    until = time.monotonic() + GUARD_SECONDS
    while not (log.is_file() and "begins" in log.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.1)
    while not any("medfold.training.child" in each.cmdline() for each in descendants(process)):
        assert time.monotonic() < until
        time.sleep(0.1)
    started = descendants(process)
    process.send_signal(number)
    process.communicate(timeout=GUARD_SECONDS)
    while any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in started):
        assert time.monotonic() < until, [each for each in started if each.is_running()]
        time.sleep(0.1)


def test_address_that_is_no_cluster_is_reported(small, monkeypatch):
    """Something listens there and never answers, for which Ray would wait for ever."""
    monkeypatch.setattr(driver_process, "CONNECT_SECONDS", 15)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "token")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = ClusterAddress("127.0.0.1", server.getsockname()[1])
        address.check()
        job = TrainingJob(address, [], 1, {})
        with refused(f"ADDRESS={address}: (no Ray cluster answered within 15 s|cannot connect|the driver ended)"):
            list(driver_messages(small.project_paths.root, job))
