"""OUT= is checked before the work: new files, in a folder that can be written to."""

import pytest

from medfold.commands.shared.output_file import check_output
from tests.support.helpers import refused


def test_folder_in_place_of_the_file_is_refused(tmp_path):
    with refused(r"a folder is where a file must be\. Name a file: OUT=file"):
        check_output(tmp_path, is_given=False)


def test_file_below_a_file_is_refused(tmp_path):
    (tmp_path / "a").write_text("")
    with refused(r"a: a file is where a folder must be"):
        check_output(tmp_path / "a" / "b.csv", is_given=True)


@pytest.mark.parametrize("name", ["mine.csv", "mine-explained"])
def test_nothing_of_the_user_is_written_over(tmp_path, name):
    (tmp_path / "mine.csv").write_text("") if name == "mine.csv" else (tmp_path / name).mkdir()
    paths = tmp_path / "mine.csv", tmp_path / "mine-explained"
    with refused(rf"{name}: exists already, and is not written over\. Choose another name in OUT, or remove it"):
        check_output(*paths, is_given=True)
    check_output(*paths, is_given=False)


def test_dangling_link_counts_as_a_file(tmp_path):
    (tmp_path / "mine.csv").symlink_to("nowhere")
    with refused("exists already"):
        check_output(tmp_path / "mine.csv", is_given=True)


def test_new_file_in_a_new_folder_is_accepted(tmp_path):
    check_output(tmp_path / "new" / "mine.csv", is_given=True)
    assert not (tmp_path / "new").exists()
