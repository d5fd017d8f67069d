"""Signals that stop a command: Ctrl-C (SIGINT), a request to end (SIGTERM), a closed terminal (SIGHUP)."""

import atexit
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import parent_process
from types import FrameType
from typing import Any

STOP_REQUESTS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
STOP_SIGNALS = {signal.SIGINT, *STOP_REQUESTS}

CLEAN_UP_SECONDS = 5  # after a request, in which others are ignored
SEND_AGAIN_SECONDS = 0.5  # after a library has dropped a signal
_lock = threading.Lock()
_open_shields = 0  # blocks of `children_without_stop_signals`, in all threads
_postponed: int | None = None


class Stopped(KeyboardInterrupt):
    """Stops this process, on Ctrl-C, SIGTERM or SIGHUP.

    Not a plain KeyboardInterrupt: once that has left code compiled by `exec` or `eval`, as dataclasses and named tuples
    have, Python ends with SIGINT, whatever the exit code.
    """


@dataclass
class StopState:
    """What this process knows of its end.

    Args:
        received: the latest signal that stopped it. Defaults to Ctrl-C.
        stopped_at: when that was, in seconds of `time.monotonic`. Defaults to never.
        is_ending: whether the process ends already. Defaults to False.
        watched: the exception that stops it, for as long as it exists. Defaults to none.
    """

    received: signal.Signals = signal.SIGINT
    stopped_at: float = float("-inf")
    is_ending: bool = False
    watched: weakref.ref[Stopped] | None = None


state = StopState()


def stop_on_signals() -> None:
    """Makes Ctrl-C, SIGTERM and SIGHUP stop this process by a KeyboardInterrupt, so that it cleans up.

    A signal is not lost where the exception is: if a finalizer, or a library with a bare `except`, drops it, the signal
    is sent again. A signal that is ignored, as SIGHUP is under `nohup`, stays ignored. Call it in the main thread.
    """
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    for number in STOP_REQUESTS:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _stop)
    accept_termination()
    _interrupt_waits()
    sys.unraisablehook = _show_unless_stopped
    atexit.register(_ignore_signals)


def begin_exit() -> signal.Signals:
    """Marks this process as ending, so that no lost signal is sent again; returns the signal that stopped it."""
    state.is_ending = True
    return state.received


def _stop(number: int, frame: FrameType | None) -> None:
    is_repeated = number != signal.SIGINT and time.monotonic() - state.stopped_at < CLEAN_UP_SECONDS
    if _postpone(number) or is_repeated:  # a second request would interrupt the clean-up
        return
    state.received, state.stopped_at = signal.Signals(number), time.monotonic()
    stopped = Stopped()
    state.watched = weakref.ref(stopped, partial(_send_again, number))
    try:
        raise stopped
    finally:
        del stopped  # or its traceback would keep it alive


def _send_again(number: int, dropped: "weakref.ref[Stopped]") -> None:
    """Sends a signal again after a while if Python dropped its exception, unless the process is ending already."""

    def send() -> None:
        if dropped is state.watched and not state.is_ending:
            state.stopped_at = float("-inf")
            os.kill(os.getpid(), number)

    if parent_process() is None:  # workers of multiprocessing are ended by their parent
        timer = threading.Timer(SEND_AGAIN_SECONDS, send)
        timer.daemon = True
        timer.start()


def _show_unless_stopped(unraisable: Any) -> None:
    """Shows an error in a finalizer or a callback, where Python drops exceptions, unless a signal has caused it."""
    if not issubclass(unraisable.exc_type, Stopped):
        sys.__unraisablehook__(unraisable)


def _ignore_signals() -> None:
    """Ignores signals at the end of the work, since Python resets the handlers and a signal would kill the process."""
    begin_exit()
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def accept_termination() -> None:
    """Unblocks SIGTERM in a child process; `children_without_stop_signals` blocked it when the process was started."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _interrupt_waits() -> None:
    """Makes a signal interrupt the main thread where it waits, also if the system gives it to another thread.

    Python runs signal handlers in the main thread only, which would go on waiting for a lock or a child process: for as
    long as a training in a child takes. Each signal is written to a pipe; a thread reads it, and sends the main thread
    SIGURG, which does nothing but end the wait.
    """
    if not hasattr(signal, "pthread_kill"):
        return
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.signal(signal.SIGURG, lambda number, frame: None)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)

    def forward() -> None:
        while numbers := os.read(read_end, 64):
            if STOP_SIGNALS & set(numbers):
                signal.pthread_kill(threading.main_thread().ident, signal.SIGURG)

    threading.Thread(target=forward, name="signals", daemon=True).start()


def _postpone(number: int) -> bool:
    global _postponed
    if _open_shields:
        _postponed = number
    return bool(_open_shields)


@contextmanager
def children_without_stop_signals() -> Iterator[None]:
    """Processes that are started within the block do not receive Ctrl-C and SIGHUP: their parent ends them.

    A terminal sends both to all processes of a command. Children that end by themselves would print tracebacks, and
    would look as if they had failed. SIGTERM is blocked until the child calls `accept_termination`.

    This process is not stopped between the start of a child and the note that there is one: after `stop_on_signals`,
    a signal that arrives within the block takes effect at its end. To block it here does not suffice, since another
    thread may receive it, and Python then raises KeyboardInterrupt in the main thread all the same.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    _count_shields(1)
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # inherited by children
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
        _count_shields(-1)


def _count_shields(change: int) -> None:
    """Counts the open blocks; after the last one, sends the signal that was postponed once more."""
    global _open_shields, _postponed
    with _lock:
        _open_shields += change
        number = None if _open_shields else _postponed
        if number is not None:
            _postponed = None
    if number is not None:
        os.kill(os.getpid(), number)
