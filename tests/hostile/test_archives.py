"""Archives that grow, lead outside, or hold what the user has beside them, through make download."""

import io
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.helpers import zipped

pytestmark = pytest.mark.slow

ABSOLUTE = Path("/tmp/medfold-evil.txt")  # where an archive would write to


def nested_bomb(levels: int = 3, width: int = 6, megabytes: int = 60) -> bytes:
    data = zipped({"zeros.bin": bytes(megabytes * 10**6)}, zipfile.ZIP_DEFLATED)
    for level in range(levels):
        data = zipped({f"{level}-{number}.zip": data for number in range(width)}, zipfile.ZIP_DEFLATED)
    return data


def many_files() -> bytes:
    inner = zipped({f"{number}": b"" for number in range(9000)})
    return zipped({f"{number}.zip": inner for number in range(7)}, zipfile.ZIP_DEFLATED)


def deep() -> bytes:
    data = zipped({"id.csv": b"id"})
    for level in range(6):
        data = zipped({f"{level}.zip": data})
    return data


def odd_zip(name: str, mode: int = 0o100644, data: bytes = b"x") -> bytes:
    member = zipfile.ZipInfo(name)
    member.external_attr = mode << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("train.csv", "id,finding")
        archive.writestr(member, data)
    return file.getvalue()


def odd_tar(kind: bytes, name: str = "odd", target: str = "/etc/passwd") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        archive.addfile(member)
    return file.getvalue()


ARCHIVES = {
    "nested.zip": nested_bomb,
    "files.zip": many_files,
    "deep.zip": deep,
    "up.zip": lambda: odd_zip("../../outside/evil.txt"),
    "absolute.zip": lambda: odd_zip(str(ABSOLUTE)),
    "backslash.zip": lambda: odd_zip("..\\..\\outside\\evil.txt"),
    "link.zip": lambda: odd_zip("link", 0o120777, b"/etc/passwd"),
    "symlink.tar": lambda: odd_tar(tarfile.SYMTYPE),
    "hardlink.tar": lambda: odd_tar(tarfile.LNKTYPE),
    "device.tar": lambda: odd_tar(tarfile.CHRTYPE),
    "up.tar": lambda: odd_tar(tarfile.REGTYPE, "../../outside/evil.txt"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_hostile_archive_is_refused_and_nothing_is_kept(limited_victim, name):
    victim = limited_victim
    archive = victim.clone / name
    archive.write_bytes(ARCHIVES[name]())
    line = victim.refuse("download", f"FROM={archive}")
    assert "declare" in line or "unsafe member" in line or "nested more than" in line, line
    assert not (victim.clone / "data" / "clinic" / "raw").exists()
    assert not ABSOLUTE.exists()


def by_hand(victim):
    """train.csv corrected by hand beside the archive that it came in."""
    packed = zipped({"train.csv": b"id,patient,finding\nas,it,came\n"})
    (victim.given / "train.csv.zip").write_bytes(packed)


def split(victim):
    """The same in two parts."""
    packed = zipped({"train.csv": b"id,patient,finding\nas,it,came\n"})
    (victim.given / "train.csv.zip.001").write_bytes(packed[:50])
    (victim.given / "train.csv.zip.002").write_bytes(packed[50:])


def images_beside_their_archive(victim):
    with zipfile.ZipFile(victim.given / "train.zip", "w") as archive:
        archive.writestr("train/i00.png", b"other")
        archive.writestr("i01.png", b"other")


def in_a_tar(victim):
    with tarfile.open(victim.given / "all.tar", "w") as archive:
        archive.add(victim.given / "sample_submission.csv", "all/train.csv")


def another_case(victim):
    (victim.given / "TRAIN.CSV.zip").write_bytes(zipped({"train.csv": b"as it came"}))


@pytest.mark.parametrize("add", [by_hand, split, images_beside_their_archive, in_a_tar, another_case])
@pytest.mark.parametrize("target", ["download", "new"])
def test_files_of_the_user_are_never_overwritten(victim, add, target):
    add(victim)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in victim.given.rglob("*") if path.is_file()}
    words = ["COMPETITION=fresh"] if target == "new" else []
    assert victim.make(target, f"FROM={victim.given}", *words).code == 0
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before
    assert {path for path in victim.given.rglob("*") if path.is_file()} == set(before)


def test_damaged_archive_beside_its_folder_is_refused_and_both_stay(victim):
    (victim.given / "train.zip").write_bytes(zipped({"train/i00.png": bytes(500)})[:300])
    before = {path.name: path.read_bytes() for path in victim.given.rglob("*") if path.is_file()}
    assert "train.zip: damaged archive" in victim.refuse("download", f"FROM={victim.given}")
    assert {path.name: path.read_bytes() for path in victim.given.rglob("*") if path.is_file()} == before


@pytest.mark.skipif(not hasattr(os, "link"), reason="no hard links")
def test_honest_neighbours_work(victim):
    """A collection that is itself a link, and files that are hard links of a large collection."""
    big = victim.given.rename(victim.clone / "the big [collection] $1 'of' Müller")
    victim.given.symlink_to(big)
    assert victim.make("download", f"FROM={victim.given}").code == 0
    raw = victim.clone / "data" / "clinic" / "raw"
    assert (raw / "train" / "i00.png").stat().st_ino == (big / "train" / "i00.png").stat().st_ino
    assert victim.make("folds").code == 0


def git(folder, *words):
    author = ["-c", "user.name=a", "-c", "user.email=a@b"]
    return subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(not shutil.which("git"), reason="no git")
def test_competition_folder_in_a_work_tree_of_others_stays_clean(victim):
    """The clone is one of several work trees of a repository, and the competition folder a link into another one."""
    shared, main = victim.clone / "shared [of] the $team's Gruppe Ü", victim.clone.parent / "main"
    for repository in (shared, main):
        repository.mkdir()
        git(repository, "init", "--quiet")
        git(repository, "commit", "--quiet", "--allow-empty", "--message", "first")
    git(main, "worktree", "add", "--quiet", "--detach", str(victim.clone.parent / "tree"))
    shutil.move(victim.clone.parent / "tree" / ".git", victim.clone / ".git")  # a file, not a folder
    folder = victim.clone / "competition" / "clinic"
    shutil.move(folder, shared / "clinic")
    folder.symlink_to(shared / "clinic")
    git(shared, "add", "clinic")
    git(shared, "commit", "--quiet", "--message", "clinic")
    for target, words in {"download": [f"FROM={victim.given}"], "folds": []}.items():
        assert victim.make(target, *words).code == 0
    assert git(shared, "status", "--porcelain") == ""
    assert git(main, "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ['a "b" c', "a'b", "[a]*?", "$HOME", "Müller ß", "a;b&c", "#a", "~a", "a=b"])
def test_folder_of_an_odd_name_is_read(victim, name):
    given = victim.given.rename(victim.clone / name)
    assert victim.make("download", f"FROM={given}").code == 0
    raw = victim.clone / "data" / "clinic" / "raw"
    assert (raw / "train" / "i00.png").stat().st_ino == (given / "train" / "i00.png").stat().st_ino
