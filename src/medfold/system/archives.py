"""Safe unpacking of untrusted zip and tar archives: split, nested, damaged or malicious ones."""

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

from medfold.errors import UserError, explain_os_error
from medfold.system import files
from medfold.system.limits import is_bomb
from medfold.system.path_checks import stays_below
from medfold.terminal.command_text import variable
from medfold.terminal.console import format_size, warn
from medfold.terminal.progress import ProgressBar, progress_bar
from medfold.text import count_of, shorten_list

CHUNK_BYTES = 1 << 20
UTF_8 = 0x800  # flag of a zip member: its name is UTF-8
MAX_NESTING = 3  # levels of archives within archives
MIN_FILES, MIN_PACKED_BYTES = 10_000, 10  # files of any download, and packed bytes for each file of a large one
EXTENSIONS = re.compile(r"(\.zip|\.tar|\.tgz|\.tar\.(gz|bz2|xz))$", re.I)  # those that mark an archive
DAMAGED_ARCHIVE_ERRORS = (
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
    """An archive that is damaged or incomplete."""


class RefusedArchiveError(UserError):
    """An archive that is unsafe to unpack."""


@dataclass(frozen=True)
class _Member:
    """One file or folder in an archive.

    Args:
        name: path of the member in the archive.
        bytes: unpacked size of the member.
        is_folder: True for a folder, False for a file.
        is_plain: True for a file or a folder, False for a link or a device.
        is_encrypted: True if it needs a password.
        open: opens its contents; reading them to the end tests the checksum.
    """

    name: str
    bytes: int
    is_folder: bool
    is_plain: bool
    is_encrypted: bool
    open: Callable[[], IO[bytes]]

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.name.replace("\\", "/"))


class UnpackingBudget:
    """The bytes and the files that the archives of one download may unpack to, together.

    So archives within archives cannot grow without end. Data sets of a million files and hundreds of gigabytes pass:
    they are not small when packed.

    Args:
        packed: bytes of the download.
    """

    def __init__(self, packed: int):
        self._packed = packed
        self._bytes, self._files = 0, 0

    def check(self, num_bytes: int, num_files: int, archive: Path) -> None:
        """Refuses the contents of an archive that exceed what is left.

        Args:
            num_bytes: bytes of the contents so far.
            num_files: files and folders so far.
            archive: the archive, for the message.

        Raises:
            RefusedArchiveError: there are too many bytes or files.
        """
        total, files_in_all = self._bytes + num_bytes, self._files + num_files
        if is_bomb(self._packed, total):
            found = f"contents of {format_size(total)}"
        elif files_in_all > max(MIN_FILES, self._packed // MIN_PACKED_BYTES):
            found = f"more than {files_in_all - 1:,} files"
        else:
            return
        what = f"archives of {format_size(self._packed)} that declare {found}"
        raise RefusedArchiveError(what, archive, "Nothing of it was unpacked; download it from its official source")

    def spend(self, num_bytes: int, num_files: int) -> None:
        """Subtracts the contents of an archive that was unpacked."""
        self._bytes += num_bytes
        self._files += num_files


def is_archive(path: Path) -> bool:
    """Returns True if there is a file and it is named like an archive; its contents are not checked."""
    return bool(EXTENSIONS.search(path.name)) and path.is_file()


def unpack_archive(archive: Path, target: Path, budget: UnpackingBudget | None = None) -> None:
    """Unpacks an archive into the folder `target` and tests the checksums of its members.

    Never overwrites a file: it may have been corrected by hand, and may be a link to the user's own file. Warns of
    existing files with other contents.

    Args:
        archive: a zip or tar archive.
        target: folder to fill.
        budget: of the download that the archive is a part of. Defaults to one of its own.

    Raises:
        DamagedArchiveError: not an archive, a truncated one, or a wrong checksum.
        RefusedArchiveError: a member with an absolute path, with `..` or that is a link; a password; contents
            beyond the budget.
        UserError: not enough disk space.
    """
    try:
        budget = budget or UnpackingBudget(archive.stat().st_size)
        with _open_members(archive) as (unchecked, finish):
            members = _check_members(unchecked, archive, target, budget)
            total = sum(member.bytes for member in members)
            budget.spend(total, len(members))
            with progress_bar("unpack", total, "bytes") as bar:
                differ = [member.name for member in members if not _extract(member, target / member.path, bar)]
            finish()
            if differ:
                name = archive.name
                existing = count_of(len(differ), f"file of {name} exists", f"files of {name} exist")
                warn("unpack", f"{existing} already with other contents; kept: {shorten_list(differ)}")
    except DAMAGED_ARCHIVE_ERRORS as error:
        raise _damaged(archive, error) from None
    except OSError as error:
        if error.errno is None:  # bz2 raises these for damaged data
            raise _damaged(archive, error) from None
        raise explain_os_error(error) from None


def _damaged(archive: Path, error: Exception) -> DamagedArchiveError:
    reason = str(error).splitlines()[0].rstrip(":") if str(error) else type(error).__name__
    return DamagedArchiveError(f"damaged archive ({reason})", archive, "Download it again")


@contextmanager
def _open_members(archive: Path) -> Iterator[tuple[Iterable[_Member], Callable[[], None]]]:
    """Opens an archive: its members, and a function to call after reading them all, which tests the rest."""
    if archive.suffix.lower() == ".zip" or zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield [_zip_member(opened, info) for info in opened.infolist()], lambda: None
        return
    with tarfile.open(archive) as opened:

        def finish() -> None:
            while opened.fileobj.read(CHUNK_BYTES):  # the checksum of the whole archive is at its end
                pass

        yield (_tar_member(opened, info) for info in opened), finish


def _zip_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    is_plain = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG, stat.S_IFDIR)
    is_encrypted = bool(info.flag_bits & 1)
    name = _decode_name(info)
    return _Member(name, info.file_size, name.endswith("/"), is_plain, is_encrypted, lambda: opened.open(info))


