"""Raw data: got, repaired or renewed, and the sample table read from it."""

import time
from pathlib import Path

import pandas as pd

from medfold import files
from medfold.competition import Project
from medfold.console import format_duration, format_size, say, warn
from medfold.data.samples import build_samples, read_samples, samples_are_fresh
from medfold.data.sources.source import missing_files, open_source
from medfold.errors import UserError, shorten_list


def get_raw_data(project: Project, given: Path | None = None, force: bool = False) -> None:
    """Gets the raw data and reads its labels; repairs what is there in part.

    Args:
        given: a file, folder or zip archive to take instead of the source. Defaults to none.
        force: gets it again even if it is there.
    """
    paths, source = project.paths, open_source(project)
    with files.lock(paths.raw):
        if not force and (source.complete or (given is None and source.repair())):
            manifest = files.read_csv(paths.raw_manifest)
            again = " (FORCE=1 gets it again)" if given else ""
            held = f"{len(manifest):,} files, {format_size(manifest['bytes'].sum())}"
            say("download", f"complete: {held} in {project.display(paths.raw)}{again}")
            load_samples(project)
            return
        began = time.monotonic()
        manifest = source.get(given, force)
        try:
            table = build_samples(project.competition, paths)
        except UserError:
            if given:
                paths.raw_manifest.unlink()  # perhaps the wrong file was given: do not call it complete
            raise
    _note_nested_copy(project)
    count = table["part"].value_counts().reindex(["train", "test"], fill_value=0)
    told = f"{count['train']:,} training and {count['test']:,} test images"
    if share := project.competition.labels.holdout:
        told = f"{len(table):,} images, of which make folds sets {share:.0%} aside as the test part"
    held = f"{format_size(manifest['bytes'].sum())} in {project.display(paths.raw)}"
    say("download", f"{told}, {held}, {format_duration(time.monotonic() - began)}")


def get_raw_files(project: Project, patterns: list[str]) -> None:
    """Gets single files; they count as the whole data only if the samples can be read from them.

    Args:
        patterns: names, or patterns such as `train/*`.
    """
    source, paths = open_source(project), project.paths
    names = source.get_some(patterns)
    told = f"{len(names):,} files asked for are in {project.display(paths.raw)}"
    if paths.raw_manifest.is_file():  # the data was complete, or nearly, before
        absent = missing_files(paths)
        say("download", f"{told}; {f'{len(absent)} others are missing' if absent else 'complete'}")
        return
    source.seal()
    try:
        build_samples(project.competition, paths)
    except UserError as error:
        paths.raw_manifest.unlink()
        say("download", f"{told}; not yet all that training needs ({error.what})")
    else:
        say("download", f"{told}; all that training needs")


def _note_nested_copy(project: Project) -> None:
    folder = project.competition.images.root
    nested = project.paths.raw / folder / folder
    if folder and nested.is_dir():
        warn("download", f"note: {project.display(nested)} is a second copy inside the first; it is not used")


def load_samples(project: Project) -> pd.DataFrame:
    """The sample table; made anew if it is missing or stale, and the data too where that costs nothing."""
    paths = project.paths
    if not paths.raw_manifest.is_file():
        if not open_source(project).embedded:
            raise UserError("no data yet", paths.name, f"Run: {project.command('download')}")
        get_raw_data(project)
    absent = missing_files(paths)
    if absent:
        raise UserError(
            f"{len(absent)} raw files are missing or changed: {shorten_list(absent)}",
            paths.raw,
            f"Run: {project.command('download')}",
        )
    with files.lock(paths.samples):
        if samples_are_fresh(project.competition, paths):
            return read_samples(project.competition, paths)
        table = build_samples(project.competition, paths)
    say("samples", f"{len(table):,} samples -> {project.display(paths.samples)}")
    return table
