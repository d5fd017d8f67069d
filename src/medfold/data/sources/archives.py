"""Archives from strangers, zip or tar: split, nested, damaged, hostile; unpacked inside their folder or not at all."""

import gzip
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from medfold import files
from medfold.console import format_size, warn
from medfold.errors import UserError, shorten_list
from medfold.progress import ProgressBar, progress_bar

PIECE = 1 << 20
UTF_8 = 0x800  # flag of a member of a zip archive
DEEPEST = 3  # archives within archives
# Images hardly shrink, tables to a tenth. What grows further than this is no data set.
BOMB_RATIO, BOMB_BYTES = 200, 10**9
ENDINGS = re.compile(r"(\.zip|\.tar|\.tgz|\.tar\.(gz|bz2|xz))$", re.I)  # of names of archives
DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    EOFError,
    zlib.error,
    NotImplementedError,
    UnicodeDecodeError,
    ValueError,
)


class DamagedArchiveError(UserError):
    """An archive whose contents are not what they were."""


class RefusedArchiveError(UserError):
    """An archive that is better left packed."""


@dataclass(frozen=True)
class _Member:
    """One file or folder in an archive.

    Args:
        name: as the archive has it.
        bytes: unpacked.
        is_folder: or a file.
        is_plain: a file or a folder, no link or device.
        is_secret: under a password.
        open: its contents, checked to the end.
    """

    name: str
    bytes: int
    is_folder: bool
    is_plain: bool
    is_secret: bool
    open: Callable[[], IO[bytes]]

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.name.replace("\\", "/"))


def is_archive(path: Path) -> bool:
    """True if a file is named like an archive, whatever is in it."""
    return bool(ENDINGS.search(path.name)) and path.is_file()


def unpack_archive(archive: Path, target: Path) -> None:
    """Unpacks an archive, the checksums of what it holds tested on the way.

    A file that stands where a member would go is kept, since it may have been corrected by hand and may be a link to
    the user's own; where the contents differ that is told.

    Raises:
        DamagedArchiveError: no archive, a cut-off one, or a bad checksum.
        RefusedArchiveError: a member with an absolute path, with `..` or that is a link; a password; contents far
            larger than the archive.
        UserError: too little room on the disk.
    """
    try:
        with _opened(archive) as (found, finish):
            members = _checked(found, archive, target)
            with progress_bar("unpack", sum(member.bytes for member in members), "bytes") as bar:
                differ = [member.name for member in members if not _extract(member, target / member.path, bar)]
            finish()
            if differ:
                told = f"{len(differ):,} files of {archive.name} stand there already with other contents"
                warn("unpack", f"{told}, and are kept as they stand: {shorten_list(differ)}")
    except DAMAGED as error:
        raise _damaged(archive, error) from None
    except OSError as error:
        if error.errno is None:  # bz2 raises such ones
            raise _damaged(archive, error) from None
        raise UserError(f"cannot unpack ({error.strerror or error})", target, "Then run the same again") from None


def _damaged(archive: Path, error: Exception) -> DamagedArchiveError:
    reason = str(error).splitlines()[0].rstrip(":") if str(error) else type(error).__name__
    return DamagedArchiveError(f"damaged archive ({reason})", archive, "Download it again")


@contextmanager
def _opened(archive: Path) -> Iterator[tuple[Iterable[_Member], Callable[[], None]]]:
    """The members of an archive, and what is to be called once all were read: it tests the rest."""
    if archive.suffix.lower() == ".zip" or zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield [_of_zip(opened, info) for info in opened.infolist()], lambda: None
        return
    with tarfile.open(archive) as opened:

        def finish() -> None:
            while opened.fileobj.read(PIECE):  # the checksum of the whole stands at its end
                pass

        yield (_of_tar(opened, info) for info in opened), finish


def _of_zip(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    plain = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG, stat.S_IFDIR)
    secret = bool(info.flag_bits & 1)
    return _Member(_name_in(info), info.file_size, info.is_dir(), plain, secret, lambda: opened.open(info))