def _decode_name(info: zipfile.ZipInfo) -> str:
    """Returns the name of a zip member, decoded as UTF-8 if possible, even without the UTF-8 flag."""
    if info.flag_bits & UTF_8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _tar_member(opened: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    is_plain = info.isreg() or info.isdir()
    return _Member(info.name, info.size, info.isdir(), is_plain, False, lambda: opened.extractfile(info))


def is_zip_of(archive: Path, name: str) -> bool:
    """Returns True if a file is a zip archive that contains one file, of that name."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.namelist() == [name]
    except zipfile.BadZipFile:
        return False


def unpack_nested(folder: Path, packed: int | None = None) -> None:
    """Unpacks the archives in a folder and removes them; joins split ones first (`train.zip.001`, `.002`, ...).

    The contents of `train.zip` go to a folder `train/`. If the archive itself contains only a folder or file `train`,
    they go beside the archive.

    Args:
        folder: folder to search.
        packed: bytes of the download that filled the folder, for the budget. Defaults to those of the files in it.

    Raises:
        UserError: an archive that cannot be unpacked, a missing part of a split one, or too many nested levels.
    """
    budget = UnpackingBudget(size_of(folder) if packed is None else packed)
    for _ in range(MAX_NESTING):
        _join_parts(folder)
        for archive in _archives(folder):
            unpack_archive(archive, _target_folder(archive), budget)
            archive.unlink()
    if _archives(folder):
        fix = f"Unpack them by hand: {variable('FROM', 'folder')}"
        raise RefusedArchiveError(f"archives are nested more than {MAX_NESTING} deep", folder, fix)


def size_of(path: Path) -> int:
    """Returns the bytes of a file, or of all files below a folder."""
    return sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())


def _archives(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if is_archive(path))


def _join_parts(folder: Path) -> None:
    """Joins the parts of split archives and removes them."""
    for first in sorted(folder.rglob("*.zip.001")):
        archive = first.with_suffix("")
        parts = sorted(path for path in first.parent.iterdir() if re.fullmatch(r"\.\d{3}", path.suffix))
        parts = [path for path in parts if path.stem == archive.name]
        expected = [f"{archive.name}.{number:03}" for number in range(1, len(parts) + 1)]
        if [path.name for path in parts] != expected:
            missing = next(name for name in expected if not first.with_name(name).is_file())
            raise UserError(f"part {missing} of a split archive is missing", first.parent, "Download it again")
        with files.atomic_write(archive) as temporary, temporary.open("wb") as joined:
            for path in parts:
                with path.open("rb") as part:
                    shutil.copyfileobj(part, joined, CHUNK_BYTES)
        for path in parts:
            path.unlink()


def _target_folder(archive: Path) -> Path:
    """Returns the folder to unpack a nested archive into; see `unpack_nested`."""
    name = EXTENSIONS.sub("", archive.name)
    try:
        with _open_members(archive) as (members, _):
            top_level = {member.path.parts[:1] for member in members} - {(), ("__MACOSX",)}
    except (*DAMAGED_ARCHIVE_ERRORS, OSError) as error:
        raise _damaged(archive, error) from None
    return archive.parent if top_level == {(name,)} else archive.parent / name


def _check_members(unchecked: Iterable[_Member], archive: Path, target: Path, budget: UnpackingBudget) -> list[_Member]:
    """Returns the members as a list, after checking that all of them are safe and that the disk space is sufficient."""
    members = []
    total = 0
    for member in unchecked:  # lazy: a compressed tar is unpacked to find the next member
        _check_member(member, archive)
        total += member.bytes
        members.append(member)
        budget.check(total, len(members), archive)
    _check_disk_space(total, archive, target)
    return members


def _check_member(member: _Member, archive: Path) -> None:
    is_outside = not stays_below(member.path.as_posix()) or re.match("[A-Za-z]:", member.name)
    is_nameless = not member.path.parts and not member.is_folder
    if is_outside or is_nameless or not member.is_plain:
        raise RefusedArchiveError(
            f"unsafe member '{member.name}'", archive, "Nothing was unpacked; download it from its official source"
        )
    if member.is_encrypted:
        fix = f"Unpack it yourself, and name the folder: {variable('FROM', 'folder')}"
        raise RefusedArchiveError(f"'{member.name}' needs a password", archive, fix)


def _check_disk_space(total: int, archive: Path, target: Path) -> None:
    free = shutil.disk_usage(next(folder for folder in (target, *target.parents) if folder.is_dir())).free
    if total > free:
        what = f"no disk space for its contents: they take {format_size(total)}, {format_size(free)} are free"
        raise UserError(what, archive, "Free some and run the same command again; the archive is kept")


def _extract(member: _Member, path: Path, bar: ProgressBar) -> bool:
    """Unpacks a member; False if there is a file with other contents, which is kept."""
    if member.is_folder:
        path.mkdir(parents=True, exist_ok=True)
        return True
    if path.is_file():
        return _equals(member, path, bar)
    with member.open() as packed, files.atomic_write(path, durable=False) as temporary, temporary.open("wb") as file:
        while chunk := packed.read(CHUNK_BYTES):
            file.write(chunk)
            bar.advance(len(chunk))
    return True


def _equals(member: _Member, path: Path, bar: ProgressBar) -> bool:
    """Returns True if a file has the contents of a member."""
    same = path.stat().st_size == member.bytes
    with member.open() as packed, path.open("rb") as file:
        while chunk := packed.read(CHUNK_BYTES):  # read to its end, which tests its checksum
            same = same and file.read(len(chunk)) == chunk
            bar.advance(len(chunk))
    return same
