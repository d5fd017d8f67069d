"""What libraries say about broken files, kept off the screen: the reader that fails says it in one line."""

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

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
