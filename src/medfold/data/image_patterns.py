"""Patterns like `train/{id}.png`: from rows of a table to images, and from paths to ids and labels."""

import re
import string
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from itertools import takewhile
from pathlib import Path, PurePosixPath

import pandas as pd

from medfold.competition import Competition
from medfold.console import warn
from medfold.errors import UserError, shorten_list
from medfold.images import files_of_image, image_endings, list_members

CHANNEL_FIELD = "channel"  # the field that stands for the names of images.channels


def pattern_fields(pattern: str) -> list[str]:
    """The names in braces, each once."""
    return list(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(pattern) if name))


def fill_pattern(pattern: str, table: pd.DataFrame, key: str) -> pd.Series:
    """The pattern with the columns of a table filled in, for each row.

    Args:
        key: of competition.yaml, for the error.

    Raises:
        UserError: a column that the table does not have, or no column at all for several rows.
    """
    if not pattern_fields(pattern) and len(table) > 1:
        raise UserError(f"'{pattern}' names no column, so all rows have one image", key, "Write {id} into it")
    for column in pattern_fields(pattern):
        if column not in table:
            fix = f"It has {shorten_list([str(name) for name in table.columns], 12)}"
            raise UserError(f"the pattern '{pattern}' names a column '{column}' that the table does not have", key, fix)
    parts = [(text, field, spec) for text, field, spec, _ in string.Formatter().parse(pattern)]
    made = [
        "".join(text + (_written(row[field], spec) if field else "") for text, field, spec in parts)
        for row in table[pattern_fields(pattern)].to_dict("records")
    ]
    return pd.Series(made, index=table.index, dtype=str)


def _written(value: str, spec: str | None) -> str:
    """A value as a pattern writes it: `{id:0>5}` fills up with zeros, and so does `{id:05d}` if it is a number."""
    whole = re.fullmatch(r"\s*(\d+)(\.0)?\s*", value) if spec and spec.endswith("d") else None
    try:
        return format(int(whole[1]) if whole else value, spec or "")
    except ValueError:
        return value  # no number: then there is no such file


def find_images(
    table: pd.DataFrame, patterns: list[str], competition: Competition, raw: Path, complete: bool = True
) -> pd.Series:
    """The image of each row, as `read_image` takes it.

    Images that no row names are left out, with a warning.

    Args:
        table: text columns that the patterns name.
        patterns: the first one whose image is there counts.
        raw: the folder that patterns start from.
        complete: every row must have its image; else one that is not there is named by the first pattern.

    Raises:
        UserError: images that are not there.
    """
    names = competition.images.channels if isinstance(competition.images.channels, list) else [None]
    known = {path for pattern in patterns for path in _candidates(pattern, raw)}
    image = pd.Series(None, index=table.index, dtype=object)
    for pattern in patterns:
        columns = [_paths(_for_channel(pattern, name), table) for name in names]
        there = pd.concat([column.map(lambda path: image_exists(path, raw, known)) for column in columns], axis=1).all(
            axis=1
        )
        image = image.where(image.notna() | ~there, _as_one(columns))
    image = _found_by_end(image, table, known, raw)
    absent = image.isna()
    if absent.any():
        columns = [_paths(_for_channel(patterns[0], name), table[absent]) for name in names]
        image = image.fillna(_as_one(columns))
        if not complete:
            return image
        missing = [path for row in zip(*columns, strict=True) for path in row if not image_exists(path, raw, known)]
        fix = _likely_cause(missing, known)
        if len(missing) > competition.images.tolerate * len(table) * len(names):
            raise UserError(f"{len(missing)} images are missing: {shorten_list(missing)}", raw, fix)
        warn(
            "samples",
            f"{len(missing):,} images are missing, as many as images.tolerate allows: {shorten_list(missing)}. {fix}",
        )
    used = {file for path in image for file in files_of_image(raw, path)}
    rules = [PathRule(_for_channel(pattern, name)) for pattern in patterns for name in names]
    exclude = competition.images.exclude
    others = (path for path in known - used if not is_excluded(path, exclude))
    images = (*image_endings(), "") if complete else ()
    extra = sorted(
        path
        for path in others
        if PurePosixPath(path).suffix.lower() in images and any(rule.match(path) is not None for rule in rules)
    )
    if extra:
        warn("samples", f"{len(extra):,} images have no label and are left out: {shorten_list(extra)}")
    return image


