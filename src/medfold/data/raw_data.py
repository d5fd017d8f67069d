"""Gets, repairs and renews the raw data, and loads the sample table that is built from it."""

import time
from pathlib import Path

import pandas as pd

from medfold.competition import Competition
from medfold.data.sample_files import read_samples, samples_are_fresh
from medfold.data.samples import build_samples, describe_image_counts
from medfold.data.sources.local_files import existing_path
from medfold.data.sources.manifest import missing_files
from medfold.data.sources.source import Source, open_source
from medfold.data.staging import staged_data
from medfold.errors import UserError
from medfold.project_root import display_path
from medfold.system import locks
from medfold.tables import read_csv
from medfold.terminal.command_text import variable
from medfold.terminal.console import format_duration, format_size, say, warn
from medfold.text import count_of, shorten_list


def fetch_raw_data(competition: Competition, path: Path | None = None, force: bool = False) -> None:
    """Gets the raw data and builds the sample table; repairs incomplete data, and prints what was done.

    Args:
        competition: the competition; its data/ is filled.
        path: a file, folder or zip archive to use instead of the source. Defaults to none.
        force: get the data again even if it is complete. Defaults to False.

    Raises:
        UserError: the source fails, or the samples cannot be read from what arrived.
    """
    paths = competition.paths
    source = open_source(competition)
    if path:
        existing_path(path)  # a wrong one is refused, even if there is data already
    with locks.tidy_lock(paths.raw):
        if not force and (source.is_complete or (path is None and source.repair())):
            manifest = read_csv(paths.raw_manifest)
            unread = f"; {variable('FROM', path)} was not read: {variable('FORCE')} replaces the data with it"
            hint = unread if path else ""
            size = f"{count_of(len(manifest), 'file')}, {format_size(manifest['bytes'].sum())}"
            say("download", f"complete: {size} in {display_path(paths.raw)}{hint}")
            _fresh_samples(competition)
            return
        began = time.monotonic()
        if path:
            with staged_data(paths, path) as staged:
                manifest = Source(competition.facts.source, staged).copy_from(path)
                table = build_samples(competition.facts, staged)
        else:
            manifest = source.fetch(force=force)
            table = build_samples(competition.facts, paths)
    _note_nested_copy(competition)
    size = f"{format_size(manifest['bytes'].sum())} in {display_path(paths.raw)}"
    counts = describe_image_counts(table, competition.facts.labels.holdout)
    say("download", f"{counts}, {size}, {format_duration(time.monotonic() - began)}")


def fetch_raw_files(competition: Competition, patterns: list[str]) -> None:
    """Gets single files; the data counts as complete only if the samples can be read from it.

    Args:
        competition: the competition; the files are put into its data/.
        patterns: file names, or patterns such as `train/*`.
    """
    source = open_source(competition)
    paths = competition.paths
    names = source.fetch_files(patterns)
    message = f"{count_of(len(names), 'requested file is', 'requested files are')} in {display_path(paths.raw)}"
    if paths.raw_manifest.is_file():  # the data was complete before, or nearly so
        missing = len(missing_files(paths))
        rest = count_of(missing, "other is missing", "others are missing") if missing else "complete"
        say("download", f"{message}; {rest}")
        return
    source.write_manifest()
    try:
        build_samples(competition.facts, paths)
    except UserError as error:
        paths.raw_manifest.unlink()
        say("download", f"{message}; training needs more files ({error.what})")
    else:
        say("download", f"{message}; complete for training")


def _note_nested_copy(competition: Competition) -> None:
    folder = competition.facts.images.root
    nested = competition.paths.raw / folder / folder
    if folder and nested.is_dir():
        warn("download", f"{display_path(nested)} is a second copy inside the first; it is not used")


def download_variables(competition: Competition) -> dict[str, str]:
    """Returns the variables that `make download` needs: FROM for data that has no download address."""
    return {} if open_source(competition).has_address else {"FROM": "folder-or-archive"}


def _download_command(competition: Competition) -> str:
    """Returns the command that gets the raw data."""
    return competition.command("download", **download_variables(competition))


def load_samples(competition: Competition) -> pd.DataFrame:
    """Loads the sample table; builds and writes it first if it is missing, changed or older than the facts.

    Also gets the raw data of a source that needs no network (phantom), if there is none yet.

    Returns:
        A row per image: id, part, image, group, unit, the targets and the columns of `labels.keep_columns`.

    Raises:
        UserError: no raw data, or raw files that are missing or changed.
    """
    paths = competition.paths
    if not paths.raw_manifest.is_file():
        if not open_source(competition).is_embedded:
            raise UserError("no data yet", paths.name, f"Run: {_download_command(competition)}")
        fetch_raw_data(competition)
    missing = missing_files(paths)
    if missing:
        raise UserError(
            f"{count_of(len(missing), 'raw file is', 'raw files are')} missing or changed: {shorten_list(missing)}",
            paths.raw,
            f"Run: {_download_command(competition)}",
        )
    return _fresh_samples(competition)


def _fresh_samples(competition: Competition) -> pd.DataFrame:
    """Reads the sample table, or builds it from complete raw data if it is missing or outdated."""
    paths = competition.paths
    with locks.lock(paths.samples):
        if samples_are_fresh(competition.facts, paths):
            return read_samples(competition.facts, paths)
        table = build_samples(competition.facts, paths)
    say("samples", f"{count_of(len(table), 'sample')} -> {display_path(paths.samples)}")
    return table
