"""A folder on a read-only file system: one line that names it, before the work begins."""

import subprocess
import sys

import pytest

from tests.support.helpers import REPOSITORY
from tests.support.mounts import in_mount_namespace
from tests.support.small_project import copy_project

pytestmark = pytest.mark.slow
# The folder is mounted over itself, for reading only; permissions alone do not bind root.
SCRIPT = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"'
CASES = {
    "data": ["prepare", "folds", "train --fold 0"],
    "folds": ["folds --force"],
    "runs": ["train --fold 0", "submit", "report"],
    "submissions": ["submit"],
}


@pytest.mark.parametrize(("folder", "command"), [(folder, command) for folder in CASES for command in CASES[folder]])
def test_read_only_folder_is_named_before_work_begins(trained_once, tmp_path, monkeypatch, folder, command):
    root = copy_project(trained_once, tmp_path, monkeypatch)
    (root / folder).mkdir(exist_ok=True)
    environment = {"PYTHONPATH": str(REPOSITORY / "src"), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
    medfold = [sys.executable, "-m", "medfold", *command.split(), "-c", "small"]
    words = in_mount_namespace(SCRIPT, str(root / folder), *medfold)
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    where = folder if folder == "folds" else f"{folder}/small"
    assert done.stderr == (
        f"medfold: {where}: the disk is read-only. Write to another disk, or mount this one for writing\n"
    )
