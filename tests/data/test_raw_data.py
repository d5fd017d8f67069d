"""Raw data: obtained, kept, repaired and renewed; the sample table that is built from it."""

import shutil
from pathlib import Path

import pytest

from medfold.competition import Competition
from medfold.data import raw_data
from medfold.data.raw_data import fetch_raw_data, fetch_raw_files, load_samples
from medfold.tables import read_csv
from tests.support.helpers import refused, replaced
from tests.support.histology import HISTOLOGY, histology
from tests.support.small_project import add_competition


@pytest.fixture(scope="session")
def given_once(once):
    """A folder with the raw data of a small histology competition; only to be read."""

    def make(root):
        for name, data in histology(6, 4, "png")[0].items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(data)

    return once("raw histology", make)


@pytest.fixture
def competition(project_folder):
    add_competition(project_folder, "histology", HISTOLOGY)
    return Competition.open("histology")


@pytest.fixture
def downloaded(competition, given_once, capsys):
    """The histology competition with its raw data."""
    fetch_raw_data(competition, given_once)
    capsys.readouterr()
    return competition


def test_given_data_is_counted(competition, given_once, capsys):
    fetch_raw_data(competition, given_once)
    printed = capsys.readouterr().out
    assert "download   6 training and 4 test images, " in printed
    assert " in data/histology/raw, " in printed


def test_complete_data_is_kept_unless_forced(downloaded, given_once, capsys):
    before = downloaded.paths.raw_manifest.stat().st_mtime_ns
    fetch_raw_data(downloaded)
    printed = capsys.readouterr().out
    assert "download   complete: 12 files, " in printed
    assert "FORCE" not in printed
    fetch_raw_data(downloaded, given_once)
    assert "was not read: FORCE=1 replaces the data with it" in capsys.readouterr().out
    assert downloaded.paths.raw_manifest.stat().st_mtime_ns == before
    with refused(r"FROM=/not/there: no such file or folder\. Check the path"):
        fetch_raw_data(downloaded, Path("/not/there"))
    fetch_raw_data(downloaded, given_once, force=True)
    assert "6 training and 4 test images" in capsys.readouterr().out
    assert downloaded.paths.raw_manifest.stat().st_mtime_ns > before


def test_missing_file_is_named_with_the_command_that_gets_it(downloaded):
    (downloaded.paths.raw / "train_labels.csv").unlink()
    with refused(
        r"raw: 1 raw file is missing or changed: train_labels\.csv\. Run: make download COMPETITION=histology$"
    ):
        load_samples(downloaded)


def test_no_data_is_named_with_the_command_that_gets_it(competition, project_folder):
    with refused(r"^histology: no data yet\. Run: make download COMPETITION=histology$"):
        load_samples(competition)
    add_competition(project_folder, "mine", replaced(HISTOLOGY, ("kind: kaggle, slug: ", "kind: own} #")))
    with refused(r"^mine: no data yet\. Run: make download COMPETITION=mine FROM=folder-or-archive$"):
        load_samples(Competition.open("mine"))


def test_embedded_data_is_drawn_when_samples_are_first_loaded(small, capsys):
    samples = load_samples(small)
    assert f"{(samples['part'] == 'train').sum()} training and" in capsys.readouterr().out
    assert load_samples(small).equals(samples)
    assert capsys.readouterr().out == ""


def test_sample_table_is_built_again_if_it_is_missing(downloaded, capsys):
    before = downloaded.paths.samples.read_bytes()
    downloaded.paths.samples.unlink()
    assert len(load_samples(downloaded)) == 10
    assert capsys.readouterr().out == "samples    10 samples -> data/histology/samples.csv\n"
    assert downloaded.paths.samples.read_bytes() == before


def test_failure_leaves_no_folder(competition, tmp_path):
    (tmp_path / "empty").mkdir()
    with refused("contains no files"):
        fetch_raw_data(competition, tmp_path / "empty")
    assert not competition.paths.data.exists()


def test_second_copy_inside_the_first_is_noted(downloaded, given_once, capsys):
    add_competition(downloaded.project_paths.root, "nested", replaced(HISTOLOGY, ("images: {", "images: {root: set, ")))
    nested = Competition.open("nested")
    outer = downloaded.project_paths.root / "given"
    shutil.copytree(given_once, outer / "set")
    shutil.copytree(given_once, outer / "set" / "set")
    for name in ("train_labels.csv", "sample_submission.csv"):
        shutil.copy(given_once / name, outer)
    fetch_raw_data(nested, outer)
    assert "data/nested/raw/set/set is a second copy inside the first; it is not used" in capsys.readouterr().out


@pytest.fixture
def single_files(monkeypatch, given_once):
    """Makes single files come from the given folder instead of Kaggle."""

    def fetch_files(source, patterns):
        names = [name for name in patterns if (given_once / name).is_file()]
        for name in names:
            target = source._paths.raw / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(given_once / name, target)
        return names

    monkeypatch.setattr(raw_data.Source, "fetch_files", fetch_files)


def test_single_files_leave_data_incomplete_until_samples_can_be_read(competition, single_files, given_once, capsys):
    fetch_raw_files(competition, ["train_labels.csv"])
    printed = capsys.readouterr().out
    assert "download   1 requested file is in data/histology/raw; training needs more files (" in printed
    assert not competition.paths.raw_manifest.exists()
    images = sorted(path.relative_to(given_once).as_posix() for path in given_once.glob("t*/*.png"))
    fetch_raw_files(competition, ["sample_submission.csv", *images])
    assert "download   11 requested files are in data/histology/raw; complete for training" in capsys.readouterr().out
    assert len(read_csv(competition.paths.raw_manifest)) == 12


def test_single_file_of_nearly_complete_data_counts_what_is_missing(downloaded, single_files, capsys):
    for name in ("train_labels.csv", "sample_submission.csv"):
        (downloaded.paths.raw / name).unlink()
    fetch_raw_files(downloaded, ["train_labels.csv"])
    assert "data/histology/raw; 1 other is missing" in capsys.readouterr().out
    fetch_raw_files(downloaded, ["sample_submission.csv"])
    assert "data/histology/raw; complete" in capsys.readouterr().out
