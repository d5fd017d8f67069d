"""Child processes that report to their parent by messages: lines of JSON instead of printed text.

The parent writes one request to the standard input of the child, its length and then the pickled object, and reads
its standard output. A message is `{"topic": ..., "text": ...}` for a line of text, `{"error": ...}` for a pickled
UserError, or anything else that both sides agree on.
"""

import base64
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from medfold.errors import INTERRUPTED, MissingFileError, SettingError, UserError, os_errors_explained
from medfold.system.processes import end_with_parent
from medfold.system.signals import begin_exit, children_without_stop_signals, stop_on_signals
from medfold.terminal.console import redirect_lines

LENGTH_BYTES = 8
GRACE_SECONDS = 15  # for a child that was asked to end
COPIED_ERRORS = (
    UserError,
    SettingError,
    MissingFileError,
)  # not subclasses: one of plugins.py could not be read in the parent

ChildMessage = dict[str, Any]


class StoppedError(Exception):
    """The child was stopped, by a signal or by `ReportingProcesses.end`."""

    def __str__(self) -> str:
        return "stopped by a signal"


class CrashedError(Exception):
    """The child ended without a message about the reason; the text is its last line, or its exit code."""


class ReportingProcesses:
    """Child processes that end together, at the latest with this process.

    Args:
        module: the module that a child runs: one that calls `work_as_child`.
        folder: working directory of the children.
    """

    def __init__(self, module: str, folder: Path):
        self._module = module
        self._folder = folder
        self._started: list[subprocess.Popen] = []
        self._ending = threading.Event()

    @property
    def are_ending(self) -> bool:
        """True after `end`: no child is started any more."""
        return self._ending.is_set()

    def run(self, request: Any, environment: Mapping[str, str], listen: Callable[[ChildMessage], None]) -> None:
        """Runs a child process to its end; several threads may run one each.

        Args:
            request: what the child works on; it must be picklable.
            environment: environment variables, in addition to those of this process.
            listen: called with each message, except errors.

        Raises:
            UserError: the child reported it.
            StoppedError: the child was stopped.
            CrashedError: the child ended without a result, and nobody stopped it.
        """
        if self._ending.is_set():
            raise StoppedError
        process = self._start(environment)
        with ThreadPoolExecutor(2) as helpers:  # no pipe may fill up while another one is read
            errors = helpers.submit(process.stderr.read)
            helpers.submit(_write, process, pickle.dumps(request))
            error: UserError | None = None
            for line in process.stdout:
                message = json.loads(line)
                if "error" in message:
                    error = pickle.loads(base64.b64decode(message["error"]))
                else:
                    listen(message)
            last_lines = errors.result().decode("utf-8", "replace").strip().splitlines()
        if process.wait() == 0:
            return
        if self._ending.is_set() or process.returncode == INTERRUPTED:
            raise StoppedError
        if error:
            raise error
        raise CrashedError((last_lines or [f"ended with exit code {process.returncode}"])[-1])

    def _start(self, environment: Mapping[str, str]) -> subprocess.Popen:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with children_without_stop_signals():
            process = subprocess.Popen(
                [sys.executable, "-m", self._module], cwd=self._folder, env={**os.environ, **environment}, **pipes
            )
        self._started.append(process)
        if self._ending.is_set():  # it was starting when the others were ended
            process.terminate()
        return process

    def end(self) -> None:
        """Ends the processes that still run: they clean up within the grace time, or are killed; none starts later."""
        self._ending.set()
        for process in self._started:
            process.terminate()
        for process in self._started:
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:  # the request was lost, as in a library that catches all exceptions
                process.kill()


def _write(process: subprocess.Popen, request: bytes) -> None:
    """Writes the request; the pipe stays open, since the child ends when it closes."""
    with suppress(BrokenPipeError):  # the child has ended already, and its error is read
        process.stdin.write(len(request).to_bytes(LENGTH_BYTES, "big") + request)
        process.stdin.flush()


def work_as_child(work: Callable[[Any, Callable[..., None]], None]) -> int:
    """Does the work of a child process, and returns its exit code; its lines and errors go to the parent.

    The child ends with its parent.

    Args:
        work: a function of the request, and of a function that sends a message given as keywords.
    """
    pickled = sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(LENGTH_BYTES), "big"))
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of libraries must not mix with the messages
    lock = threading.Lock()

    def send(**message: Any) -> None:
        with lock:
            print(json.dumps(message), file=messages, flush=True)

    end_with_parent()
    stop_on_signals()
    try:
        with os_errors_explained(), redirect_lines(lambda topic, text: send(topic=topic, text=text)):
            work(pickle.loads(pickled), send)
    except UserError as error:
        if type(error) not in COPIED_ERRORS:
            error = UserError(error.what, error.where, error.fix)
        send(error=base64.b64encode(pickle.dumps(error)).decode())
        return 2
    except KeyboardInterrupt:
        begin_exit()
        return INTERRUPTED
    return 0
