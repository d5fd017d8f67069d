"""Downloads of single files: into a staging folder, and from there into raw/."""

import fnmatch
import re
from pathlib import Path

import pandas as pd

from medfold.data.sources.kinds import SingleFiles
from medfold.data.sources.manifest import list_raw_files
from medfold.errors import UserError
from medfold.paths import CompetitionPaths
from medfold.system import archives, files
from medfold.system.path_checks import stays_below
from medfold.tables import read_csv, write_csv
from medfold.terminal.command_text import variable
from medfold.text import did_you_mean, shorten_list


class SingleFileDownloads:
    """Downloads single files of a source; they are unpacked and tested before they are moved to raw/.

    Args:
        single: access to the files of the source.
        paths: paths of the competition; its raw/ and manifest are completed.
        where: the source, in error messages.
    """

    def __init__(self, single: SingleFiles, paths: CompetitionPaths, where: str):
        self._single = single
        self._paths = paths
        self._where = where
        self._staging = paths.downloads / "single"

    def discard(self) -> None:
        """Removes files of an earlier attempt."""
        files.remove(self._staging)

    def fetch(self, name: str) -> Path:
        """Downloads one file into the staging folder, unless it is already there; returns its path there.

        Args:
            name: path of the file below raw/.

        Raises:
            UserError: the name leads out of raw/, or the download fails.
        """
        if not stays_below(name):
            what = f"unsafe file name '{name}': it leads out of the folder raw/"
            raise UserError(what, self._where, f"Download the data by hand, and name it with {variable('FROM')}")
        path = self._staging / name
        if not path.is_file():
            self._single.fetch(name, path)
        return path

    def move_to_raw(self) -> None:
        """Unpacks the files of the staging folder, moves them to raw/ and updates their rows in the manifest.

        Raises:
            UserError: a damaged archive.
        """
        if not self._staging.is_dir():
            return
        try:
            archives.unpack_nested(self._staging)
        except UserError:
            files.remove(self._staging)
            raise
        staged = list_raw_files(self._staging)
        for name in staged["file"]:
            path = self._paths.raw / name
            path.parent.mkdir(parents=True, exist_ok=True)
            (self._staging / name).replace(path)
        files.remove(self._staging)
        if not any(self._paths.downloads.iterdir()):
            self._paths.downloads.rmdir()
        if self._paths.raw_manifest.is_file():
            manifest = read_csv(self._paths.raw_manifest)
            unchanged = manifest[~manifest["file"].isin(staged["file"])]
            updated = pd.concat([unchanged, staged]).sort_values("file", kind="stable")
            write_csv(updated, self._paths.raw_manifest)


def match_files(patterns: list[str], all_names: list[str]) -> list[str]:
    """Returns the names that match the patterns; of a split archive (`x.zip.001`) all parts, since one is of no use.

    Args:
        patterns: names, or patterns with * and ?.
        all_names: the files of the source.

    Raises:
        UserError: a pattern that matches nothing.
    """
    names: list[str] = []
    for pattern in patterns:
        matches = fnmatch.filter(all_names, pattern)
        if not matches:
            available = f"Name files that there are: {shorten_list(all_names, 8)}"
            raise UserError(f"no file matches{did_you_mean(pattern, all_names)}", variable("FILES", pattern), available)
        stems = {name[:-4] for name in matches if re.fullmatch(r".*\.zip\.\d{3}", name)}
        matches += [name for name in all_names if name[:-4] in stems and name[-3:].isdigit()]
        names += [name for name in matches if name not in names]
    return list(dict.fromkeys(names))
