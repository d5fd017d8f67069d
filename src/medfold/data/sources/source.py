"""How raw data arrives. One module per `source.kind`, with three names:

- `Options`: a pydantic model of what `source:` holds for this kind;
- `fetch(options, into)`: fills the folder `into.raw`; what a competitor may not see goes to `into.hidden`;
- `accept(options, given)`: checks what `FROM=` names, before it is taken over, and returns the name under which a
  single file is kept; raises UserError to refuse it;

and, where it can, one or both of two more:

- `single_files(options)`: the `SingleFiles` of the source, where files can be had one by one;
- `findings(hidden)`: where in its images there is something to find, as `Source.findings` returns it.

Both folders are temporary: whatever happens, `data/<name>/raw` is either as it was or complete.
"""

import fnmatch
import importlib
import os
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import pandas as pd
from pydantic import BaseModel

from medfold import config, files
from medfold.competition import Project
from medfold.console import say, warn
from medfold.data.sources import archives, local_files
from medfold.errors import UserError, did_you_mean, shorten_list
from medfold.paths import CompetitionPaths
from medfold.registry import Registry

KINDS = ["kaggle", "kaggle-dataset", "own", "phantom", "url"]  # built in: a module each, imported when it is needed
SOURCES: Registry[Any] = Registry("source")  # of plugins.py
FEW = 100  # so many files are fetched one by one rather than with the whole archive


@dataclass(frozen=True)
class SourceFolders:
    """Folders for a source to fill.

    Args:
        raw: the data.
        hidden: what a competitor may not see; made by the source if it has any.
        downloads: kept until raw is complete, so that a broken download can go on.
    """

    raw: Path
    hidden: Path
    downloads: Path


