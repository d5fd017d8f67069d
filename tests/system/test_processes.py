"""Child processes that end with their parent."""

import os
import signal
import subprocess
import sys
import time

import pytest

from medfold.errors import UserError
from medfold.system.processes import run_in_subprocess
from tests.support.helpers import refused


def process_id():
    return os.getpid()


def raise_user_error():
    raise UserError("a fault", "weights.h5", "Mend it")


def kill_own_process():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_run_in_subprocess_uses_another_process():
    assert run_in_subprocess("numbers", process_id) != os.getpid()


@pytest.mark.slow
def test_user_error_in_subprocess_is_raised_in_parent():
    with refused(r"^weights\.h5: a fault\. Mend it$"):
        run_in_subprocess("numbers", raise_user_error)


@pytest.mark.slow
def test_killed_subprocess_raises_user_error():
    with refused("numbers: the process was killed. It may have run out of memory"):
        run_in_subprocess("numbers", kill_own_process)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_subprocess_ends_when_its_parent_is_killed(tmp_path):
    script = tmp_path / "begins.py"
    script.write_text(
        "import os, time\n"
        "from medfold.system.processes import run_in_subprocess\n"
        "def wait():\n"
        "    print(os.getpid(), flush=True)\n"
        "    time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        "    run_in_subprocess('waiting', wait)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as begun:
        child = int(begun.stdout.readline())
        begun.kill()
    for _ in range(600):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("a process was left behind")
