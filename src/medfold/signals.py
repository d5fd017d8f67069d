"""Signals that stop a command: Ctrl-C (SIGINT), a request to end (SIGTERM), a closed terminal (SIGHUP)."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

REQUESTS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
ALL = {signal.SIGINT, *REQUESTS}

_received = signal.SIGINT


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
    global _received
    _received = signal.Signals(number)
    for request in REQUESTS:
        signal.signal(request, signal.SIG_IGN)  # a second signal would interrupt the clean-up
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