def source(kind: str, options: type[BaseModel]) -> Callable:
    """Registers a function (options, folders) that fills `folders.raw`, as a kind of source.

    Args:
        kind: as `source.kind` in competition.yaml names it.
        options: a pydantic model of what `source:` may hold, `kind` among it.

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
    """A source that hands out its files one by one.

    Args:
        sizes: lists them all, as paths below raw/, with their bytes.
        fetch: `fetch(name, target)` gets one; raises UserError if there is none of that name.
    """

    sizes: Callable[[], dict[str, int]]
    fetch: Callable[[str, Path], None]


class Source:
    """The source of one competition, its options checked.

    Args:
        facts: what `source` in competition.yaml holds.
        paths: of the competition.

    Raises:
        UserError: unknown kind or option.
    """

    def __init__(self, facts: dict[str, Any], paths: CompetitionPaths):
        where = paths.facts.relative_to(paths.root)
        self.kind = facts.get("kind")
        if self.kind in KINDS:
            self._kind = importlib.import_module(f"medfold.data.sources.{self.kind.replace('-', '_')}")
        elif self.kind in SOURCES:
            self._kind = SOURCES[self.kind]
        else:
            known = [*KINDS, *SOURCES]
            hint = did_you_mean(str(self.kind), known)
            raise UserError(f"unknown source.kind '{self.kind}'{hint}", where, f"Known: {', '.join(known)}")
        self.options = config.validated(self._kind.Options, facts, f"{where}, source")
        self._paths = paths
        self.embedded = self.kind == "phantom"

    @property
    def complete(self) -> bool:
        """True if the raw data is there: every file of the manifest, unchanged."""
        return not missing_files(self._paths)

    def get(self, given: Path | None = None, anew: bool = False) -> pd.DataFrame:
        """Fills `data/<name>/raw` from the source or from `given`: a file, a folder or an archive.

        Args:
            given: taken instead of the source. Defaults to none.
            anew: also fetches an archive again that arrived whole before.

        Returns:
            The manifest: file (path below raw/), bytes and sha256.
        """
        paths = self._paths
        files.remove_temporaries(paths.raw)
        if anew:
            for archive in paths.downloads.glob("*.zip"):
                archive.unlink()
        files.remove_temporaries(paths.hidden)
        with files.atomic_write(paths.raw) as raw:
            raw.mkdir()
            if given is None:
                with files.atomic_write(paths.hidden) as hidden:
                    self._kind.fetch(self.options, SourceFolders(raw, hidden, paths.downloads))
                    hidden.mkdir(exist_ok=True)
            else:
                given = given.expanduser()
                if not given.exists():
                    raise UserError("no such file or folder", f"FROM={given}")
                local_files.copy_or_unpack(given, raw, self._kind.accept(self.options, given))
            archives.unpack_nested(raw)
            _compose_names(raw)
            manifest = _manifest(raw)
            if manifest.empty:
                raise UserError("no file in it", f"FROM={given}")
            paths.raw_manifest.unlink(missing_ok=True)
        files.write_csv(manifest, paths.raw_manifest)
        files.remove(paths.downloads)
        return manifest

    def link(self, folder: Path) -> None:
        """Fills `data/<name>/raw` with links to a folder that nobody writes to, archives in it unpacked.

        Nothing is copied, and no file is read for its hash: it may be a hundred gigabytes over a network.
        """
        with files.atomic_write(self._paths.raw) as raw:
            raw.mkdir()
            local_files.link_files(folder, raw)
            archives.unpack_nested(raw)
            _compose_names(raw)
            self._paths.raw_manifest.unlink(missing_ok=True)
            manifest = _manifest(raw, hashed=False)
        files.write_csv(manifest, self._paths.raw_manifest)

    def get_some(self, patterns: list[str]) -> list[str]:
        """Gets single files into `data/<name>/raw`, in their folders; those that are there already stay.

        What arrives is unpacked and tested before it is put there. If there is a manifest, it is brought up to date.

        Args:
            patterns: names or patterns of the source's files: `train.csv`, `train_images/*`.

        Returns:
            The names of what matched.

        Raises:
            UserError: a source without single files, a pattern that matches nothing, or a damaged archive.
        """
        single = self._single_files()
        if single is None:
            raise UserError(f"source {self.kind} has no single files", "FILES", "Leave FILES out")
        sizes = single.sizes()
        names = _matching(patterns, sorted(sizes))
        if len(names) > FEW:
            warn("download", f"{len(names):,} files one by one take long; make download without FILES gets one archive")
        changed = set(missing_files(self._paths))
        for number, name in enumerate(names, start=1):
            path = self._paths.raw / name
            there = path.is_file() and path.stat().st_size == sizes[name] and name not in changed
            if not there:
                self._fetch(single, name)
            say("download", f"{name}, {number} of {len(names)}{', was there' if there else ''}")
        self._move_in()
        return names

    def findings(self) -> pd.DataFrame | None:
        """Where in the images there is something to find, for sources that know.

        Returns:
            id, x, y, radius: a disc for each finding, in pixels of the raw image. None if the source does not know, or
            the data is not there.
        """
        return self._kind.findings(self._paths.hidden) if hasattr(self._kind, "findings") else None

    def seal(self) -> pd.DataFrame:
        """Declares what stands in raw/ to be the complete data: writes the manifest and returns it."""
        manifest = _manifest(self._paths.raw)
        files.write_csv(manifest, self._paths.raw_manifest)
        return manifest

    def repair(self) -> bool:
        """Gets the few files that are missing or damaged one by one; True if the raw data is complete then."""
        absent = missing_files(self._paths)
        if absent == [self._paths.raw_manifest.name] or len(absent) > FEW:
            return False
        single = self._single_files()
        if single is None:
            return False
        say("download", f"{len(absent)} files are missing or changed: {shorten_list(absent)}")
        hashes = files.read_csv(self._paths.raw_manifest).set_index("file")["sha256"]
        files.remove(self._staging)
        for name in absent:
            try:
                arrived = self._fetch(single, name)
            except UserError as error:
                warn("download", f"{name} cannot be had alone ({error.what}); getting the whole")
                return False
            if files.sha256(arrived) != hashes[name]:
                warn("download", f"{name} is not the file of before; getting the whole")
                return False
        self._move_in()
        self._paths.raw_manifest.touch()  # all was checked just now
        return True

    @property
    def _staging(self) -> Path:
        return self._paths.downloads / "single"

    def _fetch(self, single: SingleFiles, name: str) -> Path:
        """One file into the staging folder; not again if it arrived there before."""
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UserError(f"unsafe file name '{name}'", self.kind)
        arrived = self._staging / name
        if not arrived.is_file():
            single.fetch(name, arrived)
        return arrived

    def _move_in(self) -> None:
        """Unpacks what stands in the staging folder and moves it to raw/; the manifest's rows of it are renewed."""
        if not self._staging.is_dir():
            return
        try:
            archives.unpack_nested(self._staging)
        except UserError:
            files.remove(self._staging)
            raise
        arrived = _manifest(self._staging)
        for name in arrived["file"]:
            path = self._paths.raw / name
            path.parent.mkdir(parents=True, exist_ok=True)
            (self._staging / name).replace(path)
        files.remove(self._staging)
        if not any(self._paths.downloads.iterdir()):
            self._paths.downloads.rmdir()
        if self._paths.raw_manifest.is_file():
            before = files.read_csv(self._paths.raw_manifest)
            kept = before[~before["file"].isin(arrived["file"])]
            renewed = pd.concat([kept, arrived]).sort_values("file", kind="stable")
            files.write_csv(renewed, self._paths.raw_manifest)

    def _single_files(self) -> SingleFiles | None:
        return self._kind.single_files(self.options) if hasattr(self._kind, "single_files") else None


