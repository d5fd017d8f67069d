"""The one pass over all raw images: each is decoded once, measured, and prepared for the store.

It writes down how far it is, so that a pass that was killed goes on where it stood.
"""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition, ImageSettings
from medfold.errors import UserError, shorten_list
from medfold.images import perceptual_hash, store
from medfold.images.formats.pixel_values import window_of
from medfold.images.image_batches import DIED
from medfold.images.preparation import steps_of
from medfold.images.scan_journal import Journal
from medfold.images.scan_worker import STATISTICS, ScanTask, scan_image
from medfold.images.store import store_exists, store_key
from medfold.images.worker_pool import WorkerDied, map_in_workers
from medfold.paths import CompetitionPaths
from medfold.progress import progress_bar

VERSION = 3  # raised when the same images give other measurements


@dataclass(frozen=True)
class ScanResult:
    """What a pass did.

    Args:
        images: how many were looked at; 0 if nothing was missing.
        seconds: that it took.
        measured: what is known of each image, as `measured` gives it.
    """

    images: int
    seconds: float
    measured: pd.DataFrame


def read_measurements(competition: Competition, paths: CompetitionPaths) -> pd.DataFrame | None:
    """What is known of each raw image: id, bad (why it cannot be read, or nothing), height, width, `hash_of`.

    Returns:
        A table in the order of the sample table; None if it is missing or was made from other raw data.
    """
    return _read(paths.pixels, competition, paths)


def read_appearance(competition: Competition, paths: CompetitionPaths) -> pd.DataFrame | None:
    """What each readable raw image looks like: id, row of its thumbnail, likeness, STATISTICS.

    Returns:
        A table in the order of the sample table; None if it is missing or was made from other raw data.
    """
    return _read(paths.appearance, competition, paths)


def _read(file: Path, competition: Competition, paths: CompetitionPaths) -> pd.DataFrame | None:
    if not file.is_file():
        return None
    table = files.read_csv(file, bad=str, likeness=str)
    if not len(table) or table["origin"].iloc[0] != _origin(competition, paths):
        return None
    table = table.drop(columns="origin")
    return table.fillna({"bad": ""}) if "bad" in table else table


def scan_images(
    competition: Competition,
    paths: CompetitionPaths,
    samples: pd.DataFrame,
    choices: ImageSettings | None = None,
    with_appearance: bool = False,
) -> ScanResult:
    """Looks at every raw image once, for what is missing: sizes and hashes, the store of a recipe, what they look like.

    Args:
        samples: the sample table.
        choices: how to prepare the images for the store. Defaults to no store.
        with_appearance: also takes thumbnails, statistics and headers, for the audit.

    Raises:
        UserError: more bad images than `images.tolerate` allows, all of them listed in `bad_images.csv`; or a step of
            the recipe that cannot be done.
    """
    began = time.monotonic()
    if choices:
        steps_of(choices)  # a wrong one is told before any image is read
    for window in competition.images.windows:
        window_of(window)  # so is a wrong window
    with files.lock(paths.pixels):
        key = store_key(competition, paths, choices) if choices else None
        if key and store_exists(paths, key):
            key = None
        known = read_measurements(competition, paths)
        with_appearance = with_appearance and read_appearance(competition, paths) is None
        looked = 0
        if known is None or key or with_appearance:
            looked, known = _look(competition, paths, samples, choices, key, known, with_appearance)
    return ScanResult(looked, time.monotonic() - began, known)


