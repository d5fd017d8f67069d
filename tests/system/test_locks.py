"""Locks: one process at a time, and nothing left behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from medfold.system import json_files, locks
from tests.support.helpers import refused

ADD = """
import sys
import time
from pathlib import Path
from medfold.system import json_files, locks
path = Path(sys.argv[1])
for _ in range(20):
    with locks.lock(path):
        json_files.write(json_files.read(path) + 1, path)
"""


def test_lock_prevents_lost_updates(tmp_path):
    path = tmp_path / "count.json"
    json_files.write(0, path)
    workers = [subprocess.Popen([sys.executable, "-c", ADD, str(path)]) for _ in range(3)]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    assert json_files.read(path) == 60


@pytest.mark.parametrize("existing", ["", "data", "data/x"])
@pytest.mark.parametrize("content", ["", "data/x/kept.txt", "data/kept.txt"])
def test_tidy_lock_leaves_no_new_files_after_an_error(tmp_path, existing, content):
    (tmp_path / existing).mkdir(parents=True, exist_ok=True)

    def fail_under_lock():
        with locks.tidy_lock(tmp_path / "data" / "x" / "raw"):
            if content:
                (tmp_path / content).write_text("")
            raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        fail_under_lock()
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if not path.name.endswith(".lock")}
    kept = [Path(name) for name in (existing, content) if name]
    assert left == {each.as_posix() for path in kept for each in (path, *path.parents)} - {"."}


def test_tidy_lock_file_stays_without_an_error(tmp_path):
    with locks.tidy_lock(tmp_path / "x" / "raw"):
        pass
    assert (tmp_path / "x").is_dir()


def test_exclusive_lock_refuses_a_second_holder(tmp_path):
    begun = []

    def begin(name):
        with locks.exclusive_lock(tmp_path / name, "this is being packed"):
            begun.append(name)

    with locks.exclusive_lock(tmp_path / "x", "this is being packed"):
        with refused("x: this is being packed in another process. Wait for it, or end it"):
            begin("x")
        begin("y")
    begin("x")
    assert begun == ["y", "x"]
