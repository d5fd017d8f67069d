"""Locks: files beside a path that let one process at a time work on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from medfold.errors import UserError
from medfold.system.files import remove


def lock(path: Path) -> FileLock:
    """Returns a lock, for a `with` statement, that lets one process at a time write `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_name(f".{path.name}.lock"))


@contextmanager
def tidy_lock(path: Path) -> Iterator[None]:
    """Locks `path`, like `lock`; after an error, removes the lock and the empty folders made for it."""
    made = [folder for folder in path.parents if not folder.exists()]
    path_lock = lock(path)
    try:
        with path_lock:
            yield
    except BaseException:
        for folder in made:  # the deepest first
            names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
            if names - {Path(path_lock.lock_file).name}:
                break
            remove(folder)
        raise


@contextmanager
def exclusive_lock(path: Path, what: str) -> Iterator[None]:
    """Locks `path` for work that takes hours: in a second process it raises an error instead of waiting.

    Args:
        path: the file or folder to lock; the lock is a file beside it.
        what: the work as a clause, for the error message: 'this is being packed'.

    Raises:
        UserError: another process holds the lock.
    """
    path_lock = lock(path)
    try:
        path_lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{what} in another process", path, "Wait for it, or end it") from None
    try:
        yield
    finally:
        path_lock.release()
