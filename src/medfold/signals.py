"""Signals that stop a command: Ctrl-C (SIGINT), a request to end (SIGTERM), a closed terminal (SIGHUP)."""

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

REQUESTS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
ALL = {signal.SIGINT, *REQUESTS}

CLEAN_UP_SECONDS = 5  # after a signal, in which others are ignored; later ones count, should the first be lost
SEND_AGAIN_SECONDS = 0.05  # after a finalizer has dropped a signal; it has ended by then
_received = signal.SIGINT
_stopped_at = float("-inf")
_lock = threading.Lock()
_open_shields = 0  # blocks of `shielded_children`, in all threads
_postponed: int | None = None


class RequestToEnd(KeyboardInterrupt):
    """Stops this process as Ctrl-C does, on SIGTERM or SIGHUP.

    A class of its own, since Python ends with SIGINT, whatever the exit code, once a plain KeyboardInterrupt has left
    code that `exec` or `eval` compiled, as those of dataclasses and named tuples.
    """


def stop_on_signals() -> None:
    """Makes SIGTERM and SIGHUP stop this process as Ctrl-C does, by a KeyboardInterrupt, so that it cleans up.

    A signal that is ignored, as SIGHUP is under `nohup`, stays ignored. Call it in the main thread.
    """
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    for number in REQUESTS:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _stop)
    accept_termination()
    sys.unraisablehook = _send_again
    atexit.register(_ignore_requests)


def _send_again(unraisable: Any) -> None:
    """Sends a signal once more that arrived in a finalizer or a callback, where Python drops exceptions."""
    global _stopped_at
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    number = _received if issubclass(unraisable.exc_type, RequestToEnd) else signal.SIGINT
    _stopped_at = float("-inf")
    threading.Timer(SEND_AGAIN_SECONDS, os.kill, (os.getpid(), number)).start()


def _ignore_requests() -> None:
    """Once the work is done and Python ends: it resets the handlers, and a request would kill a finished command."""
    for number in REQUESTS:
        signal.signal(number, signal.SIG_IGN)


def accept_termination() -> None:
    """Lets SIGTERM reach this process, which `shielded_children` has blocked at its start."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _interrupt(number: int, frame: FrameType | None) -> None:
    if not _postpone(number):
        signal.default_int_handler(number, frame)


def _stop(number: int, frame: FrameType | None) -> None:
    global _received, _stopped_at
    if _postpone(number) or time.monotonic() - _stopped_at < CLEAN_UP_SECONDS:  # it would interrupt the clean-up
        return
    _received, _stopped_at = signal.Signals(number), time.monotonic()
    raise RequestToEnd


def _postpone(number: int) -> bool:
    global _postponed
    if _open_shields:
        _postponed = number
    return bool(_open_shields)


def received_signal() -> signal.Signals:
    """Returns the signal that stopped this process: SIGINT, unless `stop_on_signals` received another."""
    return _received


@contextmanager
def shielded_children() -> Iterator[None]:
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
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, ALL)  # inherited by children
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
