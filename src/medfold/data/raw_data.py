"""Gets, repairs and renews the raw data, and loads the sample table that is built from it."""

import time
from pathlib import Path

import pandas as pd

from medfold.competition import Project
from medfold.data.samples import build_samples, read_samples, samples_are_fresh
from medfold.data.sources.local_files import existing_path
from medfold.data.sources.manifest import missing_files
from medfold.data.sources.source import Source, open_source
from medfold.data.staging import staged_data
from medfold.errors import UserError
from medfold.system import locks
from medfold.tables import read_csv
from medfold.terminal.command_text import variable
from medfold.terminal.console import format_duration, format_size, say, warn
from medfold.text import count_of, shorten_list


def get_raw_data(project: Project, path: Path | None = None, force: bool = False) -> None:
    """Gets the raw data and builds the sample table; repairs incomplete data, and prints what was done.

    Args:
        project: the competition; its data/ is filled.
        path: a file, folder or zip archive to use instead of the source. Defaults to none.
        force: get the data again even if it is complete.

    Raises:
        UserError: the source fails, or the samples cannot be read from what arrived.
    """
    paths = project.paths
    source = open_source(project)
    if path:
        existing_path(path)  # a wrong one is refused, even if there is data already
    with locks.tidy_lock(paths.raw):
        if not force and (source.is_complete or (path is None and source.repair())):
            manifest = read_csv(paths.raw_manifest)
            unread = f"; {variable('FROM', path)} was not read: {variable('FORCE')} replaces the data by it"
            hint = unread if path else ""
            size = f"{count_of(len(manifest), 'file')}, {format_size(manifest['bytes'].sum())}"
            say("download", f"complete: {size} in {project.display(paths.raw)}{hint}")
            _fresh_samples(project)
            return
        start = time.monotonic()
        if path:
            with staged_data(paths, path) as staged:
                manifest = Source(project.competition.source, staged).get(path)
                table = build_samples(project.competition, staged)
        else:
            manifest = source.get(force=force)
            table = build_samples(project.competition, paths)
    _note_nested_copy(project)
    counts = table["part"].value_counts().reindex(["train", "test"], fill_value=0)
    num_images = f"{counts['train']:,} training and {count_of(counts['test'], 'test image')}"
    if share := project.competition.labels.holdout:
        num_images = (
            f"{count_of(len(table), 'image')}; {share:.0%} of them become the test part when the folds are made"
        )
    size = f"{format_size(manifest['bytes'].sum())} in {project.display(paths.raw)}"
    say("download", f"{num_images}, {size}, {format_duration(time.monotonic() - start)}")


def get_raw_files(project: Project, patterns: list[str]) -> None:
    """Gets single files; the data counts as complete only if the samples can be read from it.

    Args:
        project: the competition; the files are put into its data/.
        patterns: file names, or patterns such as `train/*`.
    """
    source = open_source(project)
    paths = project.paths
    names = source.get_files(patterns)
    message = f"{count_of(len(names), 'requested file is', 'requested files are')} in {project.display(paths.raw)}"
    if paths.raw_manifest.is_file():  # the data was complete before, or nearly so
        missing = len(missing_files(paths))
        rest = count_of(missing, "other is missing", "others are missing") if missing else "complete"
        say("download", f"{message}; {rest}")
        return
    source.write_manifest()
    try:
        build_samples(project.competition, paths)
    except UserError as error:
        paths.raw_manifest.unlink()
        say("download", f"{message}; training needs more files ({error.what})")
    else:
        say("download", f"{message}; complete for training")


def _note_nested_copy(project: Project) -> None:
    folder = project.competition.images.root
    nested = project.paths.raw / folder / folder
    if folder and nested.is_dir():
        warn("download", f"{project.display(nested)} is a second copy inside the first; it is not used")


def _download_command(project: Project) -> str:
    """Returns the command that gets the raw data; with FROM for data that has no download address."""
    has_address = project.competition.source["kind"] != "own"
    return project.command("download") if has_address else project.command("download", FROM="folder-or-archive")


def load_samples(project: Project) -> pd.DataFrame:
    """Loads the sample table; builds and writes it first if it is missing, changed or older than the facts.

    Also gets the raw data of a source that needs no network (phantom), if there is none yet.

    Returns:
        A row per image: id, part, image, group, unit, the targets and the columns of `labels.keep_columns`.

    Raises:
        UserError: no raw data, or raw files that are missing or changed.
    """
    paths = project.paths
    if not paths.raw_manifest.is_file():
        if not open_source(project).is_embedded:
            raise UserError("no data yet", paths.name, f"Run: {_download_command(project)}")
        get_raw_data(project)
    missing = missing_files(paths)
    if missing:
        raise UserError(
            f"{count_of(len(missing), 'raw file is', 'raw files are')} missing or changed: {shorten_list(missing)}",
            paths.raw,
            f"Run: {_download_command(project)}",
        )
    return _fresh_samples(project)


def _fresh_samples(project: Project) -> pd.DataFrame:
    """Reads the sample table, or builds it from complete raw data if it is missing or outdated."""
    paths = project.paths
    with locks.lock(paths.samples):
        if samples_are_fresh(project.competition, paths):
            return read_samples(project.competition, paths)
        table = build_samples(project.competition, paths)
    say("samples", f"{count_of(len(table), 'sample')} -> {project.display(paths.samples)}")
    return table
