"""Files that are either whole or absent: written to a temporary name, renamed when complete."""

import hashlib
import json
import mmap
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from medfold.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; renames it to `path` if the block ends well, removes it if not.

    Works for a file and, if the block makes one, for a folder, which then replaces the folder of that name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        yield temporary
        if temporary.is_dir() and path.exists():
            remove(path)
        temporary.replace(path)
    finally:
        remove(temporary)


def remove(path: Path) -> None:
    """Removes a file or a folder with all that is in it; nothing happens if there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_temporaries(path: Path) -> None:
    """Removes what killed processes left beside `path` under temporary names; call it under the lock of `path` only."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        remove(left)


def release_pages(mapped: Any) -> None:
    """Gives back the memory of what was read of a memory-mapped array; other arrays are left alone.

    The pages stay in the system's cache, so reading them again costs next to nothing, but they no longer count as the
    process's own: its memory does not grow with the number of images that it has seen.
    """
    pages = getattr(mapped, "_mmap", None)
    if hasattr(pages, "madvise"):
        pages.madvise(mmap.MADV_DONTNEED)


def write_text(text: str, path: Path) -> None:
    """Writes a text file (UTF-8, line feeds on every system) whole."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(value: Any, path: Path) -> None:
    """Writes a JSON file whole: two spaces, keys in the order given, not-a-number as null."""
    write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: Path) -> Any:
    """Reads a JSON file that the kit wrote; `None` if there is none.

    Raises:
        UserError: it is damaged.
    """
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise UserError(
            "not JSON, or cut off", path, "Bring back a copy, or remove it and what it belongs to"
        ) from None


def write_csv(table: "pd.DataFrame", path: Path) -> None:
    """Writes a table without its index, whole; floats with 9 significant digits, enough for every float32."""
    write_text(table.to_csv(index=False, float_format="%.9g", lineterminator="\n"), path)


def read_csv(path: Path, **types: Any) -> "pd.DataFrame":
    """Reads a table of the kit; `types` are column types, and the columns `id`, `part` and `image` are text.

    Raises:
        UserError: it is damaged.
    """
    import pandas as pd

    text = dict.fromkeys(("id", "part", "image", "file", "hash", "usage"), str)
    try:
        return pd.read_csv(path, dtype={**text, **types}, keep_default_na=False, na_values=[""])
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, ValueError) as error:
        what = f"not the table that was written ({str(error).splitlines()[0]})"
        raise UserError(what, path, "Bring back a copy, or remove it and make it anew") from None


def sha256(*paths: Path) -> str:
    """SHA-256 of the contents of files, one after the other, as 64 hex digits."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def md5(path: Path) -> str:
    """MD5 of a file's contents, as 32 hex digits: to compare with what a server names, not for anything else."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def sha256_of_text(text: str) -> str:
    """SHA-256 of a text in UTF-8, as 64 hex digits: that of the file it is written to."""
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(value: Any, digits: int = 16) -> str:
    """The first hex digits of the SHA-256 of a JSON-able value: equal values, equal fingerprints."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return sha256_of_text(text)[:digits]


def lock(path: Path) -> FileLock:
    """A lock that lets one process at a time write `path`; use it in a `with` statement."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_name(f".{path.name}.lock"))


@contextmanager
def exclusive_lock(path: Path, what: str) -> Iterator[None]:
    """The same for work that takes hours: a second process is told so and does not wait.

    Args:
        what: is done, as in 'this is being packed'.

    Raises:
        UserError: another process is at it.
    """
    held = lock(path)
    try:
        held.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{what} in another process", path, "Wait for it, or end it") from None
    try:
        yield
    finally:
        held.release()