def _matching(patterns: list[str], everything: list[str]) -> list[str]:
    """The names that match a pattern each; of a split archive (`x.zip.001`) all parts, since one is of no use."""
    found: list[str] = []
    for pattern in patterns:
        matches = fnmatch.filter(everything, pattern)
        if not matches:
            listed = f"It has {shorten_list(everything, 8)}"
            raise UserError(f"no file matches{did_you_mean(pattern, everything)}", f"FILES={pattern}", listed)
        stems = {name[:-4] for name in matches if re.fullmatch(r".*\.zip\.\d{3}", name)}
        matches += [name for name in everything if name[:-4] in stems and name[-3:].isdigit()]
        found += [name for name in matches if name not in found]
    return list(dict.fromkeys(found))


def _compose_names(raw: Path) -> None:
    """Writes accents in names of files as one letter with it (NFC): some systems write two, and tables do not."""
    for path in sorted(raw.rglob("*"), reverse=True):  # what is in a folder before the folder
        name = unicodedata.normalize("NFC", path.name)
        if name != path.name and not path.with_name(name).exists():
            path.rename(path.with_name(name))


def _manifest(raw: Path, hashed: bool = True) -> pd.DataFrame:
    """file, bytes and sha256 (empty unless `hashed`) of all that stands below a folder, sorted."""
    paths = sorted(path for path in raw.rglob("*") if path.is_file())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hashes = list(pool.map(files.sha256, paths)) if hashed else [""] * len(paths)
    return pd.DataFrame(
        {
            "file": [path.relative_to(raw).as_posix() for path in paths],
            "bytes": [path.stat().st_size for path in paths],
            "sha256": hashes,
        }
    )


def missing_files(paths: CompetitionPaths) -> list[str]:
    """The raw files that are missing or not as the manifest says; ['raw.csv'] without a manifest.

    A file is measured; its hash is taken only if it was touched after the manifest was written, so that 100,000 files
    are checked in seconds.
    """
    if not paths.raw_manifest.is_file():
        return [paths.raw_manifest.name]
    manifest, sealed = files.read_csv(paths.raw_manifest), paths.raw_manifest.stat().st_mtime_ns
    if "sha256" not in manifest:  # written by version 0.1
        return [paths.raw_manifest.name]
    found = {path.relative_to(paths.raw).as_posix(): path.stat() for path in paths.raw.rglob("*") if path.is_file()}
    return [
        name
        for name, size, sha256 in manifest.itertuples(index=False)
        if name not in found
        or found[name].st_size != size
        or (found[name].st_mtime_ns > sealed and files.sha256(paths.raw / name) != sha256)
    ]


def open_source(project: Project) -> Source:
    """The source of a competition.

    Raises:
        UserError: an unknown kind or option in competition.yaml.
    """
    return Source(project.competition.source, project.paths)
