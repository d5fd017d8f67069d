"""Atomic file writes (temporary name, then rename), and JSON files."""

import json
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
from typing import Any

from filelock import FileLock

from medfold.earlier_versions import Names, with_current_names
from medfold.errors import FILE_IN_PLACE, UserError, os_errors_explained
from medfold.system.hashes import fingerprint

CHECKSUM = "checksum"  # the last key of a sealed JSON file
RESTORE_OR_REMOVE = "Restore it from a backup, or remove it"  # the fix for a damaged file

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


def write_json(value: Any, path: Path, sealed: bool = False) -> None:
    """Writes a JSON file atomically, indented by two spaces, keys in their order; NaN is an error.

    Args:
        value: dictionaries, lists, texts and numbers; a dictionary if `sealed`.
        path: path of the file; an existing one is replaced.
        sealed: adds a checksum, by which `read_json` notices that the file was changed; for objects that nobody edits.
            Defaults to False.
    """
    if sealed:
        value = {**value, CHECKSUM: _checksum(value)}
    write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: Path, former_names: Names | None = None, fix: str = RESTORE_OR_REMOVE, form: Any = None) -> Any:
    """Reads a JSON file that medfold wrote; returns None if there is none. A checksum is compared and left out.

    Args:
        path: path of the file.
        former_names: table of `earlier_versions`: keys that had other names. Defaults to none.
        fix: what to do if the file is damaged, for the message. Defaults to restoring or removing it.
        form: the type that the contents must have, such as `dict[str, float]`, or a pydantic model of the keys that
            are needed. Defaults to any.

    Raises:
        UserError: the file is damaged, was changed although it has a checksum, or has another form.
    """
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise UserError("not JSON, or cut off", path, fix) from None
    if isinstance(value, dict) and CHECKSUM in value and value.pop(CHECKSUM) != _checksum(value):
        raise UserError("changed since medfold wrote it", path, fix)
    try:
        value = with_current_names(value, former_names or {})
    except ValueError as error:
        raise UserError(str(error), path, fix) from None
    if form is not None:
        check_form(value, form, path, fix)
    return value


def check_form(value: Any, form: Any, path: Path, fix: str = RESTORE_OR_REMOVE) -> None:
    """Checks the contents of a JSON file that medfold wrote.

    Args:
        value: the contents.
        form: their type, see `read_json`.
        path: path of the file, for the message.
        fix: what to do, for the message. Defaults to restoring or removing it.

    Raises:
        UserError: the contents are not of this type.
    """
    from pydantic import TypeAdapter, ValidationError  # slow import, and few files need it

    try:
        TypeAdapter(form).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        key = ".".join(map(str, error.errors()[0]["loc"]))
        what = f"the value of '{key}' is missing or is not what medfold writes" if key else "not what medfold writes"
        raise UserError(what, path, fix) from None


def _checksum(value: dict[str, Any]) -> str:
    return fingerprint(json.loads(json.dumps(value)), 32)


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
