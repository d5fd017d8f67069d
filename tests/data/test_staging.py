"""Raw data that the user gives by FROM: kept only if it is accepted."""

import shutil
from pathlib import Path

import pytest

from medfold.cli.opening import open_competition
from medfold.commands.download import download
from medfold.competition import Competition
from medfold.data.staging import staged_data
from medfold.errors import CHECK_COMPLETE, MissingFileError, UserError
from medfold.terminal.command_text import variable
from tests.support.helpers import refused
from tests.support.histology import HISTOLOGY, histology
from tests.support.small_project import add_competition


@pytest.fixture
def given(project_folder):
    """The files of a competition, in a folder of the user."""
    add_competition(project_folder, "histology", HISTOLOGY)
    for name, content in histology(12, 4, "png")[0].items():
        path = project_folder / "given" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return project_folder / "given"


def contents(root):
    """The contents of all files, without locks."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"}


def break_labels(given):
    (table,) = (path for path in given.glob("*.csv") if "label" in path.name)
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0].replace("label", "lable"), *lines[1:]]) + "\n")


def test_refused_data_leaves_nothing_and_names_the_file_of_the_user(given, project_folder):
    break_labels(given)
    before = contents(project_folder)
    message = r"competition.yaml: 'labels.targets': .*csv has no column 'label'"
    with refused(message), open_competition("histology") as competition:
        download(competition, given)
    assert contents(project_folder) == before
    assert not (project_folder / "data").exists()
    image = next(given.rglob("*.png"))
    image.unlink()
    shutil.rmtree(given / "train")
    with pytest.raises(UserError) as caught:
        download(Competition.open("histology"), given)
    assert ".tmp" not in str(caught.value)


def test_refused_data_does_not_replace_what_was_there(given, project_folder):
    competition = Competition.open("histology")
    download(competition, given)
    before = contents(project_folder / "data")
    other = shutil.copytree(given, project_folder / "other")
    break_labels(other)
    with refused("has no column 'label'"):
        download(competition, other, force=True)
    assert contents(project_folder / "data") == before
    assert not [path for path in project_folder.rglob("*") if path.name.endswith(".tmp")]
    download(competition, given, force=True)
    assert contents(project_folder / "data") == before


@pytest.mark.parametrize("folder", [".", "data", "data/histology"])
def test_a_folder_is_not_copied_into_itself(given, project_folder, folder):
    download(Competition.open("histology"), given)
    before = contents(project_folder)
    with refused(f"FROM={folder}: this folder contains the folder that it would be copied to"):
        download(Competition.open("histology"), Path(folder), force=True)
    assert contents(project_folder) == before


def test_files_of_the_user_are_linked_and_stay(given, project_folder):
    before = contents(given)
    competition = Competition.open("histology")
    download(competition, given)
    assert contents(given) == before
    image = next(given.rglob("*.png"))
    assert image.samefile(competition.paths.raw / image.relative_to(given))


def test_errors_name_the_files_as_they_were_given(small, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    with pytest.raises(UserError) as caught, staged_data(small.paths, given) as staged:
        raise UserError("damaged", staged.raw / "a.csv", CHECK_COMPLETE)
    assert str(caught.value) == f"{given / 'a.csv'}: damaged. Check that {variable('FROM', given)} holds all files"
    assert not small.paths.data.exists() or not list(small.paths.data.iterdir())


def test_one_file_instead_of_the_folder_is_explained(small, tmp_path):
    given = tmp_path / "train.csv"
    given.write_text("id,target\n")
    with pytest.raises(UserError) as caught, staged_data(small.paths, given) as staged:
        raise MissingFileError(staged.raw / "test.csv", CHECK_COMPLETE)
    message = f"{variable('FROM', given)}: one file; test.csv is missing. Name the folder or archive with all files"
    assert str(caught.value) == message


@pytest.mark.parametrize("folder", ["raw", ".raw.4fb352-12-0123abcd.tmp"])
@pytest.mark.parametrize(("name", "shown"), [("mine.zip", "mine.zip, train.zip"), ("mine", "mine/train.zip")])
def test_path_of_a_copy_is_shown_as_that_of_the_user(small, tmp_path, folder, name, shown):
    given = tmp_path / name
    given.touch() if given.suffix else given.mkdir()
    with pytest.raises(UserError) as caught, staged_data(small.paths, given) as staged:
        raise UserError("damaged", staged.raw.with_name(folder) / "train.zip")
    assert str(caught.value) == f"{tmp_path / shown}: damaged"
