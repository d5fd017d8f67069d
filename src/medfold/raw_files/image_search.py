"""Search of images: the file of each row of a table, by path patterns like `train/{id}.png`."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path, PurePosixPath

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.errors import CHECK_COMPLETE, COMPLETE_DATA, SettingError, UserError
from medfold.images import files_of_image, image_extensions, list_members
from medfold.project_root import display_path
from medfold.raw_files.listing import is_excluded, list_files
from medfold.raw_files.path_patterns import CHANNEL_FIELD, PathPattern, fill_pattern
from medfold.system.path_checks import path_inside
from medfold.terminal.console import warn
from medfold.text import count_of, shorten_list

CHECK_PATTERN = f"Check the pattern, and that {COMPLETE_DATA}"


def find_images(
    table: pd.DataFrame, patterns: list[str], facts: CompetitionFacts, raw: Path, complete: bool = True
) -> pd.Series:
    """Finds the image of each row, as `read_image` takes it.

    Images that no row names are left out, with a warning.

    Args:
        table: text columns, including the ones that the patterns name.
        patterns: path patterns; for each row the first one whose image exists is used.
        facts: facts of the competition (`images.channels`, `images.exclude` and `images.max_unreadable`).
        raw: folder that patterns start from.
        complete: True if every row must have its image. Otherwise a missing image gets the path by the first pattern.
            Defaults to True.

    Returns:
        Paths below `raw`, in the order of the rows.

    Raises:
        UserError: missing images, more than images.max_unreadable allows.
    """
    known = {path for pattern in patterns for path in _candidate_files(pattern, raw)}
    search = _ImageSearch(patterns, facts, raw, known)
    image_paths = _match_by_ending(search.first_existing(table), table, known, raw)
    absent = image_paths.isna()
    if absent.any():
        columns = search.fill(patterns[0], table[absent])
        image_paths = image_paths.fillna(_join_channels(columns))
        if not complete:
            return image_paths
        search.report_missing(columns, num_rows=len(table))
    if complete:
        used = {file for path in image_paths for file in files_of_image(raw, path)}
        search.warn_of_unlabelled(known - used)
    return image_paths


@dataclass(frozen=True)
class _ImageSearch:
    """Search of the images of a table.

    Args:
        patterns: path patterns of the images.
        facts: facts of the competition (`images.channels`, `images.exclude` and `images.max_unreadable`).
        raw: folder that patterns start from.
        known: paths of the existing files.
    """

    patterns: list[str]
    facts: CompetitionFacts
    raw: Path
    known: set[str]

    @property
    def key(self) -> str:
        """Key of competition.yaml that holds the patterns."""
        return "images.train" if self.patterns == self.facts.images.train else "images.test"

    @property
    def channels(self) -> list[str | None]:
        """Names of channels that are files of their own; [None] if an image is one file."""
        channels = self.facts.images.channels
        return channels if isinstance(channels, list) else [None]

    def fill(self, pattern: str, table: pd.DataFrame) -> list[pd.Series]:
        """Returns the paths of a pattern for each row, a column per channel; they may not exist."""
        return [_fill_paths(_for_channel(pattern, channel), table, self.key) for channel in self.channels]

    def exists(self, path: str) -> bool:
        """Returns True if there is such a file."""
        return image_exists(path, self.raw, self.known)

    def first_existing(self, table: pd.DataFrame) -> pd.Series:
        """Returns the image of each row by the first pattern for which it exists; None without one."""
        image_paths = pd.Series(None, index=table.index, dtype=object)
        for pattern in self.patterns:
            columns = self.fill(pattern, table)
            all_exist = pd.concat([column.map(self.exists) for column in columns], axis=1).all(axis=1)
            image_paths = image_paths.where(image_paths.notna() | ~all_exist, _join_channels(columns))
        return image_paths

    def report_missing(self, columns: list[pd.Series], num_rows: int) -> None:
        """Warns of missing images, and names the likely cause.

        Args:
            columns: paths of the rows whose image is missing, a column per channel.
            num_rows: number of all rows; if all are missing, the pattern may be wrong.

        Raises:
            UserError: more images are missing than `images.max_unreadable` allows.
        """
        missing = [path for row in zip(*columns, strict=True) for path in row if not self.exists(path)]
        what = f"{count_of(len(missing), 'image is', 'images are')} missing"
        similar_file = _similar_file(missing, self.known)
        fix = similar_file or CHECK_COMPLETE
        if len(missing) > self.facts.images.max_unreadable * num_rows * len(self.channels):
            what = f"{what}: {shorten_list(missing)}"
            if len(columns[0]) == num_rows:
                raise SettingError(f"{display_path(self.raw)}: {what}", self.key, similar_file or CHECK_PATTERN)
            raise UserError(what, self.raw, fix)
        warn("samples", f"{what}, no more than images.max_unreadable allows: {shorten_list(missing)}. {fix}")

    def warn_of_unlabelled(self, unused: set[str]) -> None:
        """Warns of images among files that no row names."""
        patterns = [
            PathPattern(_for_channel(pattern, channel)) for pattern in self.patterns for channel in self.channels
        ]
        extensions = (*image_extensions(), "")
        unlabelled = sorted(
            path
            for path in unused
            if not is_excluded(path, self.facts.images.exclude)
            and PurePosixPath(path).suffix.lower() in extensions
            and any(pattern.match(path) is not None for pattern in patterns)
        )
        if unlabelled:
            count = count_of(len(unlabelled), "image has", "images have")
            warn("samples", f"{count} no label, left out: {shorten_list(unlabelled)}")


def match_path_endings(name: str, paths: list[str]) -> list[str]:
    """Returns the paths that share the most trailing parts with `name`; a single one if the match is unique."""
    reversed_name = name.split("/")[::-1]

    def num_shared(path: str) -> int:
        pairs = zip(path.split("/")[::-1], reversed_name, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    max_shared = max(map(num_shared, paths), default=0)
    return [path for path in paths if max_shared and num_shared(path) == max_shared]


def _match_by_ending(image_paths: pd.Series, table: pd.DataFrame, known: set[str], raw: Path) -> pd.Series:
    """Fills in missing images whose ids are longer paths than the raw files have, if the end of the path is unique.

    Ids are often absolute paths of the machine on which the table was made.
    """
    ids = table["id"].str.replace("\\", "/", regex=False)
    missing = image_paths.isna() & ids.str.contains("/", regex=False)
    if not missing.any():
        return image_paths
    by_name: dict[str, list[str]] = {}
    for path in known or list_files(raw):
        by_name.setdefault(path.rpartition("/")[2], []).append(path)
    matches = {
        row: match_path_endings(ids[row], by_name.get(ids[row].rpartition("/")[2], []))
        for row in image_paths.index[missing]
    }
    unique = {row: paths[0] for row, paths in matches.items() if len(paths) == 1}
    if unique and len(set(unique.values())) == len(unique):
        row, path = next(iter(unique.items()))
        warn(
            "samples",
            f"{count_of(len(unique), 'id matches', 'ids match')} an image only by the end of the path: "
            f"'{ids[row]}' was taken as {path}",
        )
        image_paths = image_paths.fillna(pd.Series(unique, dtype=object))
    return image_paths


def _fill_paths(pattern: str, table: pd.DataFrame, key: str) -> pd.Series:
    """Fills a path pattern for each row; accents are composed (NFC), as in the names of the raw files."""
    return fill_pattern(pattern, table, key).map(lambda path: unicodedata.normalize("NFC", path))


def _join_channels(columns: list[pd.Series]) -> pd.Series:
    """Joins the files of each image as `read_image` takes them: one file, or one per channel, separated by |."""
    return columns[0].str.cat(columns[1:], sep="|") if len(columns) > 1 else columns[0]


def _similar_file(missing: list[str], known: set[str]) -> str | None:
    """Returns what to do about missing images if there is a file with a similar name; None if there is none."""

    def simplified(path: str) -> str:
        folder, _, name = path.lower().rpartition("/")
        stem = re.sub(r"(\.(png|jpe?g|tiff?|dcm|dicom|bmp|webp|npy))+$", "", name)
        return folder + "/" + re.sub(r"^0+(?=\d)", "", re.sub(r"\.0$", "", re.sub(r"\s", "", stem)))

    by_simplified_name = {simplified(path): path for path in sorted(known)}
    for path in missing[:1000]:
        if other := by_simplified_name.get(simplified(path)):
            return f"There is '{other}', not '{path}': check spaces, case, zeros and extensions in labels.id and images"
        if "\\" in path:
            name = simplified(path.replace("\\", "/")).rpartition("/")[2]
            if others := [other for key, other in by_simplified_name.items() if key.rpartition("/")[2] == name]:
                return f"The ids are paths of Windows. Write the name of the file only: there is '{others[0]}'"
    return None


def _for_channel(pattern: str, name: str | None) -> str:
    return pattern if name is None else pattern.replace(f"{{{CHANNEL_FIELD}}}", name)


def image_exists(path: str, raw: Path, known: set[str]) -> bool:
    """Returns True if a file is among the known ones and, for a path `file#member`, contains that member."""
    if path in known:
        return True
    file, _, member = path.partition("#")
    return file in known and (not member or member in _members(raw / file))


@cache
def _members(path: Path) -> frozenset[str]:
    return frozenset(list_members(path))


def _candidate_files(pattern: str, raw: Path) -> list[str]:
    """Lists files that a pattern may match: files below 'test' for 'test/{id}.png'; 'a.hdf5' for 'a.hdf5#{id}'."""
    prefix = pattern.partition("{")[0]
    file, _, member = prefix.partition("#")
    if member or prefix.endswith("#"):
        return [file] if path_inside(raw, file).is_file() else []
    return list_files(raw, prefix.rpartition("/")[0])
