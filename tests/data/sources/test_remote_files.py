"""Downloads into raw/: an archive that is unpacked, tried twice if it is damaged; single files, zipped or not."""

import zipfile

import pytest

from medfold.data.sources import remote_files
from medfold.data.sources.kinds import SourceFolders
from medfold.system import http_download
from tests.support.helpers import refused, zipped
from tests.support.sources import raw_files

CONTENT = {"train/a.png": b"a" * 100, "train.csv": b"id,label\na,1\n"}


@pytest.fixture
def folders(tmp_path):
    found = SourceFolders(tmp_path / "raw", tmp_path / "solution", tmp_path / "downloads")
    found.raw.mkdir()
    found.downloads.mkdir()
    return found


@pytest.fixture
def arriving(monkeypatch):
    """A list of what arrives: each download takes the next item. It also notes the expected ratio of sizes."""
    content, ratios = [], []

    def download_file(open_response, path, ratio=None):
        ratios.append(ratio)
        path.write_bytes(content.pop(0))

    monkeypatch.setattr(http_download, "download_file", download_file)
    return content, ratios


def fetch(folders):
    remote_files.fetch_archive(lambda: None, "histology", folders)


def test_archive_is_unpacked_and_kept(folders, arriving, capsys):
    archive = zipped(CONTENT)
    arriving[0].append(archive)
    fetch(folders)
    assert raw_files(folders) == CONTENT
    assert [path.name for path in folders.downloads.iterdir()] == ["histology.zip"]
    assert f"download   {len(archive)} B arrived" in capsys.readouterr().out
    assert arriving[1] == [remote_files.UNPACKED_RATIO]


def test_archive_that_is_there_is_not_downloaded_again(folders, arriving):
    (folders.downloads / "histology.zip").write_bytes(zipped(CONTENT))
    fetch(folders)
    assert raw_files(folders) == CONTENT
    assert arriving[1] == []


def test_damaged_archive_is_downloaded_once_more_into_an_empty_folder(folders, arriving, capsys):
    whole = zipped(CONTENT)
    # The checksum of its last file is wrong; its first file is not in the second archive.
    damaged = zipped({"old.txt": b"x", **CONTENT}).replace(b"id,label", b"id,lebal")
    arriving[0].extend([damaged, whole])
    fetch(folders)
    assert raw_files(folders) == CONTENT
    assert "; downloading it again" in capsys.readouterr().out


def test_archive_damaged_twice_is_refused_and_deleted(folders, arriving):
    arriving[0].extend([b"<html>", b"<html>"])
    with refused(r"histology: the archive arrived damaged twice \(.*\)\. .*name it: FROM=archive\.zip"):
        fetch(folders)
    assert list(folders.downloads.iterdir()) == []


def test_unsafe_archive_is_deleted_and_not_downloaded_again(folders, arriving, tmp_path):
    arriving[0].append(zipped({"../evil.txt": b"x"}))
    with refused("unsafe member"):
        fetch(folders)
    assert len(arriving[1]) == 1
    assert list(folders.downloads.iterdir()) == []
    assert list(tmp_path.rglob("evil.txt")) == []


@pytest.mark.parametrize(
    "sent",
    [b"id,label\n", zipped({"train.csv": b"id,label\n"}, zipfile.ZIP_DEFLATED)],
    ids=["as it is", "zipped by Kaggle"],
)
def test_file_arrives_under_its_name(folders, arriving, sent):
    arriving[0].append(sent)
    remote_files.fetch_file(lambda: None, folders.raw / "train.csv")
    assert raw_files(folders) == {"train.csv": b"id,label\n"}
    assert [path.name for path in folders.raw.iterdir()] == ["train.csv"]


def test_zip_file_of_another_content_stays_zipped(folders, arriving):
    archive = zipped(CONTENT)
    arriving[0].append(archive)
    remote_files.fetch_file(lambda: None, folders.raw / "train.zip")
    assert raw_files(folders) == {"train.zip": archive}
