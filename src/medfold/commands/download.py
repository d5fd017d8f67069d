"""`make download`: gets and checks the raw data."""

from pathlib import Path

from medfold.competition import Competition
from medfold.data import fetch_raw_data, fetch_raw_files
from medfold.system import locks


def download(
    competition: Competition, path: Path | None = None, force: bool = False, patterns: list[str] | None = None
) -> None:
    """Gets the raw data and reads its labels; completes an unfinished download.

    Args:
        competition: the competition; the data is put into its data/.
        path: a file, folder or zip archive to use instead of the source. Defaults to none.
        force: get it again even if it is complete. Defaults to False.
        patterns: names or patterns of the files to get. Defaults to all files.
    """
    if patterns:
        with locks.tidy_lock(competition.paths.raw):
            fetch_raw_files(competition, patterns)
    else:
        fetch_raw_data(competition, path, force)
