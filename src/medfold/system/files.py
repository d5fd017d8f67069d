"""Atomic file writes (temporary name, then rename), and checks of folders."""

import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from filelock import FileLock

from medfold.errors import FILE_IN_PLACE, UserError, os_errors_explained
from medfold.system.hashes import fingerprint

# `.<name of the final file>.<machine>-<process>-<random>.tmp`
TEMPORARY_NAME = re.compile(r"\.(?P<final>[^/\\]+)\.(?P<machine>[0-9a-f]{6})-(?P<process>\d+)-[0-9a-f]{8}\.tmp")
WEEK = 7 * 24 * 3600  # seconds

MAX_FLUSHED = 50  # files of a folder that are flushed one by one; for more, all of the system is flushed at once

_tidied_folders: set[Path] = set()


@contextmanager
def atomic_write(path: Path, durable: bool = True) -> Iterator[Path]:
    """Yields a temporary path beside `path`, renames it to `path` at the end of the block, removes it after an error.

    The block may write a file or make a folder; a folder replaces an existing one.

    Args:
        path: the final path.
        durable: waits until the contents are on the disk. False for one of many files that a later marker declares
            complete. Defaults to True.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(path)
    try:
        with failed_writes_named(path):
            yield temporary
            if durable:
                flush_to_disk(temporary)
            if temporary.is_dir() and path.exists():
                remove(path)
            temporary.replace(path)
    finally:
        remove(temporary)


@contextmanager
def failed_writes_named(path: Path) -> Iterator[None]:
    """Adds the path to an OSError without one, such as that of a write to an open file: it says which disk is full."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def flush_to_disk(path: Path) -> None:
    """Waits until a file, or a folder with its files, is on the disk, so that no rename outlives its contents.

    After a power failure, a file that was renamed without this may be empty.
    """
    paths = [path, *path.rglob("*")] if path.is_dir() else [path]
    if len(paths) > MAX_FLUSHED and hasattr(os, "sync"):
        os.sync()
        return
    for each_path in paths:
        if each_path.is_symlink() or (os.name == "nt" and each_path.is_dir()):
            continue
        with suppress(PermissionError):  # a raw file of the user
            descriptor = os.open(each_path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def remove(path: Path) -> None:
    """Removes a file, or a folder with its contents, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def temporary_path(path: Path) -> Path:
    """Returns a new path beside `path`, for a file or folder that is renamed to `path` when it is complete.

    The first call for a folder removes the temporary files and folders that killed processes left in it.
    """
    if path.parent not in _tidied_folders:
        _tidied_folders.add(path.parent)
        for each_path in path.parent.glob(".*.tmp"):
            if _is_abandoned(each_path):
                with suppress(OSError):  # another process removes it, too
                    remove(each_path)
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")


def with_final_names(text: str) -> str:
    """Returns a text with the final names of files and folders in place of temporary ones."""
    return TEMPORARY_NAME.sub(r"\g<final>", text)


def _is_abandoned(temporary: Path) -> bool:
    """Returns True for a temporary path whose process is gone; if it ran on another machine, after a week."""
    import psutil

    writer = TEMPORARY_NAME.fullmatch(temporary.name)
    if writer is None:
        return False  # not one of medfold
    if writer["machine"] == _machine():
        return not psutil.pid_exists(int(writer["process"]))
    with suppress(OSError):
        return time.time() - temporary.lstat().st_mtime > WEEK
    return False


@cache
def _machine() -> str:
    """Returns hex digits that differ between machines, and between containers, whose processes have own numbers."""
    namespace = Path("/proc/self/ns/pid")
    return fingerprint([socket.gethostname(), namespace.stat().st_ino if namespace.exists() else None], digits=6)


def remove_temporaries(path: Path) -> None:
    """Removes all temporary files and folders for `path`, of any machine; call it only under the lock of `path`."""
    for temporary in path.parent.glob(f".{path.name}.*.tmp"):
        remove(temporary)


def write_text(text: str, path: Path, private: bool = False) -> None:
    """Writes a text file atomically: UTF-8, line feeds on every system.

    Args:
        text: the content.
        path: path of the file; an existing one is replaced.
        private: only the owner may read it (mode 600), as for patient ids. Defaults to False.
    """
    with atomic_write(path) as temporary:
        if private:
            temporary.touch(mode=0o600)
        temporary.write_text(text, encoding="utf-8", newline="\n")


def check_folder(path: Path) -> None:
    """Checks that a path, which need not exist, is or can become a folder.

    Raises:
        UserError: a file is there, or in place of a folder above it.
    """
    if file := next((each for each in (path, *path.parents) if each.exists() and not each.is_dir()), None):
        what, fix = FILE_IN_PLACE
        raise UserError(what, file, fix)


def check_writable(folder: Path) -> None:
    """Checks that files can be made and locked in a folder or, if there is none yet, in the nearest one above it.

    Raises:
        UserError: a file is there instead, the disk is full or read-only, a permission is missing, or the disk
            has no file locks.
    """
    check_folder(folder)
    nearest = next(path for path in (folder, *folder.parents) if path.is_dir())
    probe = temporary_path(nearest / "lock")
    try:
        with os_errors_explained():
            probe.touch()  # where no file can be made, as in /proc, FileLock would try for ever
            with FileLock(probe):
                pass
    except UserError as error:
        raise UserError(error.what, folder, error.fix or "Choose another folder") from None
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
