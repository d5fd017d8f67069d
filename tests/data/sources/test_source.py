"""Sources: options, completeness, archives and folders given with FROM=, addresses, linked folders."""

import hashlib
import zipfile
from dataclasses import replace

import pandas as pd
import pytest

from medfold.data.sources.kinds import SingleFiles
from medfold.data.sources.source import Source
from medfold.errors import UserError
from tests.support.helpers import refused
from tests.support.sources import with_source


def test_unknown_kind_or_option_is_refused(small):
    with refused("unknown source.kind 'phantoms' .did you mean 'phantom'"):
        with_source(small, kind="phantoms")
    with refused("unknown key 'sead' .did you mean 'seed'"):
        with_source(small, kind="phantom", sead=3)


def test_failed_fetch_keeps_the_old_data(small, monkeypatch):
    source = Source(small.facts.source, small.paths)
    source.fetch()

    def broken(options, into):
        (into.raw / "half.png").touch()
        raise UserError("cut off")

    monkeypatch.setattr(source, "kind", replace(source.kind, fetch=broken))
    with refused("^cut off"):
        source.fetch()
    assert source.is_complete
    assert not list(small.paths.data.glob("**/half.png"))
    assert not list(small.paths.data.glob(".raw*.tmp"))


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "some archive.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("set/train/a.txt", "a" * 1000)
        file.writestr("set/b.txt", "b")
    return path


def test_from_accepts_an_archive_or_its_folder(small, archive, tmp_path):
    source = with_source(small, kind="kaggle_dataset", slug="a/b")
    manifest = source.copy_from(archive)
    assert manifest[["file", "bytes"]].to_numpy().tolist() == [["set/b.txt", 1], ["set/train/a.txt", 1000]]
    assert manifest["sha256"][0] == hashlib.sha256(b"b").hexdigest()
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "unpacked")
    pd.testing.assert_frame_equal(source.copy_from(tmp_path / "unpacked"), manifest)
    with refused("no such file or folder"):
        source.copy_from(tmp_path / "nowhere.zip")


def test_damaged_archive_is_refused(small, archive):
    source = with_source(small, kind="kaggle_dataset", slug="a/b")
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with refused("damaged archive .*Download it again"):
        source.copy_from(archive)
    archive.write_bytes(whole.replace(b"aaaa", b"aaba", 1))
    with refused("damaged archive"):
        source.copy_from(archive)
    assert not small.paths.raw.exists()


@pytest.fixture
def single_files(small, monkeypatch):
    """A source with three single files; `fetched` lists those that were downloaded."""
    fetched = []

    def fetch(name, target):
        fetched.append(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(name)

    source = Source(small.facts.source, small.paths)
    access = SingleFiles(lambda: {name: len(name) for name in ("train/a.png", "b.csv", "c.csv")}, fetch)
    monkeypatch.setattr(Source, "single_files", lambda self: access)
    source.fetched = fetched
    return source


@pytest.mark.parametrize(("most", "is_warned"), [(3, False), (2, True)])
def test_many_single_files_are_warned_of(single_files, monkeypatch, capsys, most, is_warned):
    monkeypatch.setattr("medfold.data.sources.source.MAX_SINGLE_FILES", most)
    single_files.fetch_files(["*.csv", "train/*"])
    text = "3 files one by one take long; without FILES they are downloaded as one archive"
    assert (text in capsys.readouterr().out) is is_warned


def test_single_files_that_are_there_are_not_fetched_again(single_files, small, capsys):
    assert single_files.fetch_files(["b.csv"]) == ["b.csv"]
    assert sorted(single_files.fetch_files(["*.csv", "train/a.png"])) == ["b.csv", "c.csv", "train/a.png"]
    assert sorted(single_files.fetched) == ["b.csv", "c.csv", "train/a.png"]
    assert "b.csv, 1 of 3, exists already" in capsys.readouterr().out
    (small.paths.raw / "b.csv").write_text("another size")
    single_files.fetch_files(["b.csv"])
    assert (small.paths.raw / "b.csv").read_text() == "b.csv"
