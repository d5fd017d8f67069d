"""Commands of medfold in new processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.helpers import REPOSITORY


def start(folder: Path, words: str, prelude: str = "pass") -> subprocess.Popen:
    """Starts a command of medfold in a new process, after the code `prelude`."""
    code = f"import sys; sys.argv[1:] = {words.split()!r}; {prelude}; from medfold.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True
    )


def kill_when(process: subprocess.Popen, condition: Callable[[], object]) -> None:
    """Kills a process (SIGKILL) as soon as a condition holds."""
    until = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    print(*process.communicate())  # so that the search for secrets sees the output
    assert process.returncode == -signal.SIGKILL


def finish(folder: Path, words: str, prelude: str = "pass", timeout: float = 60) -> str:
    """Runs a command of medfold, after the code `prelude`; returns its output, fails if it fails."""
    process = start(folder, words, prelude)
    out, error = process.communicate(timeout=timeout)
    print(out, error)
    assert (process.returncode, error) == (0, "")
    return out
