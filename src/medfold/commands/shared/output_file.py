"""Checks what a command will write where OUT= names it, or in the folder of a run."""

import os
from pathlib import Path

from medfold.errors import UserError
from medfold.system import files
from medfold.terminal.command_text import variable


def check_output(file: Path, *more_paths: Path, is_given: bool) -> None:
    """Checks that a command can write its files, before hours of work for them.

    Args:
        file: the file that it writes.
        more_paths: files and folders that it writes beside that one.
        is_given: the user has named the file. Then nothing may be there: it would be the user's own. What medfold names
            itself, in the folder of a run, is replaced.

    Raises:
        UserError: there is a folder in place of the file, a given path exists, or its folder cannot be written to.
    """
    if file.is_dir():
        raise UserError("a folder is where a file must be", file, f"Name a file: {variable('OUT', 'file')}")
    for path in (file, *more_paths) if is_given else ():
        if os.path.lexists(path):
            fix = f"Choose another name in {variable('OUT')}, or remove it"
            raise UserError("exists already, and is not written over", path, fix)
    files.check_writable(file.parent)
