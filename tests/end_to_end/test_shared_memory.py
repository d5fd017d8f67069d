"""Little or read-only shared memory: medfold works in one process, says so in one line, and ends with equal files."""

import shutil
import subprocess
import sys

import pytest

from tests.campaigns.pipeline import result
from tests.support.helpers import REPOSITORY
from tests.support.mounts import in_mount_namespace

pytestmark = pytest.mark.slow
SCRIPT = 'mount -t tmpfs -o "$0" tmpfs /dev/shm'


def run(root, options, *words):
    """Runs a command that sees a small file system as /dev/shm; skips the test where mounting is not allowed."""
    command = [sys.executable, "-m", "medfold", *words]
    if options:
        command = in_mount_namespace(SCRIPT, options, *command)
    environment = {"PYTHONPATH": str(REPOSITORY / "src"), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize("options", ["size=4k", "size=4k,ro"])
def test_commands_work_without_shared_memory(folded_once, tmp_path, options):
    small, large = (shutil.copytree(folded_once, tmp_path / name / "my project") for name in ("small", "large"))
    commands = (["prepare", "-c", "small", "--force"], ["train", "-c", "small", "--fold", "0", "--workers", "2"])
    for words in commands:
        output = run(small, options, *words)
        assert output.count("workers    ") == 1
        assert "shared memory (/dev/shm" in output
        run(large, "", *words)
    assert result(small) == result(large)
