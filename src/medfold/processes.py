"""What libraries say about broken files, kept off the screen: the reader that fails says it in one line."""

import logging
import os
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any

from medfold.errors import UserError

for _name in ("pydicom", "pylibjpeg", "openjpeg", "tifffile", "PIL"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=_name)

_lock = threading.Lock()
_inside = 0
_kept: int | None = None
_nothing = os.open(os.devnull, os.O_WRONLY)


@contextmanager
def quiet() -> Iterator[None]:
    """Within the block, nothing is written to the standard error of the process, by whatever thread.

    libjpeg, libpng, OpenJPEG and GDCM write there themselves, past Python and its loggers. Threads may be inside at
    the same time: the last one out opens it again.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _kept
    with _lock:
        _inside += 1
        if _inside > 1:
            return
        try:
            _kept = os.dup(2)
        except OSError:  # there is none: a process without terminal may have closed it
            return
        os.dup2(_nothing, 2)


def _leave() -> None:
    global _inside, _kept
    with _lock:
        _inside -= 1
        if not _inside and _kept is not None:
            os.dup2(_kept, 2)
            os.close(_kept)
            _kept = None


STOP_AT = "MEDFOLD_STOP_AT"  # set, trainings stop at that time (seconds since 1970) and keep where they stand


def deadline_passed() -> bool:
    """True if trainings are to stop now."""
    return time.time() >= float(os.environ.get(STOP_AT, "inf"))


def end_with_parent() -> None:
    """From now on this process ends when the one that started it does, even if that one is killed.

    One that was not started by multiprocessing must have a pipe from its parent as standard input.
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


def run_in_subprocess(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a function in a process of its own: what it takes of memory and GPU is free again afterwards.

    Args:
        what: it does, for the error.

    Raises:
        UserError: the process was killed.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), end_with_parent) as process:
        try:
            return process.submit(function, *arguments).result()
        except BrokenProcessPool:
            raise UserError("the process was killed", what, "Was it short of memory?") from None


@contextmanager
def silence_native_output() -> Iterator[None]:
    """Within the block, what C++ libraries write to the standard error is held back, and shown only if it fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
