"""Downloads of single files: names that match, staging, and the way into raw/."""

import pytest

from medfold.data.sources.kinds import SingleFiles
from medfold.data.sources.manifest import list_raw_files
from medfold.data.sources.single_files import SingleFileDownloads, match_files
from medfold.system import files
from medfold.tables import read_csv, write_csv
from tests.support.helpers import refused

NAMES = ["a.csv", "train/1.png", "train/2.png", "x.zip.001", "x.zip.002", "y.zip.001"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["train/*"], ["train/1.png", "train/2.png"]),
        (["a.csv", "*.csv"], ["a.csv"]),
        (["x.zip.002"], ["x.zip.002", "x.zip.001"]),  # one part of an archive is of no use
    ],
)
def test_names_that_match_a_pattern_are_returned_once(patterns, expected):
    assert match_files(patterns, NAMES) == expected


def test_pattern_without_a_file_is_refused():
    with refused(
        r"FILES=a.cvs: no file matches \(did you mean 'a.csv'\?\). Name files that there are: a.csv, train/1.png"
    ):
        match_files(["a.cvs"], NAMES)


@pytest.fixture
def downloads(small):
    """Downloads of files whose content is their name."""

    def fetch(name, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(name)

    return SingleFileDownloads(SingleFiles(dict, fetch), small.paths, "source own")


def test_files_are_moved_to_raw_and_listed_in_an_existing_manifest(downloads, small):
    paths = small.paths
    files.write_text("old", paths.raw / "a.csv")
    files.write_text("kept", paths.raw / "b.csv")
    write_csv(list_raw_files(paths.raw), paths.raw_manifest)
    for name in ("a.csv", "train/1.png"):
        downloads.fetch(name)
    assert (paths.raw / "a.csv").read_text() == "old"
    downloads.move_to_raw()
    assert (paths.raw / "a.csv").read_text() == "a.csv"
    assert read_csv(paths.raw_manifest).equals(list_raw_files(paths.raw))
    assert not paths.downloads.exists()


def test_nothing_is_moved_after_files_were_discarded(downloads, small):
    downloads.fetch("a.csv")
    downloads.discard()
    downloads.move_to_raw()
    assert not (small.paths.raw / "a.csv").exists()


@pytest.mark.parametrize("name", ["/etc/passwd", "train/../../a.csv"])
def test_name_that_leads_out_of_raw_is_refused(downloads, name):
    with refused("source own: unsafe file name"):
        downloads.fetch(name)
