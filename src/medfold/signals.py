"""Signals that stop a command: Ctrl-C (SIGINT), a request to end (SIGTERM), a closed terminal (SIGHUP)."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

REQUESTS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
ALL = {signal.SIGINT, *REQUESTS}

CLEAN_UP_SECONDS = 5  # after a signal, in which others are ignored; later ones count, should the first be lost
_received = signal.SIGINT
_stopped_at = float("-inf")


def stop_on_signals() -> None:
    """Makes SIGTERM and SIGHUP stop this process as Ctrl-C does, by a KeyboardInterrupt, so that it cleans up.

    A signal that is ignored, as SIGHUP is under `nohup`, stays ignored. Call it in the main thread.
    """
    for number in REQUESTS:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _stop)
    accept_termination()


def accept_termination() -> None:
    """Lets SIGTERM reach this process, which `shielded_children` has blocked at its start."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _stop(number: int, frame: FrameType | None) -> None:
    global _received, _stopped_at
    if time.monotonic() - _stopped_at < CLEAN_UP_SECONDS:  # it would interrupt the clean-up
        return
    _received, _stopped_at = signal.Signals(number), time.monotonic()
    raise KeyboardInterrupt


def received_signal() -> signal.Signals:
    """Returns the signal that stopped this process: SIGINT, unless `stop_on_signals` received another."""
    return _received


@contextmanager
def shielded_children() -> Iterator[None]:
    """Processes that are started within the block do not receive Ctrl-C and SIGHUP: their parent ends them.

    A terminal sends both to all processes of a command. Children that end by themselves would print tracebacks, and
    would look as if they had failed. SIGTERM is blocked until the child calls `accept_termination`, so that its parent
    is not stopped between the start of a child and the note that there is one.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, ALL)  # inherited by children
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
