"""Child processes, their end, and the native output of this one."""

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
from typing import IO, Any

from medfold.errors import UserError

for _name in ("pydicom", "pylibjpeg", "openjpeg", "tifffile", "PIL"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=_name)

_lock = threading.Lock()
_depth = 0
_stderr: int | None = None
_held: IO[bytes] | None = None
_devnull = os.open(os.devnull, os.O_WRONLY)


@contextmanager
def silence_native_output(show_on_error: bool = False) -> Iterator[None]:
    """Nothing that the process writes to its standard error within the block is shown.

    TensorFlow, libjpeg, libpng, OpenJPEG and GDCM write there themselves, past Python and its loggers. Blocks may be
    nested, and several threads may be in one at a time: the standard error is back when the last one ends.

    Args:
        show_on_error: shows what was written if the block raises an error; of the outermost block. Defaults to False.
    """
    _silence(show_on_error)
    try:
        yield
    except BaseException:
        _restore(failed=True)
        raise
    _restore(failed=False)


def _silence(hold: bool) -> None:
    global _depth, _stderr, _held
    with _lock:
        _depth += 1
        if _depth > 1:
            return
        try:
            _stderr = os.dup(2)
        except OSError:  # a process without a terminal may have closed it
            return
        if hold:
            sys.stderr.flush()
            _held = tempfile.TemporaryFile()  # noqa: SIM115  closed by `_restore`
        os.dup2(_held.fileno() if _held else _devnull, 2)


def _restore(failed: bool) -> None:
    global _depth, _stderr, _held
    with _lock:
        _depth -= 1
        if _depth or _stderr is None:
            return
        os.dup2(_stderr, 2)
        os.close(_stderr)
        _stderr = None
        if _held:
            if failed:
                _held.seek(0)
                os.write(2, _held.read())
            _held.close()
            _held = None


STOP_AT = "MEDFOLD_STOP_AT"  # seconds since 1970: trainings save a checkpoint and stop then


def deadline_passed() -> bool:
    """True if trainings must stop now."""
    return time.time() >= float(os.environ.get(STOP_AT, "inf"))


def end_with_parent() -> None:
    """Ends this process as soon as its parent ends, even if the parent is killed.

    A process that multiprocessing did not start must have a pipe from its parent as standard input.
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
    """Runs a function in a subprocess, so that its memory, and that of the GPU, is released.

    Args:
        what: what the function does, for the error.
        function: a function that pickle can name, at the top level of a module.
        arguments: its arguments.

    Returns:
        What the function returns.

    Raises:
        UserError: the process was killed.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), end_with_parent) as process:
        try:
            return process.submit(function, *arguments).result()
        except BrokenProcessPool:
            raise UserError("the process was killed", what, "Was it short of memory?") from None
