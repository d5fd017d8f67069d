"""Silence for libraries that write to the terminal past medfold: native code, and Python packages that log."""

import logging
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import IO

_lock = threading.Lock()
_depth = 0
_stderr: int | None = None
_hidden: IO[bytes] | None = None


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
        os.dup2(_hidden.fileno() if _hidden else _devnull(), 2)


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


@cache
def _devnull() -> int:
    return os.open(os.devnull, os.O_WRONLY)


def silence_library(*names: str) -> None:
    """Hides the log messages and warnings of Python packages, which tell of faults that medfold reports itself.

    Args:
        names: names of the packages, such as `pydicom`.
    """
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        warnings.filterwarnings("ignore", module=name)
