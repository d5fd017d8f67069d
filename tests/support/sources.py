"""Sources with other settings than those of the facts, and the files that they deliver."""

from medfold.data import Source


def with_source(competition, **source):
    return Source(source, competition.paths)


def raw_files(paths) -> dict[str, bytes]:
    """Returns the contents of the raw files of a competition by their path."""
    folder = paths.raw
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
