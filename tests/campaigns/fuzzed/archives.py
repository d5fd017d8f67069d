"""Archives damaged at random: each is unpacked into its folder, or refused in one line."""

import io
import tarfile
from functools import partial
from pathlib import Path
from zipfile import ZIP_DEFLATED

import numpy as np

from medfold.system.archives import unpack_archive, unpack_nested
from tests.campaigns.fuzzed import READ, Subject
from tests.campaigns.fuzzed.damage import cut, damaged, retarred, rezipped
from tests.support.helpers import zipped

CONTENT = {"train.csv": b"id,finding\n" * 20, "train/i0.png": bytes(300), "train/i1.png": b"\x89PNG" * 60, "a": b""}
MODES = {"tar": "", "tgz": "gz", "tar.gz": "gz", "tar.bz2": "bz2", "tar.xz": "xz"}
KINDS = ("zip", "zip nested", "zip parts", *MODES)


def _tarred(mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{mode}") as archive:
        for name, data in CONTENT.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def _whole(kind: str) -> bytes:
    if kind in MODES:
        return _tarred(MODES[kind])
    plain = zipped(CONTENT, ZIP_DEFLATED)
    return zipped({"train.zip": plain, "more.tar.gz": _tarred("gz")}) if kind == "zip nested" else plain


def _damaged(kind: str, rng: np.random.Generator) -> bytes:
    data, choice = _whole(kind), rng.random()
    if choice < 0.1:
        return cut(data, rng)
    if choice < 0.4:
        return damaged(data, rng)
    if kind in MODES:
        return retarred(data, rng, MODES[kind])
    if kind == "zip nested":
        inner = {"train.zip": rezipped(zipped(CONTENT), rng, True), "more.tar.gz": retarred(_tarred("gz"), rng, "gz")}
        return rezipped(zipped(inner), rng, True) if choice < 0.6 else zipped(inner)
    return rezipped(data, rng, True)


def _attempt(rng: np.random.Generator | None, given: Path, place: Path, kind: str) -> str:
    data = _damaged(kind, rng) if rng else _whole(kind)
    raw = place / "raw"
    raw.mkdir()
    if kind == "zip parts":
        middle, first = len(data) // 2, "train.zip"
        names = [f"{first}.001", f"{first}.002"] if rng is None or rng.random() < 0.8 else _odd_parts(rng)
        (raw / names[0]).write_bytes(data[:middle])
        (raw / names[1]).write_bytes(data[middle:])
    else:
        archive = place / f"all.{kind.split()[0]}"
        archive.write_bytes(data)
        unpack_archive(archive, raw)
    unpack_nested(raw)
    return READ


def _odd_parts(rng: np.random.Generator) -> list[str]:
    names = [
        "train.zip.001",
        "train.zip.002",
        "train.zip.003",
        "train.zip.000",
        "train.zip.0001",
        "a.zip.001",
        ".zip.001",
    ]
    return list(rng.choice(names, 2, replace=False))


SUBJECTS = {kind: Subject(lambda folder: None, partial(_attempt, kind=kind)) for kind in KINDS}
