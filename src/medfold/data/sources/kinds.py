"""Registry of the kinds of sources, the values of source.kind.

A kind that is built in is the `KIND` of its module. A kind of plugins.py is a function with the decorator `source`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import BaseModel

from medfold.registry import Registry

if TYPE_CHECKING:
    from medfold.kaggle import AttachedData


@dataclass(frozen=True)
class SourceFolders:
    """Folders that a source fills.

    Args:
        raw: folder for the data, later `data/<name>/raw`.
        solution: files that a competitor may not see, as the labels of the test set; the source makes this folder if it
            has any.
        downloads: partial downloads; kept until `raw` is complete, so that an interrupted download can resume.
    """

    raw: Path
    solution: Path
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


def _accept_any(options: Any, path: Path) -> str:
    """Accepts any file, folder or archive, under its own name."""
    return path.name


@dataclass(frozen=True)
class SourceKind:
    """A kind of source: where raw data comes from, and what `FROM=` may name instead.

    Args:
        schema: pydantic model of the settings under `source:` in competition.yaml; the functions below get an instance.
        fetch: `fetch(options, into)` fills the folder `into.raw`; files that a competitor may not see go to
            `into.solution`. Both folders are temporary: `data/<name>/raw` is either unchanged or complete, whatever
            happens. Raises UserError if the data cannot be had.
        accept: `accept(options, path)` checks the existing file or folder that `FROM=` names, before it is copied, and
            returns the name under which a single file is kept. Raises UserError for what the source does not take.
            Defaults to any file or folder.
        single_files: `single_files(options)` gives access to files that can be downloaded separately. Defaults to none.
        finding_positions: reads the positions of the findings in the images from the folder of the solution, as
            `Source.finding_positions` returns them. Defaults to none.
        on_kaggle: `on_kaggle(options)` returns what to attach to a notebook on Kaggle, so that it finds the data.
            Defaults to none: the data is not there.
        is_embedded: True if medfold makes the data itself, without a network. Defaults to False.
        has_address: False if only `FROM=` can name the data. Defaults to True.
    """

    schema: type[BaseModel]
    fetch: Callable[[Any, SourceFolders], None]
    accept: Callable[[Any, Path], str] = _accept_any
    single_files: Callable[[Any], SingleFiles] | None = None
    finding_positions: Callable[[Path], pd.DataFrame | None] | None = None
    on_kaggle: "Callable[[Any], AttachedData] | None" = None
    is_embedded: bool = False
    has_address: bool = True


SOURCES: Registry[SourceKind] = Registry("source")
for _kind in ("kaggle", "kaggle_dataset", "own", "phantom", "url"):
    SOURCES.register_lazily(_kind, f"{__package__}.{_kind}", "KIND")


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
        SOURCES.register(kind, SourceKind(options, fetch), fetch.__module__)
        return fetch

    return register
