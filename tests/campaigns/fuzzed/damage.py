"""Damages of bytes, nested values, tables and archives, by a seeded generator."""

import copy
import csv
import io
import tarfile
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

HOSTILE_NAMES = [
    "../../planted/new",
    "../../../../../../planted/diary.txt",
    "/tmp/medfold-fuzz",
    "C:\\x",
    "..\\..\\planted\\new",
    "..",
    ".",
    "",
    "/",
    "a/../../b",
    "~/x",
    "a\0b",
    "x" * 300,
    "a/" * 200 + "b",
    "a/train.csv/b",
    "train.csv/",
    "\u202egnp.x",
    "tra\nin.csv",
    "tra\x1b[2Jin",
    "TRAIN.CSV",
    "\udcff",  # a byte that is not UTF-8
]
ODD_TEXTS = [
    *HOSTILE_NAMES,
    " ",
    "NaN",
    "inf",
    "-0",
    "1e400",
    "9" * 400,
    "x" * 5000,
    "null",
    "true",
    "2020-13-45",
    "{id}",
    "{",
    "{id}{id}/{}",
    "{id!r:>99999999}",
    "{0.__class__}",
    "*",
    "**/*",
    "[a-",
    "(a+)+$",
    "(?P<group>",
    "(" * 200,
    "%s",
    "$HOME",
    "=1+1",
    '"',
    "'",
    "#",
    "a|b",
    "é" * 50,
    "e\u0301",
    "İ",
    "id",
    "fold",
    "patient",
    "finding",
]
ODD_VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    3,
    2**31,
    2**63,
    10**30,
    -(10**400),
    0.5,
    1e308,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    [None],
    [1, "a"],
    {"": None},
    {"a": {"b": [1]}},
    ["x"] * 3000,
]


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """A copy with one to four damages: bytes replaced, one set to an extreme, a piece deleted, doubled or zeroed."""
    found = bytearray(data or b"x")
    for _ in range(rng.integers(1, 5)):
        at, length = int(rng.integers(len(found))), int(rng.integers(1, 65))
        # Half of the damage is done to the headers, where it changes more.
        at = at % 512 if rng.random() < 0.5 else at
        match rng.integers(5):
            case 0:
                found[at : at + length] = rng.bytes(len(found[at : at + length]))
            case 1:
                found[at : at + 1] = bytes([rng.choice([0, 1, 0x7F, 0x80, 0xFF])])
            case 2:
                del found[at : at + length]
            case 3:
                found[at:at] = found[at : at + length]
            case _:
                found[at : at + length] = bytes(len(found[at : at + length]))
        if not found:
            found = bytearray(1)
    return bytes(found)


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    """The beginning of a file, possibly nothing."""
    return data[: rng.integers(len(data) + 1)]


def pick(choices: list, rng: np.random.Generator) -> Any:
    """One of the choices, of any types."""
    return choices[int(rng.integers(len(choices)))]


def odd_value(rng: np.random.Generator) -> Any:
    """A text, a number or a collection that hardly fits anywhere."""
    return pick(ODD_TEXTS, rng) if rng.random() < 0.5 else copy.deepcopy(pick(ODD_VALUES, rng))


def damaged_value(value: Any, rng: np.random.Generator, keys: list[str]) -> Any:
    """A copy of nested dictionaries and lists with one to three values replaced, removed, moved or added.

    Args:
        value: what a JSON or YAML file holds.
        rng: the generator.
        keys: names of keys that may be added.
    """
    whole = {"": copy.deepcopy(value)}
    for _ in range(rng.integers(1, 4)):
        places = list(_places(whole))
        parent, key = pick(places, rng)
        match rng.integers(7):
            case 0 | 1 | 2:
                parent[key] = odd_value(rng)
            case 3 if parent is not whole:
                del parent[key]
            case 4:
                other, other_key = pick(places, rng)
                parent[key] = copy.deepcopy(other[other_key])
            case 5:
                parent[key] = [parent[key]] if rng.random() < 0.5 else {pick(keys, rng): parent[key]}
            case _:
                if isinstance(parent[key], dict):
                    name = pick(keys, rng) if rng.random() < 0.8 else pick(ODD_TEXTS, rng)
                    parent[key][name] = odd_value(rng)
    return whole[""]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """The parent and the key of each value in nested dictionaries and lists."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        yield from _places(inner)


def damaged_table(text: str, rng: np.random.Generator, separator: str = ",") -> bytes:
    """A copy of a table with one to three damages of cells, columns or rows; sometimes of its bytes, too."""
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    for _ in range(rng.integers(1, 4)):
        row = int(rng.integers(len(rows)))
        column = int(rng.integers(max(1, len(rows[row]))))
        match rng.integers(8):
            case 0 | 1:
                rows[row][column : column + 1] = [pick(ODD_TEXTS, rng)]
            case 2:
                for each in rows:
                    del each[column : column + 1]
            case 3:
                for each in rows:
                    each.extend(each[column : column + 1])
            case 4 if len(rows) > 1:
                del rows[row]
            case 5:
                rows[row:row] = [list(rows[row])] * int(rng.integers(1, 4))
            case 6:
                text = pick(ODD_TEXTS, rng)
                for each in rows[1:]:
                    each[column : column + 1] = [text]
            case _:
                rows[0][column : column + 1] = [pick(ODD_TEXTS, rng)]
    lines = [separator.join(row) for row in rows]
    data = ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
    return damaged(data, rng) if rng.random() < 0.3 else data


def rezipped(data: bytes, rng: np.random.Generator, hostile_names: bool = False) -> bytes:
    """A zip archive with one member damaged, and correct checksums."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    chosen, out = int(rng.integers(len(members))), io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, (info, content) in enumerate(members):
            name, mode = info.filename, info.external_attr
            if number == chosen and hostile_names and rng.random() < 0.7:
                name = pick(HOSTILE_NAMES[:-1], rng)
                mode = pick([0, 0o120777 << 16, 0o100644 << 16, 0o040755 << 16, 0o020644 << 16, 0o010644 << 16], rng)
            elif number == chosen:
                content = damaged(content, rng)
            changed = zipfile.ZipInfo(name)
            changed.external_attr, changed.compress_type = mode, pick([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], rng)
            archive.writestr(changed, content)
    return out.getvalue()


def retarred(data: bytes, rng: np.random.Generator, mode: str) -> bytes:
    """A tar archive with one member of another name, kind, size or content, and correct checksums."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = [(info, archive.extractfile(info).read()) for info in archive if info.isreg()]
    chosen, out = int(rng.integers(len(members))), io.BytesIO()
    kinds = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, b"S", b"Z"]
    with tarfile.open(fileobj=out, mode=f"w:{mode}", errors="surrogateescape") as archive:
        for number, (info, content) in enumerate(members):
            if number == chosen:
                match rng.integers(4):
                    case 0:
                        info.name = pick(HOSTILE_NAMES, rng).replace("\0", "0")
                    case 1:
                        info.type, info.linkname = pick(kinds, rng), pick(HOSTILE_NAMES, rng).replace("\0", "0")
                    case 2:
                        info.size = int(pick([0, 1, 10**12, 8**11 - 1], rng))
                    case _:
                        content = damaged(content, rng)
                        info.size = len(content)
            is_whole = info.isreg() and info.size <= len(content)
            archive.addfile(info, io.BytesIO(content) if is_whole else None)
    return out.getvalue()
