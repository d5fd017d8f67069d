"""The source of a competition: gets, repairs and lists its raw data. `kinds` says what a kind of source has."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from medfold import config
from medfold.competition import Competition
from medfold.data.sources import local_files
from medfold.data.sources.kinds import SOURCES, SingleFiles, SourceFolders
from medfold.data.sources.manifest import list_raw_files, missing_files
from medfold.data.sources.single_files import SingleFileDownloads, match_files
from medfold.errors import UserError
from medfold.paths import CompetitionPaths
from medfold.project_root import display_path
from medfold.system import archives, files
from medfold.system.hashes import sha256
from medfold.system.path_checks import allow_links_into
from medfold.tables import read_csv, write_csv
from medfold.terminal.command_text import variable
from medfold.terminal.console import say, warn
from medfold.text import count_of, did_you_mean, shorten_list

if TYPE_CHECKING:
    from medfold.kaggle import AttachedData

MAX_SINGLE_FILES = 100  # up to this number, files are fetched one by one rather than with the whole archive


class Source:
    """The source of one competition, with checked options.

    Args:
        settings: keys under `source` in competition.yaml, with their values.
        paths: paths of the competition; its data/ is filled.

    Raises:
        UserError: unknown kind or option.
    """

    def __init__(self, settings: dict[str, Any], paths: CompetitionPaths):
        where = display_path(paths.facts_file)
        self.kind_name = settings.get("kind")
        if not isinstance(self.kind_name, str) or self.kind_name not in SOURCES:
            known = SOURCES.names()
            hint = did_you_mean(str(self.kind_name), known)
            raise UserError(f"unknown source.kind '{self.kind_name}'{hint}", where, f"Known: {', '.join(known)}")
        self.kind = SOURCES[self.kind_name]
        self.options = config.validated(self.kind.schema, settings, f"{where}, source")
        self._paths = paths

    @property
    def is_embedded(self) -> bool:
        """True if medfold makes the data itself, without a network."""
        return self.kind.is_embedded

    @property
    def has_address(self) -> bool:
        """False if only `FROM=` can name the data."""
        return self.kind.has_address

    @property
    def is_complete(self) -> bool:
        """True if the raw data is complete: every file of the manifest is there, unchanged."""
        return not missing_files(self._paths)

    def fetch(self, force: bool = False) -> pd.DataFrame:
        """Fills `data/<name>/raw` from the source.

        Args:
            force: download an archive again even if it arrived complete before. Defaults to False.

        Returns:
            The manifest: file (path below raw/), bytes and sha256.

        Raises:
            UserError: the source fails, or it gave no files.
        """
        paths = self._paths
        if force:
            for archive in paths.downloads.glob("*.zip"):
                archive.unlink()

        def fill(raw: Path) -> int | None:
            with files.atomic_write(paths.solution_folder) as solution:
                self.kind.fetch(self.options, SourceFolders(raw, solution, paths.downloads))
                solution.mkdir(exist_ok=True)
            return archives.size_of(paths.downloads) or None  # None: it gave files, not an archive

        what, where = "the source gave no files", f"source {self.kind_name}"
        return self._replace_raw(fill, UserError(what, where, "Check source in competition.yaml"))

    def copy_from(self, path: Path) -> pd.DataFrame:
        """Fills `data/<name>/raw` from a file, a folder or an archive of the user, as `FROM=` names it.

        Returns:
            The manifest, as `fetch` returns it.

        Raises:
            UserError: there is no such file or folder, the source does not take it, or it contains no files.
        """
        path = local_files.existing_path(path)

        def fill(raw: Path) -> int | None:
            local_files.copy_or_unpack(path, raw, self.kind.accept(self.options, path))
            return archives.size_of(path)

        what, where = "contains no files", variable("FROM", path)
        return self._replace_raw(fill, UserError(what, where, "Name the folder or archive that holds the data"))

    def _replace_raw(self, fill: Callable[[Path], int | None], no_files: UserError) -> pd.DataFrame:
        """Fills a new raw/, which replaces the old one when it is complete, and writes its manifest.

        Args:
            fill: fills the folder; returns the size of the archives that the files came from, in bytes, if known.
            no_files: the error to raise if there is no file then.

        Returns:
            The manifest.
        """
        paths = self._paths
        files.remove_temporaries(paths.raw)
        files.remove_temporaries(paths.solution_folder)
        with files.atomic_write(paths.raw) as raw:
            raw.mkdir()
            packed = fill(raw)
            archives.unpack_nested(raw, packed)
            _normalise_names(raw)
            manifest = list_raw_files(raw)
            if manifest.empty:
                raise no_files
            paths.raw_manifest.unlink(missing_ok=True)
        write_csv(manifest, paths.raw_manifest)
        files.remove(paths.downloads)
        return manifest

    def link(self, folder: Path) -> None:
        """Fills `data/<name>/raw` with links to the files of a read-only folder, and unpacks archives in it.

        Copies nothing and hashes nothing, since the folder may be a hundred gigabytes on a network drive.
        """
        with files.atomic_write(self._paths.raw) as raw:
            raw.mkdir()
            local_files.link_files(folder, raw)
            allow_links_into(folder)
            archives.unpack_nested(raw)
            _normalise_names(raw)
            self._paths.raw_manifest.unlink(missing_ok=True)
            manifest = list_raw_files(raw, hashed=False)
        write_csv(manifest, self._paths.raw_manifest)

    def fetch_files(self, patterns: list[str]) -> list[str]:
        """Downloads single files into `data/<name>/raw`, in their folders; skips files that are already there.

        Files are unpacked and tested before they are moved there. An existing manifest is updated.

        Args:
            patterns: names or patterns of the source's files: `train.csv`, `train_images/*`.

        Returns:
            The names of the files that match.

        Raises:
            UserError: a source without single files, a pattern that matches nothing, or a damaged archive.
        """
        single = self.single_files()
        if single is None:
            raise UserError(
                f"source {self.kind_name} has no downloads of single files",
                variable("FILES"),
                f"Leave {variable('FILES')} out",
            )
        sizes = single.sizes()
        names = match_files(patterns, sorted(sizes))
        if len(names) > MAX_SINGLE_FILES:
            without = f"without {variable('FILES')} they are downloaded as one archive"
            warn("download", f"{len(names):,} files one by one take long; {without}")
        downloads = SingleFileDownloads(single, self._paths, f"source {self.kind_name}")
        changed = set(missing_files(self._paths))
        for number, name in enumerate(names, start=1):
            path = self._paths.raw / name
            exists = path.is_file() and path.stat().st_size == sizes[name] and name not in changed
            if not exists:
                downloads.fetch(name)
            say("download", f"{name}, {number} of {len(names)}{', exists already' if exists else ''}")
        downloads.move_to_raw()
        return names

    def finding_positions(self) -> pd.DataFrame | None:
        """Reads the positions of the findings in the images, for sources that know them.

        Returns:
            id, x, y, radius: one disc per finding, in pixels of the raw image. None if the source does not know them,
            or before the download.
        """
        return self.kind.finding_positions(self._paths.solution_folder) if self.kind.finding_positions else None

    def on_kaggle(self) -> "AttachedData | None":
        """Returns what to attach to a notebook on Kaggle, so that it finds the data; None if the data is not there."""
        return self.kind.on_kaggle(self.options) if self.kind.on_kaggle else None

    def write_manifest(self) -> pd.DataFrame:
        """Writes and returns the manifest of raw/; from then on its files count as the complete data."""
        manifest = list_raw_files(self._paths.raw)
        write_csv(manifest, self._paths.raw_manifest)
        return manifest

    def repair(self) -> bool:
        """Downloads missing or damaged files one by one, if they are few; True if the raw data is then complete."""
        missing = missing_files(self._paths)
        if missing == [self._paths.raw_manifest.name] or len(missing) > MAX_SINGLE_FILES:
            return False
        single = self.single_files()
        if single is None:
            return False
        say("download", f"{count_of(len(missing), 'file is', 'files are')} missing or changed: {shorten_list(missing)}")
        hashes = read_csv(self._paths.raw_manifest).set_index("file")["sha256"]
        downloads = SingleFileDownloads(single, self._paths, f"source {self.kind_name}")
        downloads.discard()
        for name in missing:
            try:
                path = downloads.fetch(name)
            except UserError as error:
                warn("download", f"{name} cannot be downloaded separately ({error.what}); downloading everything")
                return False
            if sha256(path) != hashes[name]:
                warn("download", f"{name} differs from the earlier file; downloading everything")
                return False
        downloads.move_to_raw()
        self._paths.raw_manifest.touch()  # all files were checked just now
        return True

    def single_files(self) -> SingleFiles | None:
        """Returns the access to single files of the data; None if the source has only all of them together."""
        return self.kind.single_files(self.options) if self.kind.single_files else None


def _normalise_names(raw: Path) -> None:
    """Renames files to composed accents (NFC), as tables have them; some file systems store decomposed ones."""
    for path in sorted(raw.rglob("*"), reverse=True):  # the content of a folder before the folder itself
        name = unicodedata.normalize("NFC", path.name)
        if name != path.name and not path.with_name(name).exists():
            path.rename(path.with_name(name))


def open_source(competition: Competition) -> Source:
    """Returns the source of a competition.

    Raises:
        UserError: an unknown kind or option in competition.yaml.
    """
    return Source(competition.facts.source, competition.paths)
