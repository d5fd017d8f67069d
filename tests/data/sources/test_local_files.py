"""Raw data that the user has: linked or unpacked into raw/."""

import os
from pathlib import Path

import pandas as pd
import pytest

from medfold.data import open_source
from medfold.data.sources import local_files
from tests.support.helpers import refused, zipped
from tests.support.sources import with_source


def test_mounted_folder_is_linked_and_its_archives_unpacked(small, tmp_path):
    mounted = tmp_path / "mounted"
    (mounted / "deep" / "deeper").mkdir(parents=True)
    (mounted / "deep" / "deeper" / "a.png").write_bytes(b"a")
    (mounted / "train.zip").write_bytes(zipped({"b.png": b"b"}))
    open_source(small).link(mounted)
    raw, manifest = small.paths.raw, pd.read_csv(small.paths.raw_manifest, keep_default_na=False)
    assert manifest["file"].tolist() == ["deep/deeper/a.png", "train/b.png"]
    assert manifest["bytes"].tolist() == [1, 1]
    assert set(manifest["sha256"]) == {""}  # linked files are not read
    assert (raw / "deep" / "deeper" / "a.png").is_symlink()
    assert (raw / "train" / "b.png").read_bytes() == b"b"
    assert (mounted / "train.zip").is_file()
    assert open_source(small).is_complete


def test_given_folder_is_hard_linked_not_copied(small, tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    with_source(small, kind="kaggle_dataset", slug="a/b").copy_from(folder)
    assert (small.paths.raw / "a.txt").stat().st_ino == (folder / "a.txt").stat().st_ino


def test_file_beside_its_archive_is_used_and_not_overwritten(small, tmp_path, capsys):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "train.csv").write_text("corrected by hand")
    (folder / "train.csv.zip").write_bytes(zipped({"train.csv": b"as it came"}))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for fill in (with_source(small, kind="kaggle_dataset", slug="a/b").copy_from, open_source(small).link):
        fill(folder)
        assert (small.paths.raw / "train.csv").read_text() == "corrected by hand"
        assert sorted(path.name for path in small.paths.raw.iterdir()) == ["train.csv"]
        assert "train.csv.zip exists already with other contents" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="needs /dev/null")  # noqa: PTH110
def test_device_is_refused_before_it_is_read(small, monkeypatch):
    monkeypatch.setattr(local_files.zipfile, "is_zipfile", pytest.fail)  # of /dev/zero, it reads without end
    with refused("FROM=/dev/null: neither a file nor a folder"):
        with_source(small, kind="kaggle_dataset", slug="a/b").copy_from(Path("/dev/null"))
