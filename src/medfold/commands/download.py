"""`make download`: gets and checks the raw data."""

from pathlib import Path

from medfold import files
from medfold.competition import Project
from medfold.data import get_raw_data, get_raw_files


def download(
    project: Project, given: Path | None = None, force: bool = False, patterns: list[str] | None = None
) -> None:
    """Gets the raw data and reads its labels; repairs what is there in part.

    Args:
        given: a file, folder or zip archive to take instead of the source. Defaults to none.
        force: gets it again even if it is there.
        patterns: names or patterns of the only files to get. Defaults to all.
    """
    if patterns:
        with files.lock(project.paths.raw):
            get_raw_files(project, patterns)
    else:
        get_raw_data(project, given, force)
