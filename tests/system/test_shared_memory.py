"""Names in shared memory: what a killed command left there is removed by the next one, what is in use stays."""

import os
import signal
import subprocess
import sys
from multiprocessing import current_process

import pytest
from filelock import FileLock

from medfold.system import shared_memory
from tests.support.helpers import REPOSITORY

pytestmark = pytest.mark.skipif(not shared_memory.FOLDER.is_dir(), reason="/dev/shm of Linux")

COMMAND = """
import multiprocessing, sys
from multiprocessing.shared_memory import SharedMemory
from medfold.system.processes import WorkerPool
from medfold.system.shared_memory import reserve_name_prefix
if __name__ == "__main__":
    with WorkerPool(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(abs, 1).result()
        memory = SharedMemory(f"{reserve_name_prefix()}-batches", create=True, size=16)
        print(reserve_name_prefix(), flush=True)
        sys.stdin.read()
        memory.close()
        memory.unlink()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that stands for /dev/shm, in a process that has claimed no names yet."""
    monkeypatch.setattr(shared_memory, "FOLDER", tmp_path)
    monkeypatch.setitem(current_process()._config, "semprefix", "/mp")
    monkeypatch.setattr(shared_memory.util, "Finalize", lambda *arguments, **keywords: None)
    shared_memory.reserve_name_prefix.cache_clear()
    yield tmp_path
    shared_memory.reserve_name_prefix.cache_clear()


def names_in(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_names_without_a_lock_are_removed(folder):
    left = ("medfold-dead.lock", "medfold-dead-batches", "sem.medfold-dead-x1", "sem.medfold-dead-x2")
    others = ("sem.mp-abc", "psm_123", "medfold-alive.lock", "medfold-alive-batches", "sem.medfold-alive-x1")
    for name in (*left, *others):
        (folder / name).touch()
    with FileLock(folder / "medfold-alive.lock"):
        claimed = shared_memory.reserve_name_prefix()
        assert names_in(folder) == {*others, f"{claimed}.lock"}


def test_names_are_claimed_once(folder):
    claimed = shared_memory.reserve_name_prefix()
    assert shared_memory.reserve_name_prefix() == claimed
    assert names_in(folder) == {f"{claimed}.lock"}
    assert current_process()._config["semprefix"] == f"/{claimed}"


def test_missing_folder_gives_no_names(folder, monkeypatch):
    monkeypatch.setattr(shared_memory, "FOLDER", folder / "missing" / "shm")
    (folder / "missing").touch()
    assert shared_memory.reserve_name_prefix() is None
    assert current_process()._config["semprefix"] == "/mp"


def test_resource_tracker_outlives_a_closed_terminal(tmp_path):
    script = tmp_path / "command.py"
    script.write_text(
        "import os, signal, time\n"
        "from multiprocessing.resource_tracker import _resource_tracker\n"
        "from multiprocessing.shared_memory import SharedMemory\n"
        "from medfold.system.shared_memory import reserve_name_prefix\n"
        "reserve_name_prefix()\n"
        "memory = SharedMemory(create=True, size=16)\n"
        "os.kill(_resource_tracker._pid, signal.SIGHUP)\n"
        "time.sleep(0.5)\n"
        "memory.close()\n"
        "memory.unlink()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    ended = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_allocated_memory_is_removed_when_it_is_released():
    memory = shared_memory.allocate(16)
    assert memory.name.startswith(shared_memory.reserve_name_prefix())
    assert memory.name in {path.name for path in shared_memory.FOLDER.iterdir()}
    shared_memory.release(memory)
    assert memory.name not in {path.name for path in shared_memory.FOLDER.iterdir()}


def test_memory_that_cannot_be_reserved_is_not_used(monkeypatch):
    monkeypatch.setattr(shared_memory.os, "posix_fallocate", raise_disk_full)
    before = {path.name for path in shared_memory.FOLDER.iterdir()}
    assert shared_memory.allocate(16) is None
    left = {path.name for path in shared_memory.FOLDER.iterdir()} - before
    assert not [name for name in left if name.startswith(f"{shared_memory.reserve_name_prefix()}-")]


def raise_disk_full(descriptor, start, size):
    raise OSError(28, "No space left on device")


def test_half_of_the_free_memory_may_be_used(folder, monkeypatch):
    monkeypatch.setattr(shared_memory.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100}))
    assert shared_memory.available_bytes() == 50
    monkeypatch.setattr(shared_memory, "FOLDER", folder / "missing")
    assert shared_memory.available_bytes() > 10**9


def left_of(name: str) -> list[str]:
    return sorted(path.name for path in shared_memory.FOLDER.iterdir() if name in path.name)


def start_command(script) -> tuple[subprocess.Popen, str]:
    """Starts the script in a process group of its own, and returns it with the names that it has claimed."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, script], env=environment, start_new_session=True, **pipes)
    return process, process.stdout.readline().strip()


def test_next_command_removes_what_a_killed_group_left(tmp_path):
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    killed, killed_name = start_command(script)
    running, running_name = start_command(script)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert len(left_of(killed_name)) > 2
    last, last_name = start_command(script)
    assert left_of(killed_name) == []
    assert len(left_of(running_name)) > 2
    for process in (running, last):
        process.communicate()
        assert process.returncode == 0
    assert left_of(running_name) + left_of(last_name) == []
