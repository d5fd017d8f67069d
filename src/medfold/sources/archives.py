"""Zip archives from strangers: split, nested, damaged or hostile; unpacked inside their folder or not at all."""

import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from medfold import files
from medfold.errors import UserError, some
from medfold.terminal import Meter, size, warn

PIECE = 1 << 20
DEEPEST = 3  # archives within archives
# Images hardly shrink, tables to a tenth. What grows further than this is no data set.
BOMB_RATIO, BOMB_BYTES = 200, 10**9


class DamagedArchiveError(UserError):
    """An archive whose contents are not what they were."""


class RefusedArchiveError(UserError):
    """An archive that is better left packed."""


def unpack(archive: Path, target: Path) -> None:
    """Unpacks a zip archive, each member's checksum tested on the way.

    A file that stands where a member would go is kept, since it may have been corrected by hand and may be a link to
    the user's own; where the contents differ that is told.

    Raises:
        DamagedArchiveError: no archive, a cut-off one, or a bad checksum.
        RefusedArchiveError: a member with an absolute path, with `..` or that is a link; a password; contents far
            larger than the archive.
        UserError: too little room on the disk.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            for member in members:
                _check(member, archive)
            total = sum(member.file_size for member in members)
            _check_size(total, archive, target)
            with Meter("unpack", total) as meter:
                differ = [
                    member.filename
                    for member in members
                    if not _extract(opened, member, target / _relative(member), meter)
                ]
            if differ:
                told = f"{len(differ):,} files of {archive.name} stand there already with other contents"
                warn("unpack", f"{told}, and are kept as they stand: {some(differ)}")
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, UnicodeDecodeError, ValueError) as error:
        raise DamagedArchiveError(f"damaged archive ({error})", archive, "Download it again") from None
    except OSError as error:
        raise UserError(f"cannot unpack ({error.strerror or error})", target, "Then run the same again") from None


def holds_only(archive: Path, name: str) -> bool:
    """True if a file is a zip archive of one file of that name."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.namelist() == [name]
    except zipfile.BadZipFile:
        return False


def expand(folder: Path) -> None:
    """Unpacks the archives within a folder, joining split ones (`train.zip.001`, `.002`, ...), and removes them.

    The contents of `train.zip` go to the folder `train/`; if they stand in a folder `train/` already, or are the one
    file `train`, they go beside the archive.
    """
    for _ in range(DEEPEST):
        _join(folder)
        for archive in _archives(folder):
            unpack(archive, _place(archive))
            archive.unlink()
    if _archives(folder):
        raise RefusedArchiveError(f"archives stand more than {DEEPEST} deep in each other", folder)


def _archives(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".zip" and path.is_file())


def _join(folder: Path) -> None:
    for first in sorted(folder.rglob("*.zip.001")):
        whole = first.with_suffix("")
        parts = sorted(path for path in first.parent.iterdir() if re.fullmatch(r"\.\d{3}", path.suffix))
        parts = [path for path in parts if path.stem == whole.name]
        expected = [f"{whole.name}.{number:03}" for number in range(1, len(parts) + 1)]
        if [path.name for path in parts] != expected:
            absent = next(name for name in expected if not first.with_name(name).is_file())
            raise UserError(f"part {absent} of a split archive is missing", first.parent, "Download it again")
        with files.whole(whole) as temporary, temporary.open("wb") as joined:
            for path in parts:
                with path.open("rb") as part:
                    shutil.copyfileobj(part, joined, PIECE)
        for path in parts:
            path.unlink()


def _place(archive: Path) -> Path:
    name = archive.with_suffix("").name
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [_relative(member) for member in opened.infolist()]
    except zipfile.BadZipFile as error:
        raise DamagedArchiveError(f"damaged archive ({error})", archive, "Download it again") from None
    wrapped = all(member.parts[:1] == (name,) or member.parts[:1] == ("__MACOSX",) for member in members)
    return archive.parent if wrapped else archive.parent / name


def _relative(member: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(member.filename.replace("\\", "/"))


def _check(member: zipfile.ZipInfo, archive: Path) -> None:
    path, kind = _relative(member), stat.S_IFMT(member.external_attr >> 16)
    outside = path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", member.filename)
    if outside or kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RefusedArchiveError(
            f"unsafe member '{member.filename}'", archive, "Nothing was unpacked; get it from its source"
        )
    if member.flag_bits & 1:
        raise RefusedArchiveError(
            f"'{member.filename}' is under a password", archive, "Unpack it yourself; give FROM=folder"
        )


def _check_size(total: int, archive: Path, target: Path) -> None:
    packed = archive.stat().st_size
    if total > max(BOMB_RATIO * packed, BOMB_BYTES):
        what = f"an archive of {size(packed)} that claims to hold {size(total)}"
        raise RefusedArchiveError(what, archive, "Nothing was unpacked; get it from its source")
    free = shutil.disk_usage(next(folder for folder in (target, *target.parents) if folder.is_dir())).free
    if total > free:
        what = f"too little room: the contents take {size(total)}, {size(free)} are free"
        raise UserError(what, target, "Make room and run the same command again; the archive is kept")


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, meter: Meter) -> bool:
    """Unpacks a member; False if a file of other contents stands there, which is kept."""
    if member.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return True
    if path.is_file():
        return _equals(opened, member, path, meter)
    with opened.open(member) as packed, files.whole(path) as temporary, temporary.open("wb") as file:
        while piece := packed.read(PIECE):
            file.write(piece)
            meter.advance(len(piece))
    return True


def _equals(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, meter: Meter) -> bool:
    same = path.stat().st_size == member.file_size
    with opened.open(member) as packed, path.open("rb") as file:
        while piece := packed.read(PIECE):  # to its end, which tests its checksum
            same = same and file.read(len(piece)) == piece
            meter.advance(len(piece))
    return same