def _name_in(info: zipfile.ZipInfo) -> str:
    """The name of a zip member, read as UTF-8 even where the archive does not say that it is."""
    if info.flag_bits & UTF_8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _of_tar(opened: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    plain = info.isreg() or info.isdir()
    return _Member(info.name, info.size, info.isdir(), plain, False, lambda: opened.extractfile(info))


def is_zip_of(archive: Path, name: str) -> bool:
    """True if a file is a zip archive of one file of that name."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.namelist() == [name]
    except zipfile.BadZipFile:
        return False


def unpack_nested(folder: Path) -> None:
    """Unpacks the archives within a folder, joining split ones (`train.zip.001`, `.002`, ...), and removes them.

    The contents of `train.zip` go to the folder `train/`; if they stand in a folder `train/` already, or are the one
    file `train`, they go beside the archive.
    """
    for _ in range(DEEPEST):
        _join(folder)
        for archive in _archives(folder):
            unpack_archive(archive, _place(archive))
            archive.unlink()
    if _archives(folder):
        raise RefusedArchiveError(f"archives stand more than {DEEPEST} deep in each other", folder)


def _archives(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if is_archive(path))


def _join(folder: Path) -> None:
    for first in sorted(folder.rglob("*.zip.001")):
        whole = first.with_suffix("")
        parts = sorted(path for path in first.parent.iterdir() if re.fullmatch(r"\.\d{3}", path.suffix))
        parts = [path for path in parts if path.stem == whole.name]
        expected = [f"{whole.name}.{number:03}" for number in range(1, len(parts) + 1)]
        if [path.name for path in parts] != expected:
            absent = next(name for name in expected if not first.with_name(name).is_file())
            raise UserError(f"part {absent} of a split archive is missing", first.parent, "Download it again")
        with files.atomic_write(whole) as temporary, temporary.open("wb") as joined:
            for path in parts:
                with path.open("rb") as part:
                    shutil.copyfileobj(part, joined, PIECE)
        for path in parts:
            path.unlink()


def _place(archive: Path) -> Path:
    name = ENDINGS.sub("", archive.name)
    try:
        with _opened(archive) as (members, _):
            tops = {member.path.parts[:1] for member in members} - {(), ("__MACOSX",)}
    except (*DAMAGED, OSError) as error:
        raise _damaged(archive, error) from None
    return archive.parent if tops == {(name,)} else archive.parent / name


def _checked(found: Iterable[_Member], archive: Path, target: Path) -> list[_Member]:
    """The members, once none of them is unsafe and there is room for all."""
    members, total = [], 0
    for member in found:  # of a compressed tar the next one is found by unpacking this one
        _check(member, archive)
        total += member.bytes
        _check_size(total, archive, target)
        members.append(member)
    return members


def _check(member: _Member, archive: Path) -> None:
    path = member.path
    outside = path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", member.name)
    if outside or not member.is_plain:
        raise RefusedArchiveError(
            f"unsafe member '{member.name}'", archive, "Nothing was unpacked; get it from its source"
        )
    if member.is_secret:
        fix = "Unpack it yourself; give FROM=folder"
        raise RefusedArchiveError(f"'{member.name}' is under a password", archive, fix)


def _check_size(total: int, archive: Path, target: Path) -> None:
    packed = archive.stat().st_size
    if total > max(BOMB_RATIO * packed, BOMB_BYTES):
        what = f"an archive of {format_size(packed)} that claims to hold {format_size(total)}"
        raise RefusedArchiveError(what, archive, "Nothing was unpacked; get it from its source")
    free = shutil.disk_usage(next(folder for folder in (target, *target.parents) if folder.is_dir())).free
    if total > free:
        what = f"too little room: the contents take {format_size(total)}, {format_size(free)} are free"
        raise UserError(what, target, "Make room and run the same command again; the archive is kept")


def _extract(member: _Member, path: Path, bar: ProgressBar) -> bool:
    """Unpacks a member; False if a file of other contents stands there, which is kept."""
    if member.is_folder:
        path.mkdir(parents=True, exist_ok=True)
        return True
    if path.is_file():
        return _equals(member, path, bar)
    with member.open() as packed, files.atomic_write(path) as temporary, temporary.open("wb") as file:
        while piece := packed.read(PIECE):
            file.write(piece)
            bar.advance(len(piece))
    return True


def _equals(member: _Member, path: Path, bar: ProgressBar) -> bool:
    same = path.stat().st_size == member.bytes
    with member.open() as packed, path.open("rb") as file:
        while piece := packed.read(PIECE):  # to its end, which tests its checksum
            same = same and file.read(len(piece)) == piece
            bar.advance(len(piece))
    return same
