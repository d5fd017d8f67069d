"""Sources with other settings than those of the facts."""

from medfold.data.sources.source import Source


def with_source(project, **source):
    return Source(source, project.paths)
