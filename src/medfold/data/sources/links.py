"""Links and special files in a folder of the user: those that are not data of that folder are refused."""

import os
from collections.abc import Iterator
from pathlib import Path

from medfold.errors import UserError
from medfold.raw_files import is_data_name
from medfold.text import shorten_list


def check_links(root: Path) -> None:
    """Checks that every link below a folder leads to a file or folder within it, and that all else is plain.

    So a folder of somebody else brings in only its own files. The folder itself may be a link. Hidden files and those
    of the operating system are not looked at, since they are not data.

    Args:
        root: an existing folder.

    Raises:
        UserError: a link that leads out of the folder, to nothing, or to a folder that contains it; a link to a folder
            within a linked folder; a pipe, device or socket.
    """
    refused: dict[str, list[str]] = {}
    for folder, subfolders, names in os.walk(root, followlinks=True):
        subfolders[:] = sorted(filter(is_data_name, subfolders))
        for path in _special_paths(folder, [*subfolders, *sorted(filter(is_data_name, names))]):
            if reason := _reason_to_refuse(path, root):
                refused.setdefault(reason, []).append(path.relative_to(root).as_posix())
                if path.name in subfolders:
                    subfolders.remove(path.name)
    if refused:
        reason, names = next(iter(refused.items()))
        fix = "Replace each with the file itself, or remove it; nothing was read"
        raise UserError(f"has {reason}: {shorten_list(names)}", root, fix)


def _special_paths(folder: str, names: list[str]) -> Iterator[Path]:
    """Yields the paths that are links or neither files nor folders, which are few; most are checked by one lstat."""
    for name in names:
        path = Path(folder, name)
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            yield path


def _reason_to_refuse(path: Path, root: Path) -> str | None:
    """Returns why a link or special file is refused, as text for the message; None if it is not."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "links to nothing"
    if not target.is_relative_to(root.resolve()):
        return "links out of this folder"
    if target.is_file():
        return None
    if not target.is_dir():
        return "pipes, devices or sockets"
    above = [parent for parent in path.parents if parent != root and parent.is_relative_to(root)]
    if any(parent.resolve().is_relative_to(target) for parent in (root, *above)):
        return "links to a folder that contains them"
    if any(parent.is_symlink() for parent in above):  # else few links would stand for any number of files
        return "links to folders within linked folders"
    return None
