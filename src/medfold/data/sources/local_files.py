"""Copying or linking raw data from this machine: the file, folder or archive that `FROM=` names."""

import os
import shutil
import zipfile
from pathlib import Path

from medfold.data.sources.links import check_links
from medfold.errors import CHECK_PATH, UserError
from medfold.raw_files import is_data_name
from medfold.system import archives
from medfold.system.archives import unpack_archive
from medfold.terminal.command_text import variable
from medfold.text import count_of


def existing_path(path: Path) -> Path:
    """Returns the path that FROM names, with the home folder for `~`.

    Raises:
        UserError: nothing is there.
    """
    path = path.expanduser()
    if not path.exists():
        raise UserError("no such file or folder", variable("FROM", path), "Check the path")
    return path


def copy_or_unpack(path: Path, target: Path, name: str) -> None:
    """Puts `path` into the folder `target`: the contents of an archive or of a folder, or a single file as `name`.

    Files of a folder are hard-linked where the file system allows it, since raw data is never edited. Hidden files, and
    those of the operating system, are left out.

    Raises:
        UserError: files that cannot be copied, links that `check_links` refuses, a damaged archive, one with members
            outside of `target`, or neither a file nor a folder.
    """
    if path.is_dir():
        _copy_folder(path, target)
    elif not path.is_file():  # a device, a pipe
        raise UserError("neither a file nor a folder", variable("FROM", path), CHECK_PATH)
    elif archives.is_archive(path) or _is_zip_without_extension(path):
        unpack_archive(path, target)
    else:
        shutil.copy2(path, target / name)


def _copy_folder(root: Path, target: Path) -> None:
    if target.resolve().is_relative_to(root.resolve()):
        what = "this folder contains the folder that it would be copied to"
        raise UserError(what, variable("FROM", root), "Name the folder that holds the raw files only")
    check_links(root)
    try:
        shutil.copytree(root, target, copy_function=_link_or_copy, dirs_exist_ok=True, ignore=_names_of_no_data)
    except shutil.Error as error:
        source, _, reason = error.args[0][0]
        what = f"{count_of(len(error.args[0]), 'file')} cannot be copied ({reason})"
        raise UserError(what, Path(source), CHECK_PATH) from None
    except OSError as error:
        raise UserError(f"cannot be copied ({error.strerror})", root, CHECK_PATH) from None


def _names_of_no_data(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not is_data_name(name)]


def _is_zip_without_extension(path: Path) -> bool:
    """Returns True for a zip archive without an extension; with one, it may be an Excel table, also a zip archive."""
    return not path.suffix and zipfile.is_zipfile(path)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)


def link_files(source: Path, target: Path) -> None:
    """Fills the folder `target` with symbolic links to the files below `source`, in the same folders."""
    source = source.resolve()
    for folder, _, names in os.walk(source):
        target_folder = target / Path(folder).relative_to(source)
        target_folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (target_folder / name).symlink_to(Path(folder) / name)
