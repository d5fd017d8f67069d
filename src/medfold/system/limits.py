"""Limits of memory and time for code that reads files of others: a hostile file may declare anything."""

import os
import signal
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STATUS = Path("/proc/self/status")
# Images hardly compress, tables to a tenth. A higher ratio, above this size, is a decompression bomb.
BOMB_RATIO, BOMB_BYTES = 200, 10**9


def is_bomb(packed: int, unpacked: int) -> bool:
    """Returns True if contents are far larger than the archive that declares them, as in a decompression bomb.

    Args:
        packed: bytes of the archive.
        unpacked: bytes of its contents, as it declares them.
    """
    return unpacked > max_unpacked_bytes(packed)


def max_unpacked_bytes(packed: int) -> int:
    """Returns the largest size of the contents of so many bytes that is not a decompression bomb."""
    return max(BOMB_RATIO * packed, BOMB_BYTES)


def zip_contents_bytes(path: Path) -> int:
    """Returns the size of all files in a zip archive, in bytes, as it declares them; reading them takes no more.

    Arrays (.npz) and Excel workbooks are zip archives, too.

    Raises:
        ValueError: the archive declares far more than its size (`is_bomb`).
        zipfile.BadZipFile: not an archive.
    """
    with zipfile.ZipFile(path) as archive:
        declared = sum(member.file_size for member in archive.infolist())
    packed = path.stat().st_size
    if is_bomb(packed, declared):
        raise ValueError(f"declares contents of {declared / 1e9:,.1f} GB, but has {packed / 1e6:,.1f} MB")
    return declared


@contextmanager
def memory_limit(extra_bytes: int) -> Iterator[None]:
    """Lets the process take at most so much more memory within the block; beyond it, allocations fail.

    Files that are mapped into memory do not count. For processes with one thread: the limit is of the whole process.
    Without effect where the system has no such limit (macOS, Windows).

    Args:
        extra_bytes: memory that may be added to that which the process has now.

    Raises:
        MemoryError: by the code in the block, or another exception of a library that gets no memory.
    """
    taken = _data_bytes()
    if taken is None:
        yield
        return
    import resource

    before, ceiling = resource.getrlimit(resource.RLIMIT_DATA)
    limit = taken + extra_bytes
    with suppress(ValueError, OSError):  # above the ceiling: that one holds anyway
        resource.setrlimit(resource.RLIMIT_DATA, (limit, ceiling))
    try:
        yield
    finally:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (before, ceiling))


def allow_memory(extra_bytes: int) -> None:
    """Raises the limit of the `memory_limit` around it, for a file that was checked and needs more.

    Args:
        extra_bytes: memory that may be added to that which the process has now.
    """
    taken = _data_bytes()
    if taken is None:
        return
    import resource

    limit, ceiling = resource.getrlimit(resource.RLIMIT_DATA)
    if limit != resource.RLIM_INFINITY and limit < taken + extra_bytes:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (taken + extra_bytes, ceiling))


def _data_bytes() -> int | None:
    """Returns the memory that the limit counts: private and writable; None where the system does not say."""
    with suppress(OSError, ValueError, StopIteration), STATUS.open("rb") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(b"VmData"))
    return None


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Interrupts the block if it takes longer: a regular expression of others may search for years.

    Without effect on Windows, and in other threads than the main one.

    Args:
        seconds: the limit.

    Raises:
        TimeoutError: the block took longer.
    """
    if os.name == "nt" or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def ended_after(seconds: int) -> Iterator[None]:
    """Ends this process if the block takes longer, wherever it is: a decoder in C cannot be interrupted otherwise.

    Only for the main thread of a worker process, whose parent notices its end. Without effect on Windows.

    Args:
        seconds: the limit.
    """
    if os.name == "nt":
        yield
        return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
