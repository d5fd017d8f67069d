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
from medfold.images.image_list import read_image_list_fingerprint
from medfold.images.prepared_image import OTHER_SHAPE, problem_of
from medfold.images.scan_worker import STATISTICS, ImageScan
from medfold.paths import CompetitionPaths
from medfold.system import files
from medfold.system.hashes import fingerprint, sha256
from medfold.tables import read_sealed_csv, write_csv, write_sealed_csv

VERSION = 3  # increase it when the same images give other measurements


def read_measurements(competition: Competition) -> pd.DataFrame | None:
    """Reads the measurements of all raw images from the last scan.

    Returns:
        Columns id, unreadable_reason ('' if the image can be read), height, width and pixel_hash (see
        `scan_worker.hash_pixels`), in the order of the sample table. None if the file is missing or was made from other
        raw data.
    """
    inputs = raw_images_fingerprint(competition)
    table = read_sealed_csv(competition.paths.measurements, inputs, (), MEASUREMENTS, unreadable_reason=str)
    return None if table is None or not len(table) else table.fillna({"unreadable_reason": ""})


def read_appearance(competition: Competition) -> pd.DataFrame | None:
    """Reads the appearance of all readable raw images from the last scan.

    Returns:
        Columns id, row (of its thumbnail), perceptual_hash and STATISTICS, in the order of the sample table.
        None if the file is missing or was made from other raw data.
    """
    paths = competition.paths
    inputs = raw_images_fingerprint(competition)
    companions = (paths.thumbnails, paths.headers)
    table = read_sealed_csv(paths.appearance, inputs, companions, APPEARANCE, perceptual_hash=str)
    return None if table is None or not len(table) else table


def read_scanned_headers(paths: CompetitionPaths) -> pd.DataFrame | None:
    """Reads the technical DICOM headers of all readable raw images from the last scan.

    Returns:
        Text columns named by DICOM keyword, indexed by image id; '' for a missing header. None if no image has headers.
    """
    if not paths.headers.is_file():
        return None
    return pd.read_csv(paths.headers, dtype=str, keep_default_na=False).set_index("id")


def raw_images_fingerprint(competition: Competition) -> str:
    """Returns a fingerprint of everything that determines the measurements."""
    facts, paths = competition.facts, competition.paths
    reading_facts = facts.fingerprint_input({"images": store.READING_FACTS | {"expected_shape"}})["images"]
    plugins = store.image_plugins(facts.images, paths).values()
    return fingerprint(
        [VERSION, reading_facts, read_image_list_fingerprint(paths), sha256(paths.raw_manifest), *plugins]
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


def write_unreadable_images(paths: CompetitionPaths, samples: pd.DataFrame, measurements: pd.DataFrame) -> pd.DataFrame:
    """Writes the list of unreadable images; no file if all can be read.

    Args:
        paths: paths of the competition.
        samples: the sample table.
        measurements: the measurements, in the order of `samples`.

    Returns:
        The list: id, part, image (its path) and unreadable_reason of each unreadable image.
    """
    is_unreadable = (measurements["unreadable_reason"] != "").to_numpy()
    unreadable_images = samples.loc[is_unreadable, ["id", "part", "image"]].assign(
        unreadable_reason=measurements.loc[is_unreadable, "unreadable_reason"]
    )
    if len(unreadable_images):
        write_csv(unreadable_images, paths.unreadable_images)
    else:
        files.remove(paths.unreadable_images)
    return unreadable_images


def check_enough_readable(competition: Competition, unreadable_images: pd.DataFrame, num_images: int) -> None:
    """Checks that no more images are unreadable than `images.max_unreadable` allows, and that some can be read.

    Args:
        competition: the competition (`images.max_unreadable`).
        unreadable_images: the list of unreadable images.
        num_images: number of all images.

    Raises:
        UserError: too many are unreadable, or all.
    """
    if not len(unreadable_images):
        return
    allowed = competition.facts.images.max_unreadable
    are_all_unreadable = len(unreadable_images) == num_images
    if len(unreadable_images) / num_images <= allowed and not are_all_unreadable:
        return
    first = unreadable_images.iloc[0]
    reasons = unreadable_images["unreadable_reason"]
    what = (
        f"{len(unreadable_images):,} of {num_images:,} images {problem_of(reasons)}, more than images.max_unreadable "
        f"allows ({allowed:.2%}). The first: {first['image']}: {first['unreadable_reason']}"
    )
    if are_all_unreadable and reasons.nunique() == 1:
        fix = "All have this reason: check 'images' in competition.yaml, and the files"
    elif reasons.str.endswith(OTHER_SHAPE).all():
        fix = "Correct images.expected_shape, remove it if images differ in size, or raise images.max_unreadable"
    else:
        fix = "Replace them with undamaged copies, or raise images.max_unreadable"
    raise UserError(what, competition.paths.unreadable_images, fix)


def write_appearance(competition: Competition, ids: pd.Series, results: dict[int, ImageScan], thumbnails: Path) -> None:
    """Writes the appearance and the headers of all readable images, and moves the thumbnails beside them.

    Args:
        competition: the competition of the images.
        ids: ids of all images, in the order of the sample table.
        results: the result of every readable image, by its row in the sample table.
        thumbnails: .npy file with the thumbnails of all images.
    """
    paths = competition.paths
    thumbnails.replace(paths.thumbnails)
    readable = np.array(sorted(row for row, result in results.items() if not result.unreadable_reason), int)
    readable_ids = ids.to_numpy()[readable]
    appearances = [results[row].appearance for row in readable]
    headers = pd.DataFrame([appearance.headers for appearance in appearances])
    if headers.shape[1]:
        headers.insert(0, "id", readable_ids)
        write_csv(headers, paths.headers)
    else:
        files.remove(paths.headers)
    table = pd.DataFrame([appearance.statistics for appearance in appearances], columns=STATISTICS)
    table.insert(0, "perceptual_hash", [appearance.perceptual_hash for appearance in appearances])
    table.insert(0, "row", readable)
    table.insert(0, "id", readable_ids)
    inputs = raw_images_fingerprint(competition)
    companions = (paths.thumbnails, paths.headers)
    write_sealed_csv(table, paths.appearance, inputs, companions)
