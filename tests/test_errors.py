"""Errors for users."""

import errno
import pickle
import shutil
from pathlib import Path

import pytest

from medfold.errors import MissingFileError, SettingError, UserError, explain_os_error


def test_user_error_has_place_problem_and_remedy():
    assert str(UserError("no column 'id'", "train.csv", "Add it")) == "train.csv: no column 'id'. Add it"
    assert str(UserError("no column 'id'")) == "no column 'id'"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (SettingError("wrong", "augment"), "augment: wrong"),
        (
            SettingError("wrong", "preparation.steps", "Correct it", "clahe"),
            "preparation.steps, clahe: wrong. Correct it",
        ),
        (MissingFileError(Path("train.csv"), "Check it"), "train.csv: no such file. Check it"),
        (MissingFileError(Path("a.csv"), "Check it", "labels.file"), "labels.file: a.csv: no such file. Check it"),
    ],
)
def test_errors_of_child_processes_arrive_as_they_were(error, line):
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) == line
    assert (type(copy), vars(copy)) == (type(error), vars(error))


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "a.npy"),
            "a.npy: there is no disk space left. Free some space, and",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "runs"),
            "runs: the disk is read-only. Write to another disk",
        ),
        (OSError(errno.EISDIR, "Is a directory", "x"), "x: a folder is where a file must be. Name a file"),
        (OSError(errno.EEXIST, "File exists", "x"), "x: a file is where a folder must be. Move it away"),
        (OSError(errno.EEXIST, "File exists", "/tmp"), "/tmp: a folder is there already. Move it away"),
        (OSError(errno.ENOENT, "No such file", "x"), "x: no such file or folder. Check the path and its permissions"),
        (
            shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]),
            "b: there is no disk space left.",
        ),
        (
            shutil.Error([("a", "b", "[Errno 5] Input/output error: 'a'")]),
            "a: the disk failed to read or write.",
        ),
    ],
)
def test_explain_os_error_names_file_and_remedy(error, line):
    assert str(explain_os_error(error)).startswith(line)


@pytest.mark.parametrize("error", [OSError("from a library"), ConnectionResetError(104, "reset")])
def test_explain_os_error_ignores_other_errors(error):
    assert explain_os_error(error) is None
