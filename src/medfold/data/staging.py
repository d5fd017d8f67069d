"""Raw data that the user gives by FROM; it is kept only if it is accepted."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from medfold.errors import COMPLETE_DATA, MissingFileError, UserError
from medfold.paths import CompetitionPaths
from medfold.project_root import display_path
from medfold.system import files
from medfold.system.archives import is_archive
from medfold.terminal.command_text import variable


@contextmanager
def staged_data(paths: CompetitionPaths, given: Path) -> Iterator[CompetitionPaths]:
    """Yields paths with a temporary folder instead of data/<name>; its contents move there at the end of the block.

    After an error nothing is kept: the temporary folder holds copies and links, the files of the user stay. The error
    names the files as the user gave them. Call it under the lock of `paths.raw`.

    Args:
        paths: paths with the data folder that the contents move to.
        given: the file, folder or archive that is copied within the block.
    """
    files.remove_temporaries(paths.raw)
    staged = replace(paths, data_folder=files.temporary_path(paths.raw))
    try:
        staged.data.mkdir(parents=True)
        yield staged
        _move(staged, paths)
    except UserError as error:
        is_one_file = given.is_file() and not is_archive(given)
        if is_one_file and isinstance(error, MissingFileError) and (missing := _name_in_raw(error.path, staged.raw)):
            fix = "Name the folder or archive with all files"
            raise UserError(f"one file; {missing} is missing", variable("FROM", given), fix) from None
        error.where, error.what = (_as_given(text, staged.raw, given) for text in (error.where, error.what))
        if error.fix:
            complete = f"{variable('FROM', given)} holds all files"
            error.fix = error.fix.replace(COMPLETE_DATA, complete)
        raise
    finally:
        files.remove(staged.data)


def _name_in_raw(path: Path, raw: Path) -> str | None:
    """Returns the path of a file below raw/; None if it is elsewhere."""
    path, raw = (Path(files.with_final_names(str(each))) for each in (path, raw))  # raw/ may be unfinished
    return str(path.relative_to(raw)) if path.is_relative_to(raw) else None


def _as_given(text: object, raw: Path, given: Path) -> object:
    """Returns a path or text with the path of the user's file or folder instead of that of its copy."""
    if isinstance(text, Path):
        text = display_path(text)
    if not isinstance(text, str):
        return text
    text, copy = (files.with_final_names(each) for each in (text, display_path(raw)))  # raw/ may be unfinished
    separator = os.sep if given.is_dir() else ", "  # for an archive: its name, then the member
    return text.replace(f"{copy}{os.sep}", f"{display_path(given)}{separator}").replace(copy, display_path(given))


def _move(staged: CompetitionPaths, paths: CompetitionPaths) -> None:
    """Moves the contents of the staged data/ into data/<name>; the files that mark others as complete come last."""
    markers = (staged.samples_metadata, staged.raw_manifest)
    for path in (paths.raw_manifest, paths.samples_metadata):
        path.unlink(missing_ok=True)
    for path in (*(path for path in sorted(staged.data.iterdir()) if path not in markers), *markers):
        if path.exists():
            files.remove(paths.data / path.name)
            path.replace(paths.data / path.name)
    files.remove(paths.downloads)
