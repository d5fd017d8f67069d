"""Memory that processes share, under names that tell its process, so that what a killed one leaves can be removed.

Semaphores and memory that processes share are files in /dev/shm. Python's resource tracker removes them after a process
is killed, unless it is killed, too, as by `kill -9` of the whole command or by a batch system.
"""

import os
import shutil
import uuid
from contextlib import suppress
from functools import cache
from multiprocessing import current_process, resource_tracker, util
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

from filelock import FileLock, Timeout

from medfold.system.signals import children_without_stop_signals

FOLDER = Path("/dev/shm")  # on Linux
PREFIX = "medfold-"
SEMAPHORE = "sem."  # what Linux puts before the name of a semaphore


def available_bytes() -> int:
    """Returns the bytes of shared memory that may be used: half of what is free.

    Containers often have only 64 MB of it, and a write beyond that kills the process.
    """
    return shutil.disk_usage(FOLDER).free // 2 if FOLDER.is_dir() else 1 << 40


def allocate(num_bytes: int) -> SharedMemory | None:
    """Allocates shared memory in advance, so that no other process can take it; None if there is not enough."""
    prefix = reserve_name_prefix()
    try:
        memory = SharedMemory(f"{prefix}-{uuid.uuid4().hex[:8]}" if prefix else None, create=True, size=num_bytes)
    except OSError:
        return None
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(memory._fd, 0, num_bytes)  # SharedMemory has no public descriptor
    except OSError:
        release(memory)
        return None
    return memory


def release(memory: SharedMemory) -> None:
    """Closes and removes shared memory; other processes must not open it after that."""
    memory.close()
    memory.unlink()


@cache
def reserve_name_prefix() -> str | None:
    """Reserves a prefix of names for this process, and removes what processes that are no longer there have left.

    A locked file, which the system unlocks when the process ends, marks the names as in use. From now on the semaphores
    of multiprocessing have such names, in this process and its workers. Names hold no process ids, because containers
    that share /dev/shm number their processes separately.

    Python's resource tracker is started here, shielded from the signals of a terminal: it ignores Ctrl-C, but a closed
    terminal would end it.

    Returns:
        How a name must begin; None where shared memory is not in a folder that can be written to.
    """
    if os.name != "nt":  # Windows has no tracker
        with children_without_stop_signals():
            resource_tracker.ensure_running()
    name = f"{PREFIX}{uuid.uuid4().hex[:12]}"
    mark = FileLock(FOLDER / f"{name}.lock")
    try:
        mark.acquire(timeout=0)
    except (OSError, NotImplementedError, Timeout):
        return None
    util.Finalize(
        None, _release_names, (mark,), exitpriority=-1
    )  # after the ones of semaphores; in worker processes, too
    current_process()._config["semprefix"] = f"/{name}"  # multiprocessing has no public way
    _remove_unclaimed()
    return name


def _release_names(mark: FileLock) -> None:
    with suppress(OSError):
        Path(mark.lock_file).unlink(missing_ok=True)
        mark.release()


def _remove_unclaimed() -> None:
    """Removes the names of processes that are gone, whose mark is not locked; leaves names of other users."""
    for path in FOLDER.glob(f"{PREFIX}*.lock"):
        mark = FileLock(path)
        with suppress(OSError, Timeout), mark.acquire(timeout=0):
            for left in (*FOLDER.glob(f"{path.stem}*"), *FOLDER.glob(f"{SEMAPHORE}{path.stem}*")):
                left.unlink(missing_ok=True)
