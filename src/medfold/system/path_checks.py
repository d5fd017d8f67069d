"""Checks of names and paths that others wrote, in YAML, JSON or a table: they must stay in their folder."""

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath

from medfold.errors import UserError

MAX_NAME_BYTES = 255  # limit of a file name on usual disks
LINKED_DATA = "MEDFOLD_LINKED_DATA"  # environment variable: the mounted folder that links in raw/ may lead to


def check_plain_name(name: str) -> str:
    """Returns a name that can only be that of a file or folder in the folder where it is used.

    Raises:
        ValueError: the name is empty, hidden or a path, or has a control character.
    """
    if "/" in name or "\\" in name or not name or name.startswith("."):
        raise ValueError(f"'{name}' is not a plain name: it must have no / or \\, and not begin with a point")
    return check_path_below(name)


def is_plain_name(name: object) -> bool:
    """Returns True for text that `check_plain_name` accepts."""
    try:
        return isinstance(name, str) and bool(check_plain_name(name))
    except ValueError:
        return False


def check_path_below(path: str, folder: str = "the folder") -> str:
    """Returns a path that can only lead to what is below the folder that it starts from, except by links.

    Args:
        path: a path with / between its parts; '' is the folder itself.
        folder: the folder, as text for the error message. Defaults to "the folder".

    Raises:
        ValueError: an absolute path, one with `..`, `~`, a backslash or a drive, or with a control character.
    """
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in path):
        raise ValueError(f"{path!r} has a control character; remove it")
    if "\\" in path:
        raise ValueError(f"'{path}' has a backslash; write / between folders")
    if not stays_below(path) or path.startswith("~") or PureWindowsPath(path).drive:
        raise ValueError(f"'{path}' must be a path below {folder}, without .. and ~")
    if any(len(part.encode()) > MAX_NAME_BYTES for part in path.split("/")):
        raise ValueError(f"'{path[:40]}...' has a name of more than {MAX_NAME_BYTES} letters")
    return path


def check_names_are_text(names: Iterable[str], folder: Path) -> None:
    """Checks that file names are UTF-8, as tables and all other files of medfold are.

    Args:
        names: names or paths below the folder.
        folder: the folder, for the error message.

    Raises:
        UserError: a name has other bytes.
    """
    for name in names:
        if not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name):
            shown = os.fsencode(name).decode(errors="replace")
            raise UserError(f"the name of a file is not UTF-8: {shown}", folder, "Rename it")


def stays_below(path: str) -> bool:
    """Returns True for a relative path without `..`, which leads out of no folder, except by links."""
    return not Path(path).is_absolute() and ".." not in Path(path).parts and not path.startswith("/")


def leads_into(path: Path, folder: Path) -> bool:
    """Returns True if a path leads to a folder or below it, with all links followed.

    Raises:
        OSError: links in a circle.
        ValueError: a zero byte.
    """
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def path_inside(folder: Path, name: str) -> Path:
    """Returns the path of a file in a folder, for a name that others wrote, and for a file that may be a link.

    Args:
        folder: the folder; it may be a link itself.
        name: path below it.

    Raises:
        UserError: the path, or a link on it, leads out of the folder; see `allow_links_into`.
    """
    path = folder / name
    if not stays_below(name):
        raise UserError(f"'{name}' leads out of this folder", folder, "Write a path below it, without ..")
    roots = [folder, *filter(None, [os.environ.get(LINKED_DATA)])]
    try:
        is_allowed = any(leads_into(path, Path(root)) for root in roots)
    except (OSError, ValueError) as error:  # a zero byte, links in a circle
        raise UserError(f"'{name}' is not a path ({error})", folder, "Correct it") from None
    if not is_allowed:
        fix = "Replace the link with the file itself; a hard link takes no space"
        raise UserError("a link that leads out of the folder of the data", path, fix)
    return path


def allow_links_into(folder: Path) -> None:
    """Allows links in raw/ that lead into a folder, such as the one where Kaggle mounts data.

    In this process, and in those that it starts.
    """
    os.environ[LINKED_DATA] = os.path.realpath(folder)
