"""The scan of all raw images: each one is decoded once, measured, and prepared for the store.

A journal makes the scan resumable after it was killed.
"""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition, ImageSettings
from medfold.errors import UserError, count_of, shorten_list
from medfold.images import perceptual_hash, store
from medfold.images.formats.pixel_values import window_of
from medfold.images.image_batches import DECODER_CRASHED
from medfold.images.preparation import steps_of
from medfold.images.scan_journal import Journal
from medfold.images.scan_worker import STATISTICS, ImageScan, ScanTask, scan_image
from medfold.images.store import store_exists, store_key
from medfold.images.worker_pool import WorkerDied, map_in_workers
from medfold.paths import CompetitionPaths
from medfold.progress import progress_bar

VERSION = 3  # increase it when the same images give other measurements
JOURNAL_VERSION = 2  # raised when a journal has other contents: an older unfinished scan starts again


@dataclass(frozen=True)
class ScanResult:
    """Result of a scan.

    Args:
        num_images: number of images that were read; 0 if nothing was missing.
        seconds: duration.
        measurements: the measurements, as `read_measurements` returns them.
    """

    num_images: int
    seconds: float
    measurements: pd.DataFrame


def read_measurements(competition: Competition, paths: CompetitionPaths) -> pd.DataFrame | None:
    """Reads the measurements of all raw images from the last scan.

    Returns:
        Columns id, bad (the reason if the image is unreadable, else ''), height, width and hash (see
        `scan_worker.pixel_hash`), in the order of the sample table. None if the file is missing or was made from other
        raw data.
    """
    inputs = _inputs_fingerprint(competition, paths)
    table = files.read_sealed_csv(paths.measurements, inputs, bad=str)
    return None if table is None or not len(table) else table.fillna({"bad": ""})


def read_appearance(competition: Competition, paths: CompetitionPaths) -> pd.DataFrame | None:
    """Reads the appearance of all readable raw images from the last scan.

    Returns:
        Columns id, row (of its thumbnail), likeness (perceptual hash) and STATISTICS, in the order of the sample table.
        None if the file is missing or was made from other raw data.
    """
    inputs, companions = _inputs_fingerprint(competition, paths), (paths.thumbnails, paths.headers)
    table = files.read_sealed_csv(paths.appearance, inputs, companions, likeness=str)
    return None if table is None or not len(table) else table


def scan_images(
    competition: Competition,
    paths: CompetitionPaths,
    samples: pd.DataFrame,
    image_settings: ImageSettings | None = None,
    with_appearance: bool = False,
) -> ScanResult:
    """Reads every raw image once and computes what is missing of measurements, store and appearance.

    Args:
        competition: gives the image facts.
        paths: the files of the competition.
        samples: the sample table.
        image_settings: how to prepare the images for the store. Defaults to no store.
        with_appearance: also computes thumbnails, statistics and headers, for the audit. Defaults to False.

    Raises:
        UserError: more images are unreadable than `images.tolerate` allows, all listed in `bad_images.csv`; or a
            preparation step or window is unknown or wrong.
    """
    began = time.monotonic()
    # Wrong steps and windows are reported before any image is read.
    if image_settings:
        steps_of(image_settings)
    for window in competition.images.windows:
        window_of(window)
    with files.lock(paths.measurements):
        key = store_key(competition, paths, image_settings) if image_settings else None
        if key and store_exists(paths, key):
            key = None
        measurements = read_measurements(competition, paths)
        with_appearance = with_appearance and read_appearance(competition, paths) is None
        num_images = 0
        if measurements is None or key or with_appearance:
            num_images, measurements = _scan(
                competition, paths, samples, image_settings, key, measurements, with_appearance
            )
    return ScanResult(num_images, time.monotonic() - began, measurements)


