"""Errors whose message is written for the user, and the exit code of Ctrl-C."""

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from medfold.project_root import display_path

INTERRUPTED = 130  # exit code of Ctrl-C: 128 and the number of the signal


class OsProblem(NamedTuple):
    """What an error number of the operating system means, and what to do."""

    what: str
    fix: str


CHECK_PATH = "Check the path and its permissions"  # the fix for a file that cannot be read
# Fixes for raw files; they suit data that medfold downloaded, and data of the user.
COMPLETE_DATA = "the data is complete"  # `data.staging` names the folder or archive of the user instead
CHECK_COMPLETE = f"Check that {COMPLETE_DATA}"
REPLACE = "Replace it with an undamaged copy"
FULL = OsProblem("there is no disk space left", "Free some space, and run the same command again to continue")
READ_ONLY = OsProblem("the disk is read-only", "Write to another disk, or mount this one for writing")
NO_PERMISSION = OsProblem("permission denied", CHECK_PATH)
NO_LOCKS = OsProblem("the disk has no file locks, like some network drives", "Move the project to a local disk")
FILE_IN_PLACE = OsProblem("a file is where a folder must be", "Move it away")
FOLDER_IN_PLACE = OsProblem("a folder is there already", "Move it away")
OS_PROBLEMS = {
    errno.ENOENT: OsProblem("no such file or folder", CHECK_PATH),
    errno.ENAMETOOLONG: OsProblem(
        "the name is too long for this disk", "Use a shorter name, or a shorter path to the project"
    ),
    errno.ESTALE: OsProblem("the network drive no longer answers", "Connect it again"),
    errno.ENOSPC: FULL,
    errno.EDQUOT: OsProblem("your quota on this disk is used up", FULL.fix),
    errno.EFBIG: OsProblem(
        "the file would be larger than the disk or ulimit -f allows", "Use another disk, or raise it"
    ),
    errno.EROFS: READ_ONLY,
    errno.EACCES: NO_PERMISSION,
    errno.EPERM: NO_PERMISSION,
    errno.ENOLCK: NO_LOCKS,
    errno.EOPNOTSUPP: NO_LOCKS,
    errno.EEXIST: FILE_IN_PLACE,
    errno.ENOTDIR: FILE_IN_PLACE,
    errno.EISDIR: OsProblem("a folder is where a file must be", "Name a file"),
    errno.EMFILE: OsProblem("this process has too many open files", "Raise the limit with: ulimit -n 4096"),
    errno.EIO: OsProblem("the disk failed to read or write", "Check the disk; a copy of the file may help"),
}
WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # concern the target of a copy, never its source


class UserError(Exception):
    """A problem that the user can solve: what is wrong, where, and what to do.

    The command line prints it as one line and exits with code 2; `--debug` shows the traceback. A command that fails
    after it has found something sets `result`, for output as JSON.

    Args:
        what: what is wrong, in one clause.
        where: file, row or key with the problem; a path is shown as by `display_path`. A place in a file follows a
            colon: "train.csv: row 4, column 'id'", "competition.yaml: 'labels.id'". Defaults to none.
        fix: what to do, as an imperative or a command. Defaults to none.
    """

    result: object = None

    def __init__(self, what: str, where: object = None, fix: str | None = None):
        super().__init__(what, where, fix)
        self.what, self.where, self.fix = what, where, fix

    def __str__(self) -> str:
        where = display_path(self.where) if isinstance(self.where, Path) else self.where
        line = f"{where}: {self.what}" if where is not None else self.what
        text = f"{line}. {self.fix}" if self.fix else line
        return re.sub(r"\s*\n\s*", " ", text)  # messages of libraries may have several lines


class SettingError(UserError):
    """A wrong value of a key in competition.yaml or a recipe.

    It is raised where the file with the key is not known; `competition.setting_errors_located`, around every command,
    adds it.

    Args:
        what: what is wrong, in one clause.
        key: the key, such as `preparation.steps`.
        fix: what to do, as an imperative or a command. Defaults to none.
        item: what has the problem: an item of a list, such as `clahe`, or what is trained, such as `fold 0`. Defaults
            to none.
    """

    def __init__(self, what: str, key: str, fix: str | None = None, item: str | None = None):
        super().__init__(what, f"{key}, {item}" if item else key, fix)
        self.args = what, key, fix, item  # pickle makes a copy from these
        self.key, self.item = key, item


class MissingFileError(UserError):
    """A file does not exist.

    Args:
        path: the file.
        fix: what to do, as an imperative.
        key: the key that names the file; it is located as that of a SettingError. Defaults to none.
        hint: what is there instead, for the message. Defaults to none.
    """

    item = None  # a SettingError may have one, this error never

    def __init__(self, path: Path, fix: str, key: str | None = None, hint: str = ""):
        problem = f"no such file{hint}"
        super().__init__(f"{display_path(path)}: {problem}" if key else problem, key or path, fix)
        self.args = path, fix, key, hint  # pickle makes a copy from these
        self.path, self.key = path, key


class UnavailableError(UserError):
    """A service that cannot be used now: no network, or no credentials."""


@contextmanager
def os_errors_explained() -> Iterator[None]:
    """Turns an OSError within the block into a UserError, if `explain_os_error` can describe it."""
    try:
        yield
    except OSError as error:
        explained = explain_os_error(error)
        if explained is None:
            raise
        raise explained from error
    except NotImplementedError as error:  # raised by filelock
        if "flock" not in str(error):
            raise
        raise UserError(NO_LOCKS.what, None, NO_LOCKS.fix) from error


def explain_os_error(error: OSError) -> UserError | None:
    """Describes a failed read or write of a file: a full disk, a read-only one, a missing permission.

    Returns:
        The error for the user; None if it has no error number, like errors of libraries that subclass OSError.
    """
    if isinstance(error, shutil.Error) and error.args and error.args[0]:  # for several files: the first is described
        source, target, why = error.args[0][0]
        number = int(match[1]) if (match := re.search(r"Errno (\d+)", str(why))) else None
        error = OSError(number, str(why), target if number in WRITE_ERRORS else source)
    if error.errno is None or isinstance(error, ConnectionError):
        return None
    what, fix = OS_PROBLEMS.get(error.errno, (error.strerror or str(error), None))
    file = error.filename2 or error.filename
    if isinstance(file, str):
        file = Path(file)
        if error.errno == errno.EEXIST and file.is_dir():
            what, fix = FOLDER_IN_PLACE
    return UserError(what, file, fix)
