"""Tables and arrays with labels, damaged at random: each is read as text, or refused in one line."""

import gzip
import io
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.raw_files import class_numbers, open_arrays, read_table
from tests.campaigns.fuzzed import READ, Subject
from tests.campaigns.fuzzed.damage import ODD_TEXTS, cut, damaged, damaged_table, pick, rezipped

ROWS = [["id", "patient", "finding"], *([f"i{number}", f"p{number // 2}", "Müller, o"] for number in range(12))]
SEPARATORS = {"tsv": "\t", "txt": ";"}
TEXT_KINDS = ("csv", "tsv", "txt", "csv.gz")
KINDS = (*TEXT_KINDS, "xlsx", "parquet")


def _text(kind: str) -> str:
    separator = SEPARATORS.get(kind, ",")
    return "".join(separator.join(cell.replace(separator, " ") for cell in row) + "\n" for row in ROWS)


def _saved(table: pd.DataFrame, kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "xlsx":
        table.to_excel(out, index=False)
    else:
        table.to_parquet(out)
    return out.getvalue()


def _whole(kind: str) -> bytes:
    if kind in TEXT_KINDS:
        data = _text(kind).encode()
        return gzip.compress(data, mtime=0) if kind.endswith("gz") else data
    return _saved(pd.DataFrame(ROWS[1:], columns=ROWS[0]), kind)


def _odd_types(kind: str, rng: np.random.Generator) -> bytes:
    """A workbook or a Parquet file with a column of a different type."""
    table = pd.DataFrame(ROWS[1:], columns=ROWS[0])
    columns = {
        "numbers": range(12),
        "missing": [None] * 12,
        "dates": pd.to_datetime(["2020-01-01"] * 12),
        "not numbers": [float("nan"), *np.arange(11.0)],
        "truths": [True, False] * 6,
        **({} if kind == "xlsx" else {"lists": [[1]] * 12, "bytes": [b"\xff"] * 12, "mixed": [{"a": [None]}] * 12}),
    }
    table[pick(list(table.columns), rng)] = columns[pick(list(columns), rng)]
    if rng.random() < 0.3:
        table.columns = [pick(["", "id", 1, 2.5, "\u202e", "x" * 3000], rng), *table.columns[1:]]
        table.columns = table.columns.map(str)
    return _saved(table, kind)


def _damaged(kind: str, rng: np.random.Generator) -> bytes:
    data = _whole(kind)
    choice = rng.random()
    if choice < 0.1:
        return cut(data, rng)
    if kind in TEXT_KINDS and choice < 0.8:
        changed = damaged_table(_text(kind), rng, SEPARATORS.get(kind, ","))
        return gzip.compress(changed) if kind.endswith("gz") else changed
    if kind in TEXT_KINDS and choice < 0.85:
        encoding = pick(["utf-16", "utf-16-le", "utf-32", "cp1252", "utf-8-sig", "shift-jis"], rng)
        changed = _text(kind).encode(encoding, "replace")
        return gzip.compress(changed) if kind.endswith("gz") else changed
    if kind == "xlsx" and choice < 0.6:
        return rezipped(data, rng)
    if kind not in TEXT_KINDS and choice < 0.8:
        try:
            return _odd_types(kind, rng)
        except Exception:  # pandas refuses to write it
            return damaged(data, rng)
    return damaged(data, rng)


def _attempt(rng: np.random.Generator | None, given: Path, place: Path, kind: str) -> str:
    path = place / f"train.{kind}"
    path.write_bytes(_damaged(kind, rng) if rng else _whole(kind))
    table = read_table(path, {"id": "labels.id", "finding": "labels.targets"}, "labels.file")
    assert table.columns.is_unique
    for _, column in table.items():
        assert all(isinstance(cell, str) for cell in column)
    return READ


def _whole_arrays() -> bytes:
    out = io.BytesIO()
    np.savez(out, images=np.zeros((6, 8, 8), np.uint8), labels=np.eye(3, dtype=np.uint8)[[0, 1, 2, 0, 1, 2]])
    return out.getvalue()


def _odd_arrays(rng: np.random.Generator) -> bytes:
    out = io.BytesIO()
    odd = [np.array([None, "a"]), np.array(["a", "b"]), np.array(3), np.zeros((0, 3)), np.array([np.nan]), np.eye(3)]
    np.savez(out, **{name: pick(odd, rng) for name in ("images", "labels", pick(ODD_TEXTS[22:], rng)[:50])})
    return out.getvalue()


def _attempt_arrays(rng: np.random.Generator | None, given: Path, place: Path) -> str:
    data = _whole_arrays()
    if rng:
        choice = rng.random()
        data = damaged(data, rng) if choice < 0.4 else rezipped(data, rng) if choice < 0.8 else _odd_arrays(rng)
    path = place / "train.npz"
    path.write_bytes(data)
    with open_arrays(path) as arrays:
        for name in arrays:
            class_numbers(np.asarray(arrays[name]))
    return READ


SUBJECTS = {kind: Subject(lambda folder: None, partial(_attempt, kind=kind)) for kind in KINDS}
SUBJECTS["labels.npz"] = Subject(lambda folder: None, _attempt_arrays)
