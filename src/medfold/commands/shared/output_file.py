"""Checks the file that OUT= names."""

from pathlib import Path

from medfold.errors import UserError
from medfold.system import files
from medfold.terminal.command_text import variable


def check_output_file(path: Path) -> None:
    """Checks that a file can be written, before hours of work for it.

    Raises:
        UserError: there is a folder of this name, or its folder cannot be written to.
    """
    if path.is_dir():
        raise UserError("a folder is where a file must be", path, f"Name a file: {variable('OUT', 'file')}")
    files.check_writable(path.parent)
