"""OUT= is checked before the work: a file, in a folder that can be written to."""

from medfold.commands.shared.output_file import check_output_file
from tests.support.helpers import refused


def test_new_and_existing_files_are_accepted(tmp_path):
    check_output_file(tmp_path / "new.csv")
    (tmp_path / "old.csv").write_text("id\n")
    check_output_file(tmp_path / "old.csv")


def test_folder_is_refused(tmp_path):
    with refused(r"a folder is where a file must be\. Name a file: OUT=file"):
        check_output_file(tmp_path)


def test_file_below_a_file_is_refused(tmp_path):
    (tmp_path / "old.csv").write_text("id\n")
    with refused("a file is where a folder must be"):
        check_output_file(tmp_path / "old.csv" / "new.csv")
