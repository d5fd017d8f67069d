"""A task on the cluster, as the driver follows it; if its node is lost, it starts again on another one."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from medfold.cluster.driver.attempt import SILENCE_SECONDS, Attempt, LostError
from medfold.cluster.driver.capacity import Capacity
from medfold.cluster.node.messages import (
    RESULTS,
    CopyProgress,
    Crashed,
    Failed,
    FilePart,
    Heartbeat,
    Line,
    Message,
    Started,
)
from medfold.errors import UserError
from medfold.system import files
from medfold.terminal.console import say, warn

SHOW_SECONDS = 5.0  # between two lines about a file that is copied
MAX_LOSSES = 5  # in a row, without a new checkpoint


@dataclass(frozen=True)
class JobResources:
    """What the tasks of a job share.

    Args:
        capacity: threads and GPU of each task.
        file_server: the FileServer, as a handle of Ray.
    """

    capacity: Capacity
    file_server: Any


class ClusterTask:
    """A task on the cluster, which starts again on another node if its node is lost.

    Args:
        topic: name of the task on the terminal.
        resources: what the tasks of the job share.
        function: what the node does; it yields messages.
        arguments: () -> its arguments but the last one, the FileServer; called again for each node.
        receivers: by the kind of a file that arrives, a function that puts it in place.
        folder: folder for files that arrive, on the disk of their place.
        log: file for the lines of the task; None for no log. Defaults to none.
    """

    def __init__(
        self,
        topic: str,
        *,
        resources: JobResources,
        function: Callable[..., Iterator[Message]],
        arguments: Callable[[], tuple],
        receivers: dict[str, Callable[[Path], None]],
        folder: Path,
        log: Path | None = None,
    ):
        self.topic = topic
        self._resources = resources
        self._function = function
        self._arguments = arguments
        self._receivers = receivers
        self._folder = folder
        self._log = log
        self._stopping = threading.Event()
        self._node = "its node"
        self._heard_at: float | None = None  # the last message of this attempt; None until it has started
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
                self._note(f"lost: {self._node} {error}")
                if num_losses == MAX_LOSSES:
                    what = f"lost {MAX_LOSSES} times without progress; the last time: {self._node} {error}"
                    fix = "The node may have too little memory: see /tmp/ray/session_latest/logs there"
                    raise UserError(what, self.topic, fix) from None
                warn(self.topic, f"{self._node} {error}; continues on another node")

    def stop(self) -> None:
        """Ends the task, in whatever thread it runs."""
        self._stopping.set()

    def _attempt(self) -> None:
        """Runs the task on one node.

        Raises:
            LostError: node or process are lost.
            UserError: the task reported it.
        """
        arguments = (*self._arguments(), self._resources.file_server)
        attempt = Attempt(self.topic, self._function, arguments, self._resources.capacity)
        self._heard_at = None
        try:
            while not (self._is_done or self._stopping.is_set()):
                if message := attempt.next(seconds=1):
                    self._handle(message)
                elif self._heard_at is not None and time.monotonic() - self._heard_at > SILENCE_SECONDS:
                    raise LostError(f"has not answered for {SILENCE_SECONDS:.0f} s")
        finally:
            if self._arriving:
                files.remove(self._arriving)
                self._arriving = None
            if not self._is_done:
                attempt.cancel()

    def _handle(self, message: Message) -> None:
        """Shows, keeps or raises what a message says. Any message, even a heartbeat, proves that the node is alive."""
        self._heard_at = time.monotonic()
        match message:
            case Started(node, niceness):
                self._node = node
                self._note("begins")
                if niceness > 0:
                    what = f"{node}: runs at niceness {niceness}, slower beside other programs"
                    warn(self.topic, f"{what}; export RAY_worker_niceness=0 before `ray start`")
            case Failed(error):
                self._note(f"error: {error}")
                raise error
            case Crashed(reason):
                raise LostError(f"reports that the process died ({reason})")
            case FilePart():
                self._receive(message)
            case Line(text):
                self._note(text)
                say(self.topic, f"{self._node}: {text}")
            case CopyProgress(text) if self._heard_at - self._shown_at > SHOW_SECONDS:
                self._shown_at = self._heard_at
                say(self.topic, f"{self._node}: {text}")
            case CopyProgress() | Heartbeat():
                pass

    def _receive(self, part: FilePart) -> None:
        """Writes a part of a file that arrives, and puts the file in place when it is whole."""
        if self._arriving is None:
            self._arriving = files.temporary_path(self._folder / part.kind)
        path = self._arriving
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.failed_writes_named(path), path.open("ab") as file:
            file.write(part.content)
        if part.is_last:
            self._receivers[part.kind](path)
            self._arriving = None
            self._has_progressed = True
            self._is_done = part.kind == RESULTS

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