def match_path_endings(name: str, paths: list[str]) -> list[str]:
    """Those of some paths that share the longest end with a path; a list of one if that tells."""
    wanted = name.split("/")[::-1]

    def shared(path: str) -> int:
        pairs = zip(path.split("/")[::-1], wanted, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    most = max(map(shared, paths), default=0)
    return [path for path in paths if most and shared(path) == most]


def _found_by_end(image: pd.Series, table: pd.DataFrame, known: set[str], raw: Path) -> pd.Series:
    """Fills in images whose ids are paths with more in front than is here, if the end of the path tells which it is."""
    ids = table["id"].str.replace("\\", "/", regex=False)
    left = image.isna() & ids.str.contains("/", regex=False)
    if not left.any():
        return image
    by_name: dict[str, list[str]] = {}
    for path in known or list_files(raw):
        by_name.setdefault(path.rpartition("/")[2], []).append(path)
    found = {
        row: match_path_endings(ids[row], by_name.get(ids[row].rpartition("/")[2], [])) for row in image.index[left]
    }
    single = {row: paths[0] for row, paths in found.items() if len(paths) == 1}
    if single and len(set(single.values())) == len(single):
        row, path = next(iter(single.items()))
        warn("samples", f"{len(single):,} images are found by the end of their path: {ids[row]} is {path}")
        image = image.fillna(pd.Series(single, dtype=object))
    return image


def _paths(pattern: str, table: pd.DataFrame) -> pd.Series:
    """The paths that a pattern makes of rows; accents in one letter, as raw files are named."""
    return fill_pattern(pattern, table, "images").map(lambda path: unicodedata.normalize("NFC", path))


def _as_one(columns: list[pd.Series]) -> pd.Series:
    """The files of an image as `read_image` takes them: one, or one for each channel with | between."""
    return columns[0].str.cat(columns[1:], sep="|") if len(columns) > 1 else columns[0]


def _likely_cause(missing: list[str], known: set[str]) -> str:
    """The likely cause of missing images: a file of nearly that name, or an incomplete download."""

    def plain(path: str) -> str:
        folder, _, name = path.lower().rpartition("/")
        stem = re.sub(r"(\.(png|jpe?g|tiff?|dcm|dicom|bmp|webp|npy))+$", "", name)
        return folder + "/" + re.sub(r"^0+(?=\d)", "", re.sub(r"\.0$", "", re.sub(r"\s", "", stem)))

    alike = {plain(path): path for path in sorted(known)}
    for path in missing[:1000]:
        if other := alike.get(plain(path)):
            return f"There is '{other}', not '{path}': see blanks, case, zeros and endings in labels.id and images"
    return "Is the download complete?"


def _for_channel(pattern: str, name: str | None) -> str:
    return pattern if name is None else pattern.replace(f"{{{CHANNEL_FIELD}}}", name)


def image_exists(path: str, raw: Path, known: set[str]) -> bool:
    """True if a file is among the known ones, and holds the member that the path names behind `#`."""
    if path in known:
        return True
    file, _, member = path.partition("#")
    return file in known and (not member or member in _members(raw / file))


@cache
def _members(path: Path) -> frozenset[str]:
    return frozenset(list_members(path))


def _candidates(pattern: str, raw: Path) -> list[str]:
    """The files that a pattern may name: those below 'test' for 'test/{id}.png'; 'a.hdf5' for 'a.hdf5#{id}'."""
    fixed = pattern.partition("{")[0]
    file, _, rest = fixed.partition("#")
    if rest or fixed.endswith("#"):
        return [file] if (raw / file).is_file() else []
    return list_files(raw, fixed.rpartition("/")[0])


# What systems put beside the data; hidden files and folders (.ipynb_checkpoints, ._name, .DS_Store) are none either.
NOT_DATA = {"__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir", "$RECYCLE.BIN", "System Volume Information"}


def list_files(raw: Path, folder: str = "", exclude: Iterable[str] = ()) -> list[str]:
    """All files below raw/, or below a folder in it, without hidden ones and what systems put beside the data.

    Args:
        exclude: patterns of paths that are left out, as images.exclude has them: `*_mask.png`, `masks/*`.
    """
    paths = (path.relative_to(raw).as_posix() for path in (raw / folder).rglob("*") if path.is_file())
    return sorted(path for path in paths if _is_data(path) and not is_excluded(path, exclude))


def _is_data(path: str) -> bool:
    return not any(part.startswith(".") or part in NOT_DATA for part in path.split("/"))


def is_excluded(path: str, exclude: Iterable[str]) -> bool:
    """True if a path matches one of the patterns; `*` stands for any letters, those between folders too."""
    return any(fnmatchcase(path, pattern) for pattern in exclude)


class PathRule:
    """Matches paths against a pattern: `{label}/{id}.png` matches `no/x.png` and gives label and id.

    A field never crosses a folder; one that stands twice has the same value in both places.
    """

    def __init__(self, pattern: str):
        self.fields, rule = [], ""
        for text, field, _, _ in string.Formatter().parse(pattern):
            rule += re.escape(text)
            if field in self.fields:
                rule += f"(?P=f{self.fields.index(field)})"
            elif field:
                rule += f"(?P<f{len(self.fields)}>[^/]+)"  # fields may have names that are none for groups
                self.fields.append(field)
        self._rule = re.compile(rule)

    def match(self, path: str) -> dict[str, str] | None:
        """The values of the pattern's fields in a path; None if the path does not match."""
        found = self._rule.fullmatch(path)
        return dict(zip(self.fields, found.groups(), strict=True)) if found else None
