"""The manifest of the raw data: file, size and hash of every raw file."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from medfold.paths import CompetitionPaths
from medfold.system.hashes import sha256
from medfold.system.path_checks import check_names_are_text
from medfold.tables import read_csv


def list_raw_files(raw: Path, hashed: bool = True) -> pd.DataFrame:
    """Lists file, bytes and sha256 (empty unless `hashed`) of all files below a folder, sorted.

    Raises:
        UserError: a name that is not UTF-8.
    """
    raw_files = sorted(path for path in raw.rglob("*") if path.is_file())
    check_names_are_text((path.relative_to(raw).as_posix() for path in raw_files), raw)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hashes = list(pool.map(sha256, raw_files)) if hashed else [""] * len(raw_files)
    return pd.DataFrame(
        {
            "file": [path.relative_to(raw).as_posix() for path in raw_files],
            "bytes": [path.stat().st_size for path in raw_files],
            "sha256": hashes,
        }
    )


def missing_files(paths: CompetitionPaths) -> list[str]:
    """Returns the raw files that are missing or differ from the manifest; ['raw.csv'] if there is no manifest.

    Compares sizes, and hashes only of files modified after the manifest was written, so that checking 100,000 files
    takes seconds.
    """
    if not paths.raw_manifest.is_file():
        return [paths.raw_manifest.name]
    manifest = read_csv(paths.raw_manifest)
    written = paths.raw_manifest.stat().st_mtime_ns
    columns = ["file", "bytes", "sha256"]
    if not set(columns) <= set(manifest):  # written by version 0.1, or edited
        return [paths.raw_manifest.name]
    stats = {path.relative_to(paths.raw).as_posix(): path.stat() for path in paths.raw.rglob("*") if path.is_file()}
    return [
        name
        for name, size, noted_hash in manifest[columns].itertuples(index=False)
        if name not in stats
        or stats[name].st_size != size
        or (stats[name].st_mtime_ns > written and sha256(paths.raw / name) != noted_hash)
    ]
