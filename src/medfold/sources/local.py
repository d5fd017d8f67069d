"""What `FROM=` names: a file, a folder or a zip archive on this machine."""

import os
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from medfold.errors import UserError
from medfold.terminal import progress


def take(given: Path, target: Path, name: str) -> None:
    """Puts `given` into the folder `target`: the contents of a zip or of a folder, or a single file as `name`.

    Files of a folder are hard-linked where the file system can, since raw data is never edited.

    Raises:
        UserError: a damaged archive, or one with members that would land outside `target`.
    """
    if given.is_dir():
        shutil.copytree(given, target, copy_function=_link_or_copy, dirs_exist_ok=True)
    elif zipfile.is_zipfile(given) and given.suffix != ".npz":
        unpack(given, target)
    elif given.suffix == ".zip":
        raise UserError("not a zip archive, or cut off", given, "Download it again")
    else:
        shutil.copy2(given, target / name)


def unpack(archive: Path, target: Path) -> None:
    """Unpacks a zip archive, each member's checksum tested on the way.

    Raises:
        UserError: a member with an absolute path, with `..` or that is a link; a bad checksum; a cut-off file.
    """
    try:
        with zipfile.ZipFile(archive) as opened, progress("files") as bar:
            members = opened.infolist()
            for member in members:
                _check(member, archive)
            for member in bar.track(members, description="", task_id=bar.add_task("", stage="unpack")):
                opened.extract(member, target)
    except (zipfile.BadZipFile, EOFError, zipfile.zlib.error) as error:
        raise UserError(f"damaged archive ({error})", archive, "Download it again") from None


def _check(member: zipfile.ZipInfo, archive: Path) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":"))
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        raise UserError(f"unsafe member '{member.filename}'", archive, "Nothing was unpacked; get it from its source")


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)
