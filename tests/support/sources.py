"""Sources with other settings than those of the facts."""

from medfold.data.sources.source import Source


def with_source(competition, **source):
    return Source(source, competition.paths)