def _look(
    competition: Competition,
    paths: CompetitionPaths,
    samples: pd.DataFrame,
    choices: ImageSettings | None,
    key: str | None,
    known: pd.DataFrame | None,
    with_appearance: bool,
) -> tuple[int, pd.DataFrame]:
    folder = paths.unfinished_store(key) if key else paths.unfinished_scan
    shapes = {}
    if key:
        shapes["images.npy"] = (choices.size, choices.size, competition.images.num_channels)
    if with_appearance:
        shapes["thumbnails.npy"] = (perceptual_hash.THUMBNAIL, perceptual_hash.THUMBNAIL)
    origin = [_origin(competition, paths), key, sorted(shapes)]
    journal = Journal(folder, files.fingerprint(origin), len(samples), shapes)
    job = ScanTask(
        raw=paths.raw_root(competition.images.root),
        facts=competition.images,
        choices=choices,
        pixels=folder / "images.npy" if key else None,
        thumbnails=folder / "thumbnails.npy" if with_appearance else None,
    )
    skipped = set() if known is None else set(np.flatnonzero(known["bad"] != ""))
    todo = [row for row in range(len(samples)) if row not in journal.done and row not in skipped]
    images = samples["image"].tolist()
    with journal.writing() as write, progress_bar("prepare", len(samples), done=len(samples) - len(todo)) as bar:
        for results in map_in_workers(partial(scan_image, task=job), [(row, images[row]) for row in todo]):
            write([[todo[at], DIED] if isinstance(found, WorkerDied) else found for at, found in results])
            bar.advance(len(results))
    rows = journal.read()
    if known is None:
        known = _table(samples, rows)
        _check(competition, paths, samples, known, journal)
        files.write_csv(known.assign(origin=_origin(competition, paths)), paths.pixels)
    else:
        changed = [row for row, found in rows.items() if found[1]]
        if changed:
            journal.forget(changed)
            named = shorten_list(images[row] for row in changed)
            raise UserError(f"{len(changed)} images could be read before, and cannot now: {named}", paths.raw)
    good = np.flatnonzero(known["bad"] == "")
    if with_appearance:
        _keep_appearance(competition, paths, samples, good, rows, folder)
    if key:
        journal.remove()
        store.finish_store(paths, key, folder, pd.DataFrame({"id": samples["id"].iloc[good], "row": good}))
    files.remove(folder)
    return len(todo), known


def _table(samples: pd.DataFrame, rows: dict[int, list[Any]]) -> pd.DataFrame:
    found = [(rows[row][1:5] + [None] * 3)[:4] for row in range(len(samples))]
    table = pd.DataFrame(found, columns=["bad", "height", "width", "hash"], index=samples.index)
    table[["height", "width"]] = table[["height", "width"]].astype("Int64")
    table.insert(0, "id", samples["id"])
    return table


def _check(
    competition: Competition, paths: CompetitionPaths, samples: pd.DataFrame, known: pd.DataFrame, journal: Journal
) -> None:
    """Lists the bad images; too many of them are the end.

    Those are looked at again the next time: perhaps they were replaced, or a decoder was installed.
    """
    bad = (known["bad"] != "").to_numpy()
    if not bad.any():
        files.remove(paths.bad_images)
        return
    listed = samples.loc[bad, ["id", "part"]].assign(file=samples.loc[bad, "image"], reason=known.loc[bad, "bad"])
    files.write_csv(listed[["file", "reason", "id", "part"]], paths.bad_images)
    allowed = competition.images.tolerate
    if bad.mean() > allowed or bad.all():
        journal.forget(np.flatnonzero(bad))
        first = f"{listed['file'].iloc[0]}: {listed['reason'].iloc[0]}"
        share = f"{bad.sum():,} of {len(bad):,} images cannot be read, more than images.tolerate allows ({allowed:.2%})"
        fix = f"Get them again, or raise images.tolerate. The first: {first}"
        raise UserError(share, paths.bad_images, fix)


def _keep_appearance(
    competition: Competition,
    paths: CompetitionPaths,
    samples: pd.DataFrame,
    good: np.ndarray,
    rows: dict[int, list[Any]],
    folder: Path,
) -> None:
    (folder / "thumbnails.npy").replace(paths.thumbnails)
    ids = samples["id"].to_numpy()[good]
    headers = pd.DataFrame([rows[row][7] for row in good])
    if headers.shape[1]:
        headers.insert(0, "id", ids)
        files.write_csv(headers, paths.headers)
    else:
        files.remove(paths.headers)
    table = pd.DataFrame([rows[row][6] for row in good], columns=STATISTICS)
    table.insert(0, "likeness", [rows[row][5] for row in good])
    table.insert(0, "row", good)
    table.insert(0, "id", ids)
    files.write_csv(table.assign(origin=_origin(competition, paths)), paths.appearance)


def _origin(competition: Competition, paths: CompetitionPaths) -> str:
    facts = competition.images.model_dump(mode="json", include=store.READING | {"shape"})
    own = store.image_plugins(competition.images, paths).values()
    return files.fingerprint(
        [VERSION, facts, store.image_list_fingerprint(paths), files.sha256(paths.raw_manifest), *own]
    )
