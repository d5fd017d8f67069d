"""Archives from strangers: split, nested, damaged, hostile."""

import io
import os
import shutil
import struct
import tarfile
import zipfile

import pytest

from medfold.data.sources import archives
from medfold.data.sources.archives import unpack_archive
from medfold.errors import UserError
from tests.support.helpers import zipped


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def archive_of(folder, data, name="a.zip"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_archive_is_unpacked_with_its_folders(tmp_path, target):
    content = {"a.csv": b"1", "images/x/1.png": b"22"}
    unpack_archive(archive_of(tmp_path, zipped(content)), target)
    assert contents(target) == content


@pytest.mark.parametrize("how", [os.link, os.symlink, shutil.copy])
def test_a_file_that_stands_there_is_kept_and_never_written_to(tmp_path, target, capsys, how):
    mine = tmp_path / "mine.csv"
    mine.write_text("corrected by hand")
    how(mine, target / "train.csv")
    how(mine, target / "same.csv")
    content = {"train.csv": b"as it came", "same.csv": b"corrected by hand", "new.csv": b"new"}
    archive_of(target, zipped(content), "train.csv.zip").rename(target / "all.zip")
    unpack_archive(target / "all.zip", target)
    assert mine.read_text() == (target / "train.csv").read_text() == "corrected by hand"
    assert (target / "new.csv").read_bytes() == b"new"
    said = capsys.readouterr().out
    assert "1 file of all.zip exists already with other contents; kept: train.csv" in said
    assert list(target.glob(".*")) == []


def test_an_archive_that_breaks_off_leaves_no_half_file(tmp_path, target):
    data = zipped({"a.png": b"1", "b.png": b"2" * 3000})
    damaged = data.replace(b"2" * 3000, b"2" * 2999 + b"3")
    with pytest.raises(UserError, match="damaged archive"):
        unpack_archive(archive_of(tmp_path, damaged), target)
    assert contents(target) == {"a.png": b"1"}


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a/../../evil.txt", "c:\\evil.txt", "..\\evil.txt"])
def test_members_that_would_land_outside_are_refused(tmp_path, target, name):
    path = archive_of(tmp_path, zipped({"good.txt": b"x", name: b"x"}))
    with pytest.raises(UserError, match="unsafe member"):
        unpack_archive(path, target)
    assert contents(target) == {}


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o060644])  # a link, a pipe, a device
def test_only_files_and_folders_are_unpacked(tmp_path, target, mode):
    odd = zipfile.ZipInfo("odd")
    odd.external_attr = mode << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(odd, "/etc/passwd")
    with pytest.raises(UserError, match="unsafe member 'odd'"):
        unpack_archive(tmp_path / "a.zip", target)


def test_a_bomb_is_refused_by_what_it_claims(tmp_path, target, monkeypatch):
    monkeypatch.setattr(archives, "BOMB_BYTES", 10**6)
    bomb = zipped({"zeros": bytes(2 * 10**6)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match=r"an archive of .* kB that declares contents of 2 MB"):
        unpack_archive(archive_of(tmp_path, bomb), target)
    assert contents(target) == {}


def test_a_bomb_that_lies_about_its_size_is_cut_off(tmp_path, target):
    data = zipped({"zeros": bytes(10**7)}, zipfile.ZIP_DEFLATED)
    lying = data.replace(struct.pack("<I", 10**7), struct.pack("<I", 10))
    with pytest.raises(archives.DamagedArchiveError):
        unpack_archive(archive_of(tmp_path, lying), target)
    assert sum(map(len, contents(target).values())) <= 10


def test_too_little_room_is_told_before_the_first_file(tmp_path, target, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100}))
    with pytest.raises(UserError, match="the contents take 1 kB, 100 B are free.*the archive is kept"):
        unpack_archive(archive_of(tmp_path, zipped({"a": bytes(1000)})), target)
    assert contents(target) == {}


