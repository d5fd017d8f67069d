"""The scan of all raw images: each one is decoded once, measured, and prepared for the store.

A journal makes the scan resumable after it was killed.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from medfold.competition import Competition, PreparationSettings
from medfold.errors import UserError
from medfold.images.formats.windows import window_of
from medfold.images.image_batches import DECODER_CRASHED
from medfold.images.perceptual_hash import THUMBNAIL_SIZE
from medfold.images.preparation import steps_of
from medfold.images.scan_journal import Journal
from medfold.images.scan_tables import (
    check_enough_readable,
    measurement_table,
    raw_images_fingerprint,
    read_appearance,
    read_measurements,
    write_appearance,
    write_unreadable_images,
)
from medfold.images.scan_worker import ImageScan, ScanSettings, scan_image
from medfold.images.store import IMAGES_FILE, finish_store, store_exists, store_key
from medfold.images.worker_pool import WorkerDied, map_in_workers
from medfold.paths import CompetitionPaths
from medfold.system import files, locks
from medfold.system.hashes import fingerprint
from medfold.tables import write_sealed_csv
from medfold.terminal.progress import progress_bar
from medfold.text import count_of, shorten_list

JOURNAL_VERSION = 2  # raised when a journal has other contents: an older unfinished scan starts again
ScanBatches = Callable[[Sequence[tuple[int, str]], ScanSettings], Iterator[list[ImageScan]]]
THUMBNAILS_FILE = "thumbnails.npy"  # file name in the folder of an unfinished scan


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


def scan_images(
    competition: Competition,
    samples: pd.DataFrame,
    preparation: PreparationSettings | None = None,
    with_appearance: bool = False,
    scan_batches: ScanBatches | None = None,
) -> ScanResult:
    """Reads every raw image once and computes what is missing of measurements, store and appearance.

    Args:
        competition: the competition; measurements and store are put into its data/.
        samples: the sample table.
        preparation: how to prepare the images for the store. Defaults to no store.
        with_appearance: also compute what the audit and the search for near-duplicates need: thumbnails, statistics,
            headers. Defaults to False.
        scan_batches: scans images; it writes their pixels, and yields the results. Defaults to `scan_in_processes`.

    Raises:
        UserError: more images are unreadable than `images.max_unreadable` allows, all listed in
            `unreadable_images.csv`; or a preparation step or window is unknown or wrong.
    """
    began = time.monotonic()
    # Wrong steps and windows are reported before any image is read.
    if preparation:
        steps_of(preparation)
    for window in competition.facts.images.windows:
        window_of(window)
    with locks.lock(competition.paths.measurements):
        measurements = read_measurements(competition)
        missing = _MissingResults(
            preparation=_if_store_is_missing(competition, preparation),
            measurements=measurements,
            with_appearance=with_appearance and read_appearance(competition) is None,
        )
        num_images = 0
        if missing.is_needed:
            num_images, measurements = _scan(competition, samples, missing, scan_batches or scan_in_processes)
        _remove_finished_scan(competition)
    return ScanResult(num_images, time.monotonic() - began, measurements)


def _remove_finished_scan(competition: Competition) -> None:
    """Removes the journal of a scan that was killed when it had written all its tables."""
    folder = competition.paths.unfinished_scan
    tables = (read_measurements, read_appearance)
    if folder.is_dir() and all(read(competition) is not None for read in tables):
        files.remove(folder)


@dataclass(frozen=True)
class _MissingResults:
    """The results that are missing, which a scan computes.

    Args:
        preparation: how to prepare the images for the store; None if no store is to be filled.
        measurements: measurements of the last scan, see `read_measurements`; None if they are to be computed.
        with_appearance: True if the appearance of the images is to be computed.
    """

    preparation: PreparationSettings | None
    measurements: pd.DataFrame | None
    with_appearance: bool

    @property
    def is_needed(self) -> bool:
        """True if anything is missing."""
        return self.measurements is None or self.preparation is not None or self.with_appearance

    def needed_rows(self, num_images: int) -> list[int]:
        """Returns the rows of the images to scan: all but the images that could not be read in the last scan."""
        if self.measurements is None:
            return list(range(num_images))
        return np.flatnonzero(self.measurements["unreadable_reason"] == "").tolist()


def _if_store_is_missing(
    competition: Competition, preparation: PreparationSettings | None
) -> PreparationSettings | None:
    """Returns the preparation, or None if its store exists already."""
    if preparation and store_exists(competition.paths, store_key(competition, preparation)):
        return None
    return preparation


def _scan(
    competition: Competition, samples: pd.DataFrame, missing: _MissingResults, scan_batches: ScanBatches
) -> tuple[int, pd.DataFrame]:
    """Scans the images, and writes what is missing.

    Returns:
        The number of images that were scanned now, and the measurements of all images.
    """
    paths, image_facts = competition.paths, competition.facts.images
    key = store_key(competition, missing.preparation) if missing.preparation else None
    folder = paths.unfinished_store(key) if key else paths.unfinished_scan
    settings = ScanSettings(
        raw=paths.raw_root(image_facts.root),
        image_facts=image_facts,
        preparation=missing.preparation,
        store_file=folder / IMAGES_FILE if key else None,
        thumbnails_file=folder / THUMBNAILS_FILE if missing.with_appearance else None,
    )
    shapes = array_shapes(settings)
    scan_inputs = [JOURNAL_VERSION, raw_images_fingerprint(competition), key, sorted(shapes)]
    journal = Journal(folder, fingerprint(scan_inputs), len(samples), shapes)

    needed_rows = missing.needed_rows(len(samples))
    num_scanned = _scan_remaining(journal, settings, samples["image"].tolist(), needed_rows, scan_batches)
    results = _read_results(journal, needed_rows)

    measurements = missing.measurements
    if measurements is None:
        measurements = _finish_measurements(competition, samples, journal, results)
    else:
        _check_still_readable(paths, samples, journal, results)
    blocks = {name: journal.verify(name, results) for name in shapes}
    if missing.with_appearance:
        write_appearance(competition, samples["id"], results, settings.thumbnails_file)
    if key:
        journal.remove()
        readable = np.flatnonzero(measurements["unreadable_reason"] == "")
        index = pd.DataFrame({"id": samples["id"].iloc[readable], "row": readable})
        finish_store(paths, key, folder, index, blocks[IMAGES_FILE])
    files.remove(folder)
    return num_scanned, measurements


def array_shapes(settings: ScanSettings) -> dict[str, tuple[int, ...]]:
    """Returns the shape of one image in each array that a scan fills, by file name."""
    shapes = {}
    if settings.store_file:
        size = settings.preparation.size
        shapes[settings.store_file.name] = (size, size, settings.image_facts.num_channels)
    if settings.thumbnails_file:
        shapes[settings.thumbnails_file.name] = (THUMBNAIL_SIZE, THUMBNAIL_SIZE)
    return shapes


def _scan_remaining(
    journal: Journal, settings: ScanSettings, image_paths: list[str], rows: list[int], scan_batches: ScanBatches
) -> int:
    """Scans the images that the journal does not contain yet, and returns their number.

    Args:
        journal: the results are added to it.
        settings: what to compute for each image.
        image_paths: paths of all images.
        rows: the images that are needed, as positions in `image_paths`.
        scan_batches: scans them.
    """
    todo = [(row, image_paths[row]) for row in rows if row not in journal.done]
    num_images = len(image_paths)
    with journal.writing() as write, progress_bar("prepare", num_images, done=num_images - len(todo)) as bar:
        for scans in scan_batches(todo, settings):
            write(scans)
            bar.advance(len(scans))
    return len(todo)


def scan_in_processes(images: Sequence[tuple[int, str]], settings: ScanSettings) -> Iterator[list[ImageScan]]:
    """Scans images in as many processes as there are cores.

    Args:
        images: row and path of each image.
        settings: what to compute for each image.

    Yields:
        Results, in the order of completion.
    """
    for batch in map_in_workers(partial(scan_image, settings=settings), images, settings.image_facts.max_megabytes):
        yield [
            ImageScan(images[index][0], unreadable_reason=DECODER_CRASHED) if isinstance(result, WorkerDied) else result
            for index, result in batch
        ]


def _read_results(journal: Journal, needed_rows: list[int]) -> dict[int, ImageScan]:
    """Reads the results of the needed images, by row.

    A killed scan may have left others: of images that its measurements count as unreadable.
    """
    found = journal.read()
    return {row: found[row] for row in needed_rows if row in found}


def _finish_measurements(
    competition: Competition, samples: pd.DataFrame, journal: Journal, results: dict[int, ImageScan]
) -> pd.DataFrame:
    """Writes the measurements and the list of unreadable images, and returns the measurements.

    If too many are unreadable, the journal forgets them, so that the next scan reads them again: by then they may have
    been replaced, or a decoder installed.

    Raises:
        UserError: more images are unreadable than `images.max_unreadable` allows.
    """
    measurements = measurement_table(samples, results)
    unreadable_images = write_unreadable_images(competition.paths, samples, measurements)
    try:
        check_enough_readable(competition, unreadable_images, len(samples))
    except UserError:
        journal.forget(np.flatnonzero(measurements["unreadable_reason"] != ""))
        raise
    write_sealed_csv(measurements, competition.paths.measurements, raw_images_fingerprint(competition))
    return measurements


def _check_still_readable(
    paths: CompetitionPaths, samples: pd.DataFrame, journal: Journal, results: dict[int, ImageScan]
) -> None:
    """Checks that the images which could be read in the last scan can still be read; the journal forgets the others.

    Raises:
        UserError: some cannot; they are named.
    """
    changed = [row for row, result in results.items() if result.unreadable_reason]
    if changed:
        journal.forget(changed)
        names = shorten_list(samples["image"].iloc[row] for row in changed)
        what = f"{count_of(len(changed), 'image')} readable in the last scan cannot be read now: {names}"
        raise UserError(what, paths.raw, "Check the disk, and replace them with undamaged copies")
