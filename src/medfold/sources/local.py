"""What `FROM=` names: a file, a folder or a zip archive on this machine."""

import os
import shutil
import zipfile
from pathlib import Path

from medfold.errors import UserError
from medfold.sources import archives


def take(given: Path, target: Path, name: str) -> None:
    """Puts `given` into the folder `target`: the contents of a zip or of a folder, or a single file as `name`.

    Files of a folder are hard-linked where the file system can, since raw data is never edited.

    Raises:
        UserError: a damaged archive, or one with members that would land outside `target`.
    """
    if given.is_dir():
        shutil.copytree(given, target, copy_function=_link_or_copy, dirs_exist_ok=True)
    elif zipfile.is_zipfile(given) and given.suffix != ".npz":
        archives.unpack(given, target)
    elif given.suffix == ".zip":
        raise UserError("not a zip archive, or cut off", given, "Download it again")
    else:
        shutil.copy2(given, target / name)


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
