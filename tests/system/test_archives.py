"""Unpacking of archives: split, nested, damaged and hostile ones."""

import io
import os
import shutil
import struct
import tarfile
import zipfile

import pytest

from medfold.system import archives, limits
from medfold.system.archives import unpack_archive
from tests.support.helpers import refused, zipped


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def write_archive(folder, data, name="a.zip"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_unpack_archive_keeps_folders(tmp_path, target):
    content = {"a.csv": b"1", "images/x/1.png": b"22"}
    unpack_archive(write_archive(tmp_path, zipped(content)), target)
    assert contents(target) == content


@pytest.mark.parametrize("how", [os.link, os.symlink, shutil.copy])
def test_existing_files_are_kept_and_reported(tmp_path, target, capsys, how):
    mine = tmp_path / "mine.csv"
    mine.write_text("corrected by hand")
    how(mine, target / "train.csv")
    how(mine, target / "same.csv")
    content = {"train.csv": b"as it came", "same.csv": b"corrected by hand", "new.csv": b"new"}
    write_archive(target, zipped(content), "train.csv.zip").rename(target / "all.zip")
    unpack_archive(target / "all.zip", target)
    assert mine.read_text() == (target / "train.csv").read_text() == "corrected by hand"
    assert (target / "new.csv").read_bytes() == b"new"
    said = capsys.readouterr().out
    assert "1 file of all.zip exists already with other contents; kept: train.csv" in said
    assert list(target.glob(".*")) == []


def test_damaged_member_leaves_no_partial_file(tmp_path, target):
    data = zipped({"a.png": b"1", "b.png": b"2" * 3000})
    damaged = data.replace(b"2" * 3000, b"2" * 2999 + b"3")
    with refused("damaged archive"):
        unpack_archive(write_archive(tmp_path, damaged), target)
    assert contents(target) == {"a.png": b"1"}


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a/../../evil.txt", "c:\\evil.txt", "..\\evil.txt"])
def test_members_outside_the_target_are_refused(tmp_path, target, name):
    path = write_archive(tmp_path, zipped({"good.txt": b"x", name: b"x"}))
    with refused("unsafe member"):
        unpack_archive(path, target)
    assert contents(target) == {}


@pytest.mark.parametrize("name", ["", ".", "./."])
def test_members_without_a_name_are_refused(tmp_path, target, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("good.txt", b"x")
        file.writestr(zipfile.ZipInfo(name), b"x")
    with refused("unsafe member"):
        unpack_archive(tmp_path / "a.zip", target)
    assert contents(target) == {}


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o060644])  # a link, a pipe, a device
def test_links_pipes_and_devices_are_refused(tmp_path, target, mode):
    odd = zipfile.ZipInfo("odd")
    odd.external_attr = mode << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(odd, "/etc/passwd")
    with refused("unsafe member 'odd'"):
        unpack_archive(tmp_path / "a.zip", target)


def test_zip_bomb_is_refused_by_its_declared_size(tmp_path, target, monkeypatch):
    monkeypatch.setattr(limits, "BOMB_BYTES", 10**6)
    bomb = zipped({"zeros": bytes(2 * 10**6)}, zipfile.ZIP_DEFLATED)
    with refused(r"archives of .* kB that declare contents of 2 MB"):
        unpack_archive(write_archive(tmp_path, bomb), target)
    assert contents(target) == {}


def test_zip_bomb_with_false_size_is_cut_off(tmp_path, target):
    data = zipped({"zeros": bytes(10**7)}, zipfile.ZIP_DEFLATED)
    lying = data.replace(struct.pack("<I", 10**7), struct.pack("<I", 10))
    with pytest.raises(archives.DamagedArchiveError, match="damaged archive"):
        unpack_archive(write_archive(tmp_path, lying), target)
    assert sum(map(len, contents(target).values())) <= 10


def test_too_little_disk_space_raises_before_unpacking(tmp_path, target, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100}))
    with refused(r"a\.zip: no disk space for its contents: they take 1 kB, 100 B are free.*the archive is kept"):
        unpack_archive(write_archive(tmp_path, zipped({"a": bytes(1000)})), target)
    assert contents(target) == {}


