"""Processes: silenced native output, deadlines, and subprocesses that end with their parent."""

import logging
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.context import BaseContext
from types import TracebackType
from typing import IO, Any

from medfold.errors import UserError
from medfold.system.shared_memory import reserve_name_prefix
from medfold.system.signals import accept_termination, children_without_stop_signals, stop_on_signals
from medfold.terminal.console import warn

for _name in ("pydicom", "pylibjpeg", "openjpeg", "tifffile", "PIL"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=_name)

_lock = threading.Lock()
_depth = 0
_stderr: int | None = None
_hidden: IO[bytes] | None = None
_devnull = os.open(os.devnull, os.O_WRONLY)


@contextmanager
def silence_native_output(show_on_error: bool = False) -> Iterator[None]:
    """Hides what the process writes to its standard error within the block.

    TensorFlow, libjpeg, libpng, OpenJPEG and GDCM write there directly, past Python and its loggers. Blocks may be
    nested and used by several threads at a time: the standard error is restored when the last block ends.

    Args:
        show_on_error: show the hidden output if the block raises an error. Of nested blocks the outermost decides.
            Defaults to False.
    """
    _redirect_stderr(show_on_error)
    try:
        yield
    except BaseException as error:
        _restore_stderr(failed=isinstance(error, Exception))  # not if the user has stopped it
        raise
    _restore_stderr(failed=False)


def _redirect_stderr(keep_output: bool) -> None:
    global _depth, _stderr, _hidden
    with _lock:
        _depth += 1
        if _depth > 1:
            return
        try:
            _stderr = os.dup(2)
        except OSError:  # a process without a terminal may have closed its standard error
            return
        if keep_output:
            sys.stderr.flush()
            _hidden = tempfile.TemporaryFile()  # noqa: SIM115  closed by `_restore_stderr`
        os.dup2(_hidden.fileno() if _hidden else _devnull, 2)


def _restore_stderr(failed: bool) -> None:
    global _depth, _stderr, _hidden
    with _lock:
        _depth -= 1
        if _depth or _stderr is None:
            return
        os.dup2(_stderr, 2)
        os.close(_stderr)
        _stderr = None
        if _hidden:
            if failed:
                _hidden.seek(0)
                os.write(2, _hidden.read())
            _hidden.close()
            _hidden = None


STOP_AT = "MEDFOLD_STOP_AT"  # environment variable, seconds since 1970: training then saves a checkpoint and stops


def deadline_passed() -> bool:
    """Returns True if the training must save a checkpoint and stop now."""
    return time.time() >= float(os.environ.get(STOP_AT, "inf"))


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
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            raise UserError("the process was killed", what, "It may have run out of memory") from None
