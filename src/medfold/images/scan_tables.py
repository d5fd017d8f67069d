"""Tables that a scan writes: measurements, appearance, headers and unreadable images.

Measurements and appearance are valid only for the raw images that they were computed from: a fingerprint beside them
names these.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import Competition
from medfold.earlier_versions import APPEARANCE, MEASUREMENTS
from medfold.errors import UserError
from medfold.images import store
from medfold.images.scan_worker import STATISTICS, ImageScan
from medfold.paths import CompetitionPaths
from medfold.system import files

VERSION = 3  # increase it when the same images give other measurements


def read_measurements(competition: Competition, paths: CompetitionPaths) -> pd.DataFrame | None:
    """Reads the measurements of all raw images from the last scan.

    Returns:
        Columns id, unreadable_reason ('' if the image can be read), height, width and pixel_hash (see
        `scan_worker.hash_pixels`), in the order of the sample table. None if the file is missing or was made from other
        raw data.
    """
    inputs = raw_images_fingerprint(competition, paths)
    table = files.read_sealed_csv(paths.measurements, inputs, (), MEASUREMENTS, unreadable_reason=str)
    return None if table is None or not len(table) else table.fillna({"unreadable_reason": ""})


def read_appearance(competition: Competition, paths: CompetitionPaths) -> pd.DataFrame | None:
    """Reads the appearance of all readable raw images from the last scan.

    Returns:
        Columns id, row (of its thumbnail), perceptual_hash and STATISTICS, in the order of the sample table.
        None if the file is missing or was made from other raw data.
    """
    inputs = raw_images_fingerprint(competition, paths)
    companions = (paths.thumbnails, paths.headers)
    table = files.read_sealed_csv(paths.appearance, inputs, companions, APPEARANCE, perceptual_hash=str)
    return None if table is None or not len(table) else table


def raw_images_fingerprint(competition: Competition, paths: CompetitionPaths) -> str:
    """Returns a fingerprint of everything that determines the measurements."""
    reading_facts = competition.images.model_dump(mode="json", include=store.READING_FACTS | {"shape"})
    plugins = store.image_plugins(competition.images, paths).values()
    return files.fingerprint(
        [VERSION, reading_facts, store.image_list_fingerprint(paths), files.sha256(paths.raw_manifest), *plugins]
    )


def measurement_table(samples: pd.DataFrame, results: dict[int, ImageScan]) -> pd.DataFrame:
    """Returns the measurements as a table, see `read_measurements`.

    Args:
        samples: the sample table.
        results: the result of every image, by its row in `samples`.
    """
    columns = ["unreadable_reason", "height", "width", "pixel_hash"]
    in_order = [results[row] for row in range(len(samples))]
    table = pd.DataFrame(
        [(scan.unreadable_reason, scan.height, scan.width, scan.pixel_hash) for scan in in_order],
        columns=columns,
        index=samples.index,
    )
    table[["height", "width"]] = table[["height", "width"]].astype("Int64")
    table.insert(0, "id", samples["id"])
    return table


def write_unreadable_images(
    competition: Competition, paths: CompetitionPaths, samples: pd.DataFrame, measurements: pd.DataFrame
) -> None:
    """Writes the list of unreadable images; no file if all can be read.

    Args:
        competition: `images.max_unreadable` is the share of images that may be unreadable.
        paths: the files of the competition.
        samples: the sample table.
        measurements: the measurements, in the order of `samples`.

    Raises:
        UserError: more images are unreadable than allowed, or all.
    """
    is_unreadable = (measurements["unreadable_reason"] != "").to_numpy()
    if not is_unreadable.any():
        files.remove(paths.unreadable_images)
        return
    unreadable_images = samples.loc[is_unreadable, ["id", "part"]].assign(
        file=samples.loc[is_unreadable, "image"], reason=measurements.loc[is_unreadable, "unreadable_reason"]
    )
    files.write_csv(unreadable_images[["file", "reason", "id", "part"]], paths.unreadable_images)
    allowed = competition.images.max_unreadable
    if is_unreadable.mean() > allowed or is_unreadable.all():
        first = f"{unreadable_images['file'].iloc[0]}: {unreadable_images['reason'].iloc[0]}"
        counts = f"{is_unreadable.sum():,} of {len(is_unreadable):,} images"
        what = f"{counts} cannot be read, more than images.max_unreadable allows ({allowed:.2%}). The first: {first}"
        if is_unreadable.all() and unreadable_images["reason"].nunique() == 1:
            fix = "All have this reason: check 'images' in competition.yaml, and the files"
        else:
            fix = "Download them again, or raise images.max_unreadable"
        raise UserError(what, paths.unreadable_images, fix)


def write_appearance(
    competition: Competition,
    paths: CompetitionPaths,
    ids: pd.Series,
    results: dict[int, ImageScan],
    thumbnails: Path,
) -> None:
    """Writes the appearance and the headers of all readable images, and moves the thumbnails beside them.

    Args:
        competition: determines the fingerprint of the raw images.
        paths: the files of the competition.
        ids: ids of all images, in the order of the sample table.
        results: the result of every readable image, by its row in the sample table.
        thumbnails: .npy file with the thumbnails of all images.
    """
    thumbnails.replace(paths.thumbnails)
    readable = np.array(sorted(row for row, result in results.items() if not result.unreadable_reason), int)
    readable_ids = ids.to_numpy()[readable]
    appearances = [results[row].appearance for row in readable]
    headers = pd.DataFrame([appearance.headers for appearance in appearances])
    if headers.shape[1]:
        headers.insert(0, "id", readable_ids)
        files.write_csv(headers, paths.headers)
    else:
        files.remove(paths.headers)
    table = pd.DataFrame([appearance.statistics for appearance in appearances], columns=STATISTICS)
    table.insert(0, "perceptual_hash", [appearance.perceptual_hash for appearance in appearances])
    table.insert(0, "row", readable)
    table.insert(0, "id", readable_ids)
    inputs = raw_images_fingerprint(competition, paths)
    companions = (paths.thumbnails, paths.headers)
    files.write_sealed_csv(table, paths.appearance, inputs, companions)
