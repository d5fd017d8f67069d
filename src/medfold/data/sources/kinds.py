"""The interface of a kind of source, and the registry of the kinds.

A kind that is built in is a module with the names of `SourceKind`; it may also have those of `HasSingleFiles` and
`HasFindingPositions`. A kind of plugins.py is a function with the decorator `source`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pandas as pd
from pydantic import BaseModel

from medfold.registry import Registry


@dataclass(frozen=True)
class SourceFolders:
    """Folders that a source fills.

    Args:
        raw: folder for the data, later `data/<name>/raw`.
        hidden: files that a competitor may not see; the source makes this folder if it has any.
        downloads: partial downloads; kept until `raw` is complete, so that an interrupted download can resume.
    """

    raw: Path
    hidden: Path
    downloads: Path


@dataclass(frozen=True)
class SingleFiles:
    """Access to the separate files of a source.

    Args:
        sizes: returns the size in bytes of every file, by path below raw/.
        fetch: `fetch(name, target)` downloads one file; raises UserError if there is none of that name.
    """

    sizes: Callable[[], dict[str, int]]
    fetch: Callable[[str, Path], None]


class SourceKind(Protocol):
    """The interface of a kind of source: a module, or a `PluginKind`.

    Attributes:
        Options: pydantic model of the settings under `source:` in competition.yaml.
    """

    Options: type[BaseModel]

    def fetch(self, options: Any, into: SourceFolders) -> None:
        """Fills the folder `into.raw`; files that a competitor may not see go to `into.hidden`.

        Both folders are temporary: `data/<name>/raw` is either unchanged or complete, whatever happens.

        Args:
            options: checked settings, an instance of `Options`.
            into: folders to fill.

        Raises:
            UserError: the data cannot be had.
        """

    def accept(self, options: Any, path: Path) -> str:
        """Checks what `FROM=` names, before it is copied.

        Args:
            options: checked settings, an instance of `Options`.
            path: an existing file or folder.

        Returns:
            The name under which a single file is kept.

        Raises:
            UserError: the source does not take this file or folder.
        """


@runtime_checkable
class HasSingleFiles(Protocol):
    """A kind of source whose files can be downloaded separately."""

    def single_files(self, options: Any) -> SingleFiles:
        """Returns the access to the separate files."""


@runtime_checkable
class HasFindingPositions(Protocol):
    """A kind of source that knows where the findings in the images are."""

    def finding_positions(self, hidden: Path) -> pd.DataFrame | None:
        """Reads the positions of the findings, as `Source.finding_positions` returns them.

        Args:
            hidden: folder of the files that a competitor may not see.
        """


@dataclass(frozen=True)
class PluginKind:
    """A kind of source from plugins.py; it accepts any file or folder for `FROM=`.

    Args:
        Options: pydantic model of the settings under `source:`.
        fetch: function (options, folders) that fills `folders.raw`.
    """

    Options: type[BaseModel]
    fetch: Callable[[Any, SourceFolders], None]

    def accept(self, options: Any, path: Path) -> str:
        """Accepts any file, folder or archive, under its own name."""
        return path.name


KINDS = ["kaggle", "kaggle-dataset", "own", "phantom", "url"]  # built in: one module each, imported on demand
SOURCES: Registry[SourceKind] = Registry("source")  # those of plugins.py


def source(kind: str, options: type[BaseModel]) -> Callable:
    """Registers a function (options, folders) that fills `folders.raw` as a kind of source.

    Args:
        kind: name of the kind, for `source.kind` in competition.yaml.
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
        SOURCES.register(kind, PluginKind(options, fetch))
        return fetch

    return register
