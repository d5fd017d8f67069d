"""Child processes that end with their parent."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.context import BaseContext
from types import TracebackType
from typing import Any

from medfold.errors import UserError
from medfold.system.shared_memory import reserve_name_prefix
from medfold.system.signals import accept_termination, children_without_stop_signals, stop_on_signals
from medfold.terminal.console import warn


def end_with_parent() -> None:
    """Ends this process as soon as its parent ends, even if the parent is killed.

    A process that was not started by multiprocessing must have a pipe from its parent as standard input.
    """
    parent = parent_process()

    def watch() -> None:
        if parent is None:
            while os.read(0, 1024):
                pass
        else:
            parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class WorkerPool(ProcessPoolExecutor):
    """Process pool whose processes end with this one, and at once if it is stopped, without a traceback.

    Args:
        num_processes: number of processes.
        context: the way to start them, of multiprocessing.
        initializer: a function that each process calls first. Defaults to none.
        arguments: arguments of `initializer`.
    """

    def __init__(
        self,
        num_processes: int,
        context: BaseContext,
        initializer: Callable[..., None] | None = None,
        arguments: tuple = (),
    ):
        reserve_name_prefix()
        super().__init__(num_processes, context, _start_worker, (initializer, arguments))

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future:
        """Calls a function in a process, like `Executor.submit`; processes are started here."""
        with children_without_stop_signals():
            return super().submit(function, *arguments, **keywords)

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            for process in active_children():  # now, whatever they do
                process.terminate()
        self.shutdown(cancel_futures=True)


def try_worker_pool(*arguments: Any) -> WorkerPool | None:
    """Returns `WorkerPool(*arguments)`; None, with a line for the user, if this system cannot share memory.

    Queues between processes need semaphores in /dev/shm, which may be full, read-only or missing in a container.
    """
    try:
        return WorkerPool(*arguments)
    except (OSError, ImportError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        warn("workers", f"no shared memory (/dev/shm: {reason}); the work is done in one process, which is slower")
        return None


def _start_worker(initializer: Callable[..., None] | None, arguments: tuple) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for systems where it cannot be blocked
    accept_termination()
    end_with_parent()
    if initializer:
        initializer(*arguments)


def run_in_subprocess(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Runs a function in a subprocess, so that its memory, and that of the GPU, is released.

    Args:
        what: what the function does, for the error message.
        function: a picklable function, that is, one at the top level of a module.
        arguments: arguments of the function.

    Returns:
        The return value of the function.

    Raises:
        UserError: the process was killed.
    """
    pool = try_worker_pool(1, get_context("spawn"), stop_on_signals)
    if pool is None:
        return function(*arguments)
    with pool:
        return result_of(pool.submit(function, *arguments), what)


def result_of(future: Future, what: str) -> Any:
    """Waits for the result of a function in a `WorkerPool`.

    Args:
        future: the call of the function.
        what: what the function does, for the error message.

    Raises:
        UserError: the process was killed.
    """
    try:
        return future.result()
    except BrokenProcessPool:
        fix = "It may have run out of memory: close other programs, or take a machine with more of it"
        raise UserError("the process was killed", what, fix) from None