def test_truncated_corrupt_and_other_files_raise_damaged(tmp_path, target):
    data = zipped({"a.txt": b"a" * 1000, "b.txt": b"b"})
    for damaged in (data[: len(data) // 2], data.replace(b"aaaa", b"aaba", 1), b"<html>403 Forbidden</html>", b""):
        with pytest.raises(archives.DamagedArchiveError, match="damaged archive"):
            unpack_archive(write_archive(tmp_path, damaged), target)


def test_encrypted_archive_is_refused(tmp_path, target):
    data = bytearray(zipped({"a.txt": b"a"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with refused(r"'a.txt' needs a password.*FROM=folder"):
        unpack_archive(write_archive(tmp_path, bytes(data)), target)


def test_nested_archives_are_unpacked_into_folders_of_their_names(target):
    write_archive(target, zipped({"1.png": b"1", "2.png": b"2"}), "train.zip")  # flat
    write_archive(target, zipped({"test/3.png": b"3"}), "test.zip")  # with the folder inside
    write_archive(target, zipped({"labels.csv": b"id"}), "labels.csv.zip")  # one file
    deep = zipped({"deeper.zip": zipped({"4.png": b"4"})})
    write_archive(target, zipped({"deep.zip": deep}), "more/outer.zip")
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
        write_archive(target, piece, f"train.zip.{number:03}")
    archives.unpack_nested(target)
    assert contents(target) == {"train/1.png": bytes(range(256)) * 40, "train/2.png": b"2"}


def test_missing_part_of_a_split_archive_is_named(target):
    for number in (1, 3):
        write_archive(target, b"x", f"train.zip.{number:03}")
    with refused(r"part train.zip.002 of a split archive is missing"):
        archives.unpack_nested(target)


def test_too_deeply_nested_archives_are_refused(target):
    data = b"core"
    for depth in range(archives.MAX_NESTING + 1):
        data = zipped({f"{depth}.zip": data})
    write_archive(target, data)
    with refused("more than 3 deep"):
        archives.unpack_nested(target)


def test_is_zip_of_recognises_archives_of_one_file(tmp_path):
    assert archives.is_zip_of(write_archive(tmp_path, zipped({"train.csv": b"1"})), "train.csv")
    assert not archives.is_zip_of(write_archive(tmp_path, zipped({"a/b.xml": b"1", "train.csv": b"1"})), "train.csv")
    assert not archives.is_zip_of(write_archive(tmp_path, b"id,label"), "train.csv")


def tar_bytes(content, mode="w:gz", kind=tarfile.REGTYPE, size=None):
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
def test_tar_archives_are_unpacked_also_if_nested(tmp_path, target, name, mode):
    content = {"a.csv": b"1", "images/x/1.png": b"22" * 9}
    unpack_archive(write_archive(tmp_path, tar_bytes(content, mode), name), target)
    assert contents(target) == content
    write_archive(target, tar_bytes({"inner/b.csv": b"3"}, mode), f"inner{name[1:]}")
    archives.unpack_nested(target)
    assert contents(target) == {**content, "inner/b.csv": b"3"}


@pytest.mark.parametrize("name", ["../out.csv", "/out.csv", "a/../../out.csv", "C:out.csv"])
def test_tar_members_outside_the_target_are_refused(tmp_path, target, name):
    archive = write_archive(tmp_path, tar_bytes({"a.csv": b"1", name: b"2"}), "a.tar.gz")
    with refused("unsafe member"):
        unpack_archive(archive, target)
    assert not contents(target)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, target, kind):
    with refused("unsafe member"):
        unpack_archive(write_archive(tmp_path, tar_bytes({"a.csv": b""}, kind=kind), "a.tar.gz"), target)


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_damaged_tar_raises_and_leaves_no_partial_file(tmp_path, target, mode):
    whole = tar_bytes({f"{number}.bin": os.urandom(5000) for number in range(5)}, f"w:{mode}")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x55
    for data in (whole[: len(whole) // 2], whole[:-6], bytes(flipped), b"", b"nothing of the kind"):
        with pytest.raises(archives.DamagedArchiveError, match="damaged archive .*Download it again"):
            unpack_archive(write_archive(tmp_path, data, f"a.tar.{mode}"), target)
        assert all(len(content) == 5000 for content in contents(target).values())


def test_tar_bomb_is_refused_before_unpacking(tmp_path, target, monkeypatch):
    monkeypatch.setattr(limits, "BOMB_BYTES", 10**5)
    archive = write_archive(tmp_path, tar_bytes({"a.bin": bytes(10**6), "b.bin": bytes(10**6)}), "a.tar.gz")
    with refused("declare contents of"):
        unpack_archive(archive, target)
    assert not contents(target)


def test_nested_archives_share_one_budget_of_bytes(tmp_path, target, monkeypatch):
    monkeypatch.setattr(limits, "BOMB_BYTES", 10**6)
    inner = {f"{name}.zip": zipped({"zeros": bytes(300_000)}, zipfile.ZIP_DEFLATED) for name in "abcde"}
    archive = write_archive(tmp_path, zipped(inner, zipfile.ZIP_DEFLATED))
    unpack_archive(archive, target)
    with refused(r"target/d\.zip: archives of .* that declare contents of 1\.2 MB"):
        archives.unpack_nested(target, archive.stat().st_size)
    assert sum(map(len, contents(target).values())) < 10**6


@pytest.mark.slow
def test_nested_archives_share_one_budget_of_files(tmp_path, target):
    inner = zipped({f"{number}": b"" for number in range(4000)})
    archive = write_archive(tmp_path, zipped({f"{name}.zip": inner for name in "abc"}, zipfile.ZIP_DEFLATED))
    unpack_archive(archive, target)
    with refused(r"target/c\.zip: archives of .* kB that declare more than 10,000 files"):
        archives.unpack_nested(target, archive.stat().st_size)
    assert len(contents(target)) == 8001  # with c.zip itself


@pytest.mark.slow
def test_many_small_files_of_a_large_archive_are_unpacked(tmp_path, target):
    archive = write_archive(tmp_path, zipped({f"{number:05}.txt": b"label" for number in range(12_000)}))
    unpack_archive(archive, target)
    assert len(contents(target)) == 12_000
