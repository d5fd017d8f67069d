"""Patterns like `train/{id}.png`: from rows of a table to images, and from paths to ids and labels."""

import re
import string
from functools import cache
from pathlib import Path

import pandas as pd

from medfold.competition import Competition
from medfold.errors import UserError, some
from medfold.images import formats
from medfold.terminal import warn

CHANNEL = "channel"  # the field that stands for the names of images.channels


def fields(pattern: str) -> list[str]:
    """The names in braces, each once."""
    return list(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(pattern) if name))


def fill(pattern: str, table: pd.DataFrame, key: str) -> pd.Series:
    """The pattern with the columns of a table filled in, for each row.

    Args:
        key: of competition.yaml, for the error.

    Raises:
        UserError: a column that the table does not have.
    """
    for column in fields(pattern):
        if column not in table:
            fix = f"It has {some([str(name) for name in table.columns], 12)}"
            raise UserError(f"the pattern '{pattern}' names a column '{column}' that the table does not have", key, fix)
    rows = table[fields(pattern)].to_dict("records")
    return pd.Series([pattern.format(**row) for row in rows], index=table.index, dtype=str)


def find_images(
    table: pd.DataFrame, patterns: list[str], competition: Competition, raw: Path, complete: bool = True
) -> pd.Series:
    """The image of each row, as formats.read takes it.

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
        columns = [fill(_for_channel(pattern, name), table, "images") for name in names]
        there = pd.concat([column.map(lambda path: is_there(path, raw, known)) for column in columns], axis=1).all(
            axis=1
        )
        joined = columns[0].str.cat(columns[1:], sep="|") if len(columns) > 1 else columns[0]
        image = image.where(image.notna() | ~there, joined)
    absent = image.isna()
    if absent.any():
        columns = [fill(_for_channel(patterns[0], name), table[absent], "images") for name in names]
        if not complete:
            first = columns[0].str.cat(columns[1:], sep="|") if len(columns) > 1 else columns[0]
            return image.fillna(first)
        missing = [path for row in zip(*columns, strict=True) for path in row if not is_there(path, raw, known)]
        raise UserError(f"{len(missing)} images are missing: {some(missing)}", raw, "Is the download complete?")
    used = set(image.str.split("|").explode())
    rules = [as_regex(_for_channel(pattern, name)) for pattern in patterns for name in names]
    extra = sorted(path for path in known - used if any(rule.fullmatch(path) for rule in rules))
    if extra:
        warn("samples", f"{len(extra):,} images have no label and are left out: {some(extra)}")
    return image


def _for_channel(pattern: str, name: str | None) -> str:
    return pattern if name is None else pattern.replace(f"{{{CHANNEL}}}", name)


def is_there(path: str, raw: Path, known: set[str]) -> bool:
    """True if a file is among the known ones, and holds the member that the path names behind `#`."""
    file, _, member = path.partition("#")
    return file in known and (not member or member in _members(raw / file))


@cache
def _members(path: Path) -> frozenset[str]:
    return frozenset(formats.members(path))


def _candidates(pattern: str, raw: Path) -> list[str]:
    """The files that a pattern may name: those below 'test' for 'test/{id}.png'; 'a.hdf5' for 'a.hdf5#{id}'."""
    fixed = pattern.partition("{")[0]
    file, _, rest = fixed.partition("#")
    if rest or fixed.endswith("#"):
        return [file] if (raw / file).is_file() else []
    return listing(raw, fixed.rpartition("/")[0])


def listing(raw: Path, folder: str = "") -> list[str]:
    """All files below raw/, or below a folder in it, without what macOS adds to archives."""
    paths = (path.relative_to(raw).as_posix() for path in (raw / folder).rglob("*") if path.is_file())
    return sorted(path for path in paths if not path.startswith("__MACOSX/") and "/._" not in f"/{path}")


def as_regex(pattern: str) -> re.Pattern:
    """'{label}/{id}.png' -> a rule that matches paths and gives label and id; a field never crosses a folder."""
    rule = ""
    for text, field, _, _ in string.Formatter().parse(pattern):
        rule += re.escape(text)
        if field:
            rule += f"(?P={field})" if f"(?P<{field}>" in rule else f"(?P<{field}>[^/]+)"
    return re.compile(rule)
