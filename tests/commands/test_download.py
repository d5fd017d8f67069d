"""make download: all raw files, or some of them."""

import pytest

from medfold.commands.download import download
from tests.support.helpers import refused


def test_all_raw_files_are_there_and_recorded(small):
    download(small)
    assert small.paths.raw_manifest.is_file()
    assert (small.paths.raw / "train.csv").is_file()
    assert small.paths.samples.is_file()


def test_second_download_keeps_the_files(small):
    download(small)
    before = (small.paths.raw / "train.csv").stat().st_mtime_ns
    download(small)
    assert (small.paths.raw / "train.csv").stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["nowhere", "nowhere.zip"])
def test_data_from_a_path_without_a_file_is_refused(small, tmp_path, name):
    with refused(f"{name}: no such file or folder"):
        download(small, path=tmp_path / name)


def test_files_of_a_source_without_a_list_are_refused(small):
    with refused("FILES: source phantom has no downloads of single files. Leave FILES out"):
        download(small, patterns=["train.csv"])
