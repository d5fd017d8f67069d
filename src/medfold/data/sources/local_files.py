"""What `FROM=` names: a file, a folder or an archive on this machine."""

import os
import shutil
import zipfile
from pathlib import Path

from medfold.console import warn
from medfold.data.sources import archives
from medfold.data.sources.archives import unpack_archive
from medfold.errors import UserError, shorten_list


def copy_or_unpack(given: Path, target: Path, name: str) -> None:
    """Puts `given` into the folder `target`: the contents of an archive or of a folder, or a single file as `name`.

    Files of a folder are hard-linked where the file system can, since raw data is never edited.

    Raises:
        UserError: a damaged archive, or one with members that would land outside `target`.
    """
    if given.is_dir():
        _take_folder(given, target)
    elif archives.is_archive(given) or _is_nameless_zip(given):
        unpack_archive(given, target)
    else:
        shutil.copy2(given, target / name)


def _take_folder(given: Path, target: Path) -> None:
    left_out: list[str] = []

    def no_files(folder: str, names: list[str]) -> list[str]:
        """Links that lead nowhere or back to where they stand in, pipes and the like."""
        paths = {name: Path(folder, name) for name in names}
        odd = [name for name, path in paths.items() if not (path.is_file() or path.is_dir()) or _leads_back(path)]
        left_out.extend(str(Path(folder, name).relative_to(given)) for name in odd)
        return odd

    try:
        shutil.copytree(given, target, copy_function=_link_or_copy, dirs_exist_ok=True, ignore=no_files)
    except shutil.Error as error:
        source, _, reason = error.args[0][0]
        raise UserError(f"{len(error.args[0]):,} files cannot be copied ({reason})", source) from None
    except OSError as error:
        raise UserError(f"cannot be copied ({error.strerror})", given) from None
    if left_out:
        told = f"{len(left_out):,} links that lead nowhere or in circles, pipes or the like are left out"
        warn("download", f"{told}: {shorten_list(left_out)}")


def _leads_back(path: Path) -> bool:
    """True for a link to a folder that it stands in itself."""
    return path.is_symlink() and path.is_dir() and path.parent.resolve().is_relative_to(path.resolve())


def _is_nameless_zip(given: Path) -> bool:
    """True for a zip archive whose name does not say so; others, such as tables in Excel, are zip archives inside."""
    return not given.suffix and zipfile.is_zipfile(given)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)


def link_files(given: Path, target: Path) -> None:
    """Fills the folder `target` with links to the files below `given`: nothing is copied, whatever the disks."""
    given = given.resolve()
    for folder, _, names in os.walk(given):
        here = target / Path(folder).relative_to(given)
        here.mkdir(parents=True, exist_ok=True)
        for name in names:
            (here / name).symlink_to(Path(folder) / name)
