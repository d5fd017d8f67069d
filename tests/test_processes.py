"""Native output that is silenced, and processes that end with the one that began them."""

import os
import signal
import subprocess
import sys
import time

import pytest

from medfold.errors import UserError
from medfold.processes import run_in_subprocess, silence_native_output


def number_of_this_process():
    return os.getpid()


def refuse():
    raise UserError("a fault", "weights.h5", "Mend it")


def be_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_function_is_called_in_a_process_of_its_own():
    assert run_in_subprocess("numbers", number_of_this_process) != os.getpid()


def test_what_it_refuses_is_told_as_if_it_were_called_here():
    with pytest.raises(UserError, match=r"^weights\.h5: a fault\. Mend it$"):
        run_in_subprocess("numbers", refuse)


def test_if_it_is_killed_that_is_one_line():
    with pytest.raises(UserError, match="numbers: the process was killed. It may have run out of memory"):
        run_in_subprocess("numbers", be_killed)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_no_process_is_left_when_the_one_that_began_it_is_killed(tmp_path):
    script = tmp_path / "begins.py"
    script.write_text(
        "import os, time\n"
        "from medfold.processes import run_in_subprocess\n"
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


@pytest.mark.parametrize("fails", [False, True])
def test_silenced_output_is_shown_only_if_the_block_fails(fails):
    code = (
        "import os\nfrom medfold.processes import silence_native_output\n"
        "with silence_native_output(show_on_error=True):\n"
        f"    os.write(2, b'noise')\n    assert not {fails}\nos.write(2, b'after')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert ("noise" in result.stderr) is fails
    assert ("after" in result.stderr) is not fails


def test_the_last_thread_out_opens_the_standard_error_again(capfd):
    first, second = silence_native_output(), silence_native_output()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    os.write(2, b"lost")
    second.__exit__(None, None, None)
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