def test_truncated_corrupt_and_other_files_are_damaged(tmp_path, target):
    data = zipped({"a.txt": b"a" * 1000, "b.txt": b"b"})
    for damaged in (data[: len(data) // 2], data.replace(b"aaaa", b"aaba", 1), b"<html>403 Forbidden</html>", b""):
        with pytest.raises(archives.DamagedArchiveError, match="damaged archive"):
            unpack_archive(archive_of(tmp_path, damaged), target)


def test_a_password_is_told(tmp_path, target):
    data = bytearray(zipped({"a.txt": b"a"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UserError, match=r"'a.txt' needs a password.*FROM=folder"):
        unpack_archive(archive_of(tmp_path, bytes(data)), target)


def test_nested_archives_go_to_folders_of_their_names(target):
    archive_of(target, zipped({"1.png": b"1", "2.png": b"2"}), "train.zip")  # flat
    archive_of(target, zipped({"test/3.png": b"3"}), "test.zip")  # with the folder inside
    archive_of(target, zipped({"labels.csv": b"id"}), "labels.csv.zip")  # one file
    deep = zipped({"deeper.zip": zipped({"4.png": b"4"})})
    archive_of(target, zipped({"deep.zip": deep}), "more/outer.zip")
    archives.unpack_nested(target)
    assert contents(target) == {
        "train/1.png": b"1",
        "train/2.png": b"2",
        "test/3.png": b"3",
        "labels.csv": b"id",
        "more/outer/deep/deeper/4.png": b"4",
    }


def test_split_archives_are_joined(target):
    data = zipped({"train/1.png": bytes(range(256)) * 40, "train/2.png": b"2"})
    third = len(data) // 3
    for number, piece in enumerate((data[:third], data[third : 2 * third], data[2 * third :]), start=1):
        archive_of(target, piece, f"train.zip.{number:03}")
    archives.unpack_nested(target)
    assert contents(target) == {"train/1.png": bytes(range(256)) * 40, "train/2.png": b"2"}


def test_a_missing_part_is_named(target):
    for number in (1, 3):
        archive_of(target, b"x", f"train.zip.{number:03}")
    with pytest.raises(UserError, match=r"part train.zip.002 of a split archive is missing"):
        archives.unpack_nested(target)


def test_archives_without_end_are_refused(target):
    data = b"core"
    for depth in range(archives.MAX_NESTING + 1):
        data = zipped({f"{depth}.zip": data})
    archive_of(target, data)
    with pytest.raises(UserError, match="more than 3 deep"):
        archives.unpack_nested(target)


def test_an_archive_of_one_file_is_told_from_others(tmp_path):
    assert archives.is_zip_of(archive_of(tmp_path, zipped({"train.csv": b"1"})), "train.csv")
    assert not archives.is_zip_of(archive_of(tmp_path, zipped({"a/b.xml": b"1", "train.csv": b"1"})), "train.csv")
    assert not archives.is_zip_of(archive_of(tmp_path, b"id,label"), "train.csv")


def tarred(content, mode="w:gz", kind=tarfile.REGTYPE, size=None):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:
        for name, text in content.items():
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(text) if size is None else size, kind, "/etc/passwd"
            archive.addfile(info, io.BytesIO(text))
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.tar", "w:"), ("a.tar.gz", "w:gz"), ("A.TGZ", "w:gz"), ("a.tar.bz2", "w:bz2"), ("a.tar.xz", "w:xz")],
)
def test_tar_archives_are_unpacked_like_zip_ones(tmp_path, target, name, mode):
    content = {"a.csv": b"1", "images/x/1.png": b"22" * 9}
    unpack_archive(archive_of(tmp_path, tarred(content, mode), name), target)
    assert contents(target) == content
    archive_of(target, tarred({"inner/b.csv": b"3"}, mode), f"inner{name[1:]}")
    archives.unpack_nested(target)
    assert contents(target) == {**content, "inner/b.csv": b"3"}


@pytest.mark.parametrize("name", ["../out.csv", "/out.csv", "a/../../out.csv", "C:out.csv"])
def test_tar_members_that_would_land_outside_are_refused(tmp_path, target, name):
    archive = archive_of(tmp_path, tarred({"a.csv": b"1", name: b"2"}), "a.tar.gz")
    with pytest.raises(UserError, match="unsafe member"):
        unpack_archive(archive, target)
    assert not contents(target)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, target, kind):
    with pytest.raises(UserError, match="unsafe member"):
        unpack_archive(archive_of(tmp_path, tarred({"a.csv": b""}, kind=kind), "a.tar.gz"), target)


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_a_damaged_tar_is_one_line_and_leaves_no_half_file(tmp_path, target, mode):
    whole = tarred({f"{number}.bin": os.urandom(5000) for number in range(5)}, f"w:{mode}")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x55
    for data in (whole[: len(whole) // 2], whole[:-6], bytes(flipped), b"", b"nothing of the kind"):
        with pytest.raises(archives.DamagedArchiveError, match="damaged archive .*Download it again"):
            unpack_archive(archive_of(tmp_path, data, f"a.tar.{mode}"), target)
        assert all(len(content) == 5000 for content in contents(target).values())


def test_a_tar_that_claims_too_much_is_refused_before_it_is_unpacked(tmp_path, target, monkeypatch):
    monkeypatch.setattr(archives, "BOMB_BYTES", 10**5)
    archive = archive_of(tmp_path, tarred({"a.bin": bytes(10**6), "b.bin": bytes(10**6)}), "a.tar.gz")
    with pytest.raises(UserError, match="declares contents of"):
        unpack_archive(archive, target)
    assert not contents(target)
