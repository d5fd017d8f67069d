"""What `FROM=` names: a file, a folder or an archive on this machine."""

import os
import shutil
import zipfile
from pathlib import Path

from medfold.sources import archives


def take(given: Path, target: Path, name: str) -> None:
    """Puts `given` into the folder `target`: the contents of an archive or of a folder, or a single file as `name`.

    Files of a folder are hard-linked where the file system can, since raw data is never edited.

    Raises:
        UserError: a damaged archive, or one with members that would land outside `target`.
    """
    if given.is_dir():
        shutil.copytree(given, target, copy_function=_link_or_copy, dirs_exist_ok=True)
    elif archives.is_archive(given) or _is_nameless_zip(given):
        archives.unpack(given, target)
    else:
        shutil.copy2(given, target / name)


def _is_nameless_zip(given: Path) -> bool:
    """True for a zip archive whose name does not say so; others, such as tables in Excel, are zip archives inside."""
    return not given.suffix and zipfile.is_zipfile(given)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)


def link(given: Path, target: Path) -> None:
    """Fills the folder `target` with links to the files below `given`: nothing is copied, whatever the disks."""
    given = given.resolve()
    for folder, _, names in os.walk(given):
        here = target / Path(folder).relative_to(given)
        here.mkdir(parents=True, exist_ok=True)
        for name in names:
            (here / name).symlink_to(Path(folder) / name)