def _scan(
    competition: Competition,
    paths: CompetitionPaths,
    samples: pd.DataFrame,
    image_settings: ImageSettings | None,
    key: str | None,
    measurements: pd.DataFrame | None,
    with_appearance: bool,
) -> tuple[int, pd.DataFrame]:
    """Scans the images that are missing, and returns their number and the measurements of all images."""
    folder = paths.unfinished_store(key) if key else paths.unfinished_scan
    shapes = {}
    if key:
        shapes["images.npy"] = (image_settings.size, image_settings.size, competition.images.num_channels)
    if with_appearance:
        shapes["thumbnails.npy"] = (perceptual_hash.THUMBNAIL, perceptual_hash.THUMBNAIL)
    scan_inputs = [JOURNAL_VERSION, _inputs_fingerprint(competition, paths), key, sorted(shapes)]
    journal = Journal(folder, files.fingerprint(scan_inputs), len(samples), shapes)
    task = ScanTask(
        raw=paths.raw_root(competition.images.root),
        facts=competition.images,
        image_settings=image_settings,
        pixels=folder / "images.npy" if key else None,
        thumbnails=folder / "thumbnails.npy" if with_appearance else None,
    )
    skipped = set() if measurements is None else set(np.flatnonzero(measurements["bad"] != ""))
    todo = [row for row in range(len(samples)) if row not in journal.done and row not in skipped]
    images = samples["image"].tolist()
    with journal.writing() as write, progress_bar("prepare", len(samples), done=len(samples) - len(todo)) as bar:
        for batch in map_in_workers(partial(scan_image, task=task), [(row, images[row]) for row in todo]):
            write(
                [
                    ImageScan(todo[index], bad=DECODER_CRASHED) if isinstance(result, WorkerDied) else result
                    for index, result in batch
                ]
            )
            bar.advance(len(batch))
    results = journal.read()
    if measurements is None:
        measurements = _measurement_table(samples, results)
        _check_bad_images(competition, paths, samples, measurements, journal)
        files.write_sealed_csv(measurements, paths.measurements, _inputs_fingerprint(competition, paths))
    else:
        changed = [row for row, result in results.items() if result.bad]
        if changed:
            journal.forget(changed)
            names = shorten_list(images[row] for row in changed)
            what = f"{count_of(len(changed), 'image')} readable in the last scan cannot be read now: {names}"
            raise UserError(what, paths.raw, f"Check the disk, and run: make download COMPETITION={paths.name}")
    readable = np.flatnonzero(measurements["bad"] == "")
    blocks = {name: journal.verify(name, results) for name in shapes}
    if with_appearance:
        _write_appearance(competition, paths, samples, readable, results, folder)
    if key:
        journal.remove()
        index = pd.DataFrame({"id": samples["id"].iloc[readable], "row": readable})
        store.finish_store(paths, key, folder, index, blocks["images.npy"])
    files.remove(folder)
    return len(todo), measurements


def _measurement_table(samples: pd.DataFrame, results: dict[int, ImageScan]) -> pd.DataFrame:
    columns = ["bad", "height", "width", "hash"]
    in_order = [results[row] for row in range(len(samples))]
    table = pd.DataFrame(
        [(scan.bad, scan.height, scan.width, scan.hash) for scan in in_order], columns=columns, index=samples.index
    )
    table[["height", "width"]] = table[["height", "width"]].astype("Int64")
    table.insert(0, "id", samples["id"])
    return table


def _check_bad_images(
    competition: Competition,
    paths: CompetitionPaths,
    samples: pd.DataFrame,
    measurements: pd.DataFrame,
    journal: Journal,
) -> None:
    """Writes the list of unreadable images, and raises UserError if there are too many.

    In that case the journal forgets them, so that the next scan reads them again: by then they may have been replaced,
    or a decoder installed.
    """
    is_unreadable = (measurements["bad"] != "").to_numpy()
    if not is_unreadable.any():
        files.remove(paths.bad_images)
        return
    bad_images = samples.loc[is_unreadable, ["id", "part"]].assign(
        file=samples.loc[is_unreadable, "image"], reason=measurements.loc[is_unreadable, "bad"]
    )
    files.write_csv(bad_images[["file", "reason", "id", "part"]], paths.bad_images)
    allowed = competition.images.tolerate
    if is_unreadable.mean() > allowed or is_unreadable.all():
        journal.forget(np.flatnonzero(is_unreadable))
        first = f"{bad_images['file'].iloc[0]}: {bad_images['reason'].iloc[0]}"
        counts = f"{is_unreadable.sum():,} of {len(is_unreadable):,} images"
        what = f"{counts} cannot be read, more than images.tolerate allows ({allowed:.2%})"
        fix = f"Download them again, or raise images.tolerate. The first: {first}"
        raise UserError(what, paths.bad_images, fix)


def _write_appearance(
    competition: Competition,
    paths: CompetitionPaths,
    samples: pd.DataFrame,
    readable: np.ndarray,
    results: dict[int, ImageScan],
    folder: Path,
) -> None:
    (folder / "thumbnails.npy").replace(paths.thumbnails)
    ids = samples["id"].to_numpy()[readable]
    appearances = [results[row].appearance for row in readable]
    headers = pd.DataFrame([appearance.headers for appearance in appearances])
    if headers.shape[1]:
        headers.insert(0, "id", ids)
        files.write_csv(headers, paths.headers)
    else:
        files.remove(paths.headers)
    table = pd.DataFrame([appearance.statistics for appearance in appearances], columns=STATISTICS)
    table.insert(0, "likeness", [appearance.likeness for appearance in appearances])
    table.insert(0, "row", readable)
    table.insert(0, "id", ids)
    inputs, companions = _inputs_fingerprint(competition, paths), (paths.thumbnails, paths.headers)
    files.write_sealed_csv(table, paths.appearance, inputs, companions)


def _inputs_fingerprint(competition: Competition, paths: CompetitionPaths) -> str:
    """Returns a fingerprint of everything that determines the measurements."""
    reading_facts = competition.images.model_dump(mode="json", include=store.READING | {"shape"})
    plugins = store.image_plugins(competition.images, paths).values()
    return files.fingerprint(
        [VERSION, reading_facts, store.image_list_fingerprint(paths), files.sha256(paths.raw_manifest), *plugins]
    )
