"""A task on the cluster, as the driver follows it; if its node is lost, it starts again on another one."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError, RuntimeEnvSetupError

from medfold.cluster import node
from medfold.cluster.capacity import Division
from medfold.errors import UserError
from medfold.system import files
from medfold.terminal.console import say, warn

SILENCE_SECONDS = 20.0  # a node sends a sign of life every 3 seconds; after this time it counts as lost
SHOW_SECONDS = 5.0  # between two lines about a file that is copied
MAX_LOSSES = 5  # in a row, without a new checkpoint


class LostError(Exception):
    """The node or the process of a task is lost, or does not answer any more."""


@dataclass(frozen=True)
class Remote:
    """What all tasks of a job have in common.

    Args:
        division: threads and GPU of each task.
        server: the FileServer, as a handle of Ray.
    """

    division: Division
    server: Any


class ClusterTask:
    """A task on the cluster, which starts again on another node if its node is lost.

    Args:
        topic: name of the task on the terminal.
        remote: what all tasks have in common.
        function: the function of `node` that a task calls; it yields messages.
        arguments: () -> its arguments but the last one, the FileServer; called again for each node.
        receivers: by the kind of a file that arrives, a function that puts it in place.
        folder: folder for files that arrive, on the disk of their place.
        log: file for the lines of the task; None for no log. Defaults to none.
    """

    def __init__(
        self,
        topic: str,
        *,
        remote: Remote,
        function: Callable[..., Iterator[node.Message]],
        arguments: Callable[[], tuple],
        receivers: dict[str, Callable[[Path], None]],
        folder: Path,
        log: Path | None = None,
    ):
        self.topic = topic
        self._remote = remote
        self._function = function
        self._arguments = arguments
        self._receivers = receivers
        self._folder = folder
        self._log = log
        self._stopping = threading.Event()
        self._node = "no node yet"
        self._heard_at: float | None = None  # of this attempt; None until it has started
        self._shown_at = float("-inf")
        self._has_progressed = self._is_done = False
        self._arriving: Path | None = None

    def run(self) -> None:
        """Runs the task until its result is in place, or `stop` is called.

        Raises:
            UserError: the task reported it; or it was lost too often.
        """
        num_losses = 0
        while not (self._is_done or self._stopping.is_set()):
            self._has_progressed = False
            try:
                self._attempt()
            except LostError as error:
                num_losses = 1 if self._has_progressed else num_losses + 1
                self._note(f"lost: {error}")
                if num_losses == MAX_LOSSES:
                    what = f"lost {MAX_LOSSES} times without progress, at last: {error}"
                    fix = "The node may have too little memory: see /tmp/ray/session_latest/logs there"
                    raise UserError(what, self.topic, fix) from None
                warn(self.topic, f"{error}; goes on elsewhere")

    def stop(self) -> None:
        """Ends the task, in whatever thread it runs."""
        self._stopping.set()

    def _attempt(self) -> None:
        """Runs the task on one node.

        Raises:
            LostError: node or process are lost.
            UserError: the task reported it.
        """
        threads, num_gpus = self._remote.division.threads, int(self._remote.division.uses_gpu)
        options = {"num_cpus": threads, "num_gpus": num_gpus, "max_retries": 0, "name": self.topic}
        task = ray.remote(self._function).options(num_returns="streaming", **options)
        self._heard_at = None
        messages = task.remote(*self._arguments(), self._remote.server)
        try:
            while not (self._is_done or self._stopping.is_set()):
                if ray.wait([messages], timeout=1)[0]:
                    self._handle(self._next(messages))
                elif self._heard_at is not None and time.monotonic() - self._heard_at > SILENCE_SECONDS:
                    raise LostError(f"{self._node} has not answered for {SILENCE_SECONDS:.0f} s")
        finally:
            if self._arriving:
                files.remove(self._arriving)
                self._arriving = None
            if not self._is_done:
                with suppress(RayError):
                    ray.cancel(messages, force=True)

    def _next(self, messages: "ray.ObjectRefGenerator") -> node.Message:
        """Returns the next message of a task that has one ready.

        Raises:
            LostError: the node or the process is lost.
            UserError: the node cannot install medfold.
        """
        try:
            return ray.get(next(messages), timeout=SILENCE_SECONDS)
        except StopIteration:
            raise LostError(f"{self._node}: ended without a result") from None
        except GetTimeoutError:
            raise LostError(f"{self._node} has not answered for {SILENCE_SECONDS:.0f} s") from None
        except RuntimeEnvSetupError as error:
            reason = str(error).strip().splitlines()[-1]
            fix = "Check the disk of the node, and that ray there is that of requirements.lock"
            raise UserError(f"a node cannot install medfold: {reason}", self.topic, fix) from None
        except RayTaskError:  # a fault in medfold
            raise
        except RayError as error:
            raise LostError(f"{self._node} is lost ({type(error).__name__})") from None

    def _handle(self, message: node.Message) -> None:
        self._heard_at = time.monotonic()
        if "node" in message:
            self._node = message["node"]
            self._note("begins")
            if message["niceness"] > 0:
                what = f"{self._node}: runs at niceness {message['niceness']}, slower beside other programs"
                warn(self.topic, f"{what}; export RAY_worker_niceness=0 before `ray start`")
        elif "error" in message:
            self._note(f"error: {message['error']}")
            raise message["error"]
        elif "crash" in message:
            raise LostError(f"{self._node}: the process died ({message['crash']})")
        elif "file" in message:
            self._receive(message)
        elif "topic" in message:
            self._note(message["text"])
            say(self.topic, f"{self._node}: {message['text']}")
        elif "text" in message and time.monotonic() - self._shown_at > SHOW_SECONDS:
            self._shown_at = time.monotonic()
            say(self.topic, f"{self._node}: {message['text']}")

    def _receive(self, message: node.Message) -> None:
        """Writes a part of a file that arrives, and puts the file in place when it is whole."""
        kind = message["file"]
        if self._arriving is None:
            self._arriving = files.temporary_path(self._folder / kind)
        path = self._arriving
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.failed_writes_named(path), path.open("ab") as file:
            file.write(message["part"])
        if message["is_last"]:
            self._receivers[kind](path)
            self._arriving = None
            self._has_progressed = True
            self._is_done = kind == node.RESULTS

    def _note(self, text: str) -> None:
        """Adds a line to the log of the task, if it has one."""
        if self._log is None:
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now().isoformat(' ', 'seconds')} {self._node}: {text}\n")


def run_tasks(tasks: list[ClusterTask], num_parallel: int) -> None:
    """Runs tasks, at most `num_parallel` at a time, each in a thread that follows it.

    Raises:
        UserError: one of them failed; all others are ended.
    """
    with ThreadPoolExecutor(num_parallel) as pool:
        waiting = {pool.submit(task.run) for task in tasks}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=1, return_when=FIRST_EXCEPTION)  # a signal ends the wait
                for future in done:
                    future.result()
        finally:
            for task in tasks:
                task.stop()
