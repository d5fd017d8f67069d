"""The files of a folder of raw data, without hidden files and files of the operating system."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from medfold.system.path_checks import path_inside
from medfold.text import shorten_list

# Files of operating systems. Hidden files and folders (.ipynb_checkpoints, ._name, .DS_Store) are not data either.
NOT_DATA = {"__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir", "$RECYCLE.BIN", "System Volume Information"}


def list_files(raw: Path, folder: str = "", exclude: Iterable[str] = ()) -> list[str]:
    """Lists the files below raw/, or below a folder in it, without hidden files and files of the operating system.

    Args:
        raw: folder of the raw data.
        folder: subfolder of `raw`. Defaults to all of it.
        exclude: patterns of paths to leave out, as in images.exclude: `*_mask.png`, `masks/*`. Defaults to none.

    Returns:
        Paths below `raw`, sorted.

    Raises:
        UserError: a link that leads out of `raw`.
    """
    found = []
    for path in path_inside(raw, folder).rglob("*"):
        name = path.relative_to(raw).as_posix()
        if path.is_file() and all(map(is_data_name, name.split("/"))) and not is_excluded(name, exclude):
            found.append(name)
            if path.is_symlink():
                path_inside(raw, name)  # refuses a link that leads out
    return sorted(found)


def is_data_name(name: str) -> bool:
    """Returns False for the name of a hidden file or folder, and for one of the operating system."""
    return not name.startswith(".") and name not in NOT_DATA


def is_excluded(path: str, exclude: Iterable[str]) -> bool:
    """Returns True if a path matches one of the patterns; `*` matches any characters, including `/`."""
    return any(fnmatchcase(path, pattern) for pattern in exclude)


def found_folders(all_files: list[str]) -> str:
    """Lists the folders that hold files, as text for an error message."""
    folders = sorted({path.rpartition("/")[0] or "." for path in all_files})
    return f"Folders found: {shorten_list(folders, 5)}"
