"""The interface of a kind of source, and the registry of the kinds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel

from medfold.registry import Registry

KINDS = ["kaggle", "kaggle-dataset", "own", "phantom", "url"]  # built in: one module each, imported on demand


SOURCES: Registry[Any] = Registry("source")  # those of plugins.py


@dataclass(frozen=True)
class SourceFolders:
    """Folders that a source fills.

    Args:
        raw: the data.
        hidden: files that a competitor may not see; the source makes this folder if it has any.
        downloads: partial downloads; kept until `raw` is complete, so that an interrupted download can resume.
    """

    raw: Path
    hidden: Path
    downloads: Path


def source(kind: str, options: type[BaseModel]) -> Callable:
    """Registers a function (options, folders) that fills `folders.raw` as a kind of source.

    Args:
        kind: its name, for `source.kind` in competition.yaml.
        options: a pydantic model of the settings under `source:`, including `kind`.

    Example:
        >>> class Options(StrictModel):
        ...     kind: str
        ...     folder: str
        >>> @source("hospital", Options)
        ... def fetch(options, folders):
        ...     shutil.copytree(options.folder, folders.raw, dirs_exist_ok=True)
    """

    def register(fetch: Callable) -> Callable:
        SOURCES.register(kind, SimpleNamespace(Options=options, fetch=fetch))
        return fetch

    return register


@dataclass(frozen=True)
class SingleFiles:
    """Access to the separate files of a source.

    Args:
        sizes: returns the size in bytes of every file, by path below raw/.
        fetch: `fetch(name, target)` downloads one file; raises UserError if there is none of that name.
    """

    sizes: Callable[[], dict[str, int]]
    fetch: Callable[[str, Path], None]
