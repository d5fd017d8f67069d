"""How raw data arrives. One module per `source.kind`, with three names:

- `Options`: a pydantic model of what `source:` holds for this kind;
- `fetch(options, into)`: fills the folder `into.raw`; what a competitor may not see goes to `into.hidden`;
- `accept(options, given)`: checks what `FROM=` names, before it is taken over, and returns the name under which a
  single file is kept; raises UserError to refuse it;

and, where files can be had one by one, a fourth:

- `single_files(options)`: the `SingleFiles` of the source.

Both folders are temporary: whatever happens, `data/<name>/raw` is either as it was or complete.
"""

import fnmatch
import importlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medfold import config, files
from medfold.competition import Competition
from medfold.errors import UserError, nearest, some
from medfold.paths import CompetitionPaths
from medfold.sources import archives, local
from medfold.terminal import say, warn

KINDS = ["kaggle", "kaggle-dataset", "phantom", "url"]
FEW = 100  # so many files are fetched one by one rather than with the whole archive


@dataclass(frozen=True)
class Into:
    """Folders for a source to fill.

    Args:
        raw: the data.
        hidden: what a competitor may not see; made by the source if it has any.
        downloads: kept until raw is complete, so that a broken download can go on.
    """

    raw: Path
    hidden: Path
    downloads: Path


@dataclass(frozen=True)
class SingleFiles:
    """A source that hands out its files one by one.

    Args:
        names: lists them all, as paths below raw/.
        fetch: `fetch(name, target)` gets one; raises UserError if there is none of that name.
    """

    names: Callable[[], Iterable[str]]
    fetch: Callable[[str, Path], None]


class Source:
    """The source of one competition, its options checked.

    Raises:
        UserError: unknown kind or option.
    """

    def __init__(self, competition: Competition, paths: CompetitionPaths):
        where = paths.facts.relative_to(paths.root)
        self.kind = competition.source.get("kind")
        if self.kind not in KINDS:
            hint = nearest(str(self.kind), KINDS)
            raise UserError(f"unknown source.kind '{self.kind}'{hint}", where, f"Known: {', '.join(KINDS)}")
        self._kind = importlib.import_module(f"medfold.sources.{self.kind.replace('-', '_')}")
        self.options = config.validated(self._kind.Options, competition.source, f"{where}, source")
        self._paths = paths
        self.embedded = self.kind == "phantom"

    @property
    def complete(self) -> bool:
        """True if the raw data is there: every file of the manifest, unchanged."""
        return not missing(self._paths)

    def get(self, given: Path | None = None) -> pd.DataFrame:
        """Fills `data/<name>/raw` from the source or from `given`: a file, a folder or a zip archive.

        Returns:
            The manifest: file (path below raw/), bytes and sha256.
        """
        paths = self._paths
        files.sweep(paths.raw)
        files.sweep(paths.hidden)
        with files.whole(paths.raw) as raw:
            raw.mkdir()
            if given is None:
                with files.whole(paths.hidden) as hidden:
                    self._kind.fetch(self.options, Into(raw, hidden, paths.downloads))
                    hidden.mkdir(exist_ok=True)
            else:
                given = given.expanduser()
                if not given.exists():
                    raise UserError("no such file or folder", f"FROM={given}")
                local.take(given, raw, self._kind.accept(self.options, given))
            archives.expand(raw)
            manifest = _manifest(raw)
            if manifest.empty:
                raise UserError("no file in it", f"FROM={given}")
            paths.raw_manifest.unlink(missing_ok=True)
        files.write_csv(manifest, paths.raw_manifest)
        files.remove(paths.downloads)
        return manifest

    def get_some(self, patterns: list[str]) -> list[str]:
        """Gets single files into `data/<name>/raw`, in their folders; those that are there already stay.

        Args:
            patterns: names or patterns of the source's files: `train.csv`, `train_images/*`.

        Returns:
            The names of what matched.

        Raises:
            UserError: a source without single files, or a pattern that matches nothing.
        """
        single = self._single_files()
        if single is None:
            raise UserError(f"source {self.kind} has no single files", "FILES", "Leave FILES out")
        everything = sorted(single.names())
        found: list[str] = []
        for pattern in patterns:
            matches = fnmatch.filter(everything, pattern)
            if not matches:
                listed = f"It has {some(everything, 8)}"
                raise UserError(f"no file matches{nearest(pattern, everything)}", f"FILES={pattern}", listed)
            found += [name for name in matches if name not in found]
        if len(found) > FEW:
            warn("download", f"{len(found):,} files one by one take long; make download without FILES gets one archive")
        for number, name in enumerate(found, start=1):
            there = (self._paths.raw / name).is_file()
            if not there:
                self._place(self._fetched(single, name), name)
            say("download", f"{name}, {number} of {len(found)}{', was there' if there else ''}")
        files.remove(self._paths.downloads)
        return found

    def seal(self) -> pd.DataFrame:
        """Declares what stands in raw/ to be the complete data: writes the manifest and returns it."""
        archives.expand(self._paths.raw)
        manifest = _manifest(self._paths.raw)
        files.write_csv(manifest, self._paths.raw_manifest)
        return manifest

    def repair(self) -> bool:
        """Gets the few files that are missing or damaged one by one; True if the raw data is complete then."""
        absent = missing(self._paths)
        if absent == [self._paths.raw_manifest.name] or len(absent) > FEW:
            return False
        single = self._single_files()
        if single is None:
            return False
        say("download", f"{len(absent)} files are missing or changed: {some(absent)}")
        hashes = files.read_csv(self._paths.raw_manifest).set_index("file")["sha256"]
        for name in absent:
            try:
                arrived = self._fetched(single, name)
            except UserError as error:
                warn("download", f"{name} cannot be had alone ({error.what}); getting the whole")
                return False
            if files.sha256(arrived) != hashes[name]:
                warn("download", f"{name} is not the file of before; getting the whole")
                return False
            self._place(arrived, name)
        self._paths.raw_manifest.touch()  # all was checked just now
        files.remove(self._paths.downloads)
        return True

    def _fetched(self, single: SingleFiles, name: str) -> Path:
        arrived = self._paths.downloads / "single" / name
        single.fetch(name, arrived)
        return arrived

    def _place(self, arrived: Path, name: str) -> None:
        path = self._paths.raw / name
        if not path.resolve().is_relative_to(self._paths.raw.resolve()):
            raise UserError(f"unsafe file name '{name}'", self.kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        arrived.replace(path)

    def _single_files(self) -> SingleFiles | None:
        return self._kind.single_files(self.options) if hasattr(self._kind, "single_files") else None


def _manifest(raw: Path) -> pd.DataFrame:
    """file, bytes and sha256 of all that stands below a folder, sorted."""
    paths = sorted(path for path in raw.rglob("*") if path.is_file())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hashes = list(pool.map(files.sha256, paths))
    return pd.DataFrame(
        {
            "file": [path.relative_to(raw).as_posix() for path in paths],
            "bytes": [path.stat().st_size for path in paths],
            "sha256": hashes,
        }
    )


def missing(paths: CompetitionPaths) -> list[str]:
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
