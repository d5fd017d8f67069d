"""Scans the images of a competition, and warns of unreadable images."""

import pandas as pd

from medfold.competition import Competition, PreparationSettings
from medfold.data.raw_data import load_samples
from medfold.images import ScanBatches, ScanResult, problem_of, scan_images, store_key
from medfold.project_root import display_path
from medfold.terminal.console import format_duration, say, warn
from medfold.text import count_of

MAX_SHOWN = 3  # unreadable images listed on the terminal


def scan_dataset(
    competition: Competition,
    preparation: PreparationSettings | None = None,
    with_appearance: bool = False,
    scan_batches: ScanBatches | None = None,
) -> tuple[pd.DataFrame, ScanResult]:
    """Loads the sample table and the measurements of its images; scans images that have not been measured.

    If images were scanned, it prints their number, and warns of unreadable images.

    Args:
        competition: the competition; measurements and store are put into its data/.
        preparation: `preparation` of a recipe; scanned images are also written to the store of these settings. Defaults
            to none: images are only measured.
        with_appearance: also compute what the audit and the search for near-duplicates need: thumbnails, statistics,
            headers. Defaults to False.
        scan_batches: scans images, as `scan_images` takes it. Defaults to all cores of this machine.

    Returns:
        The sample table; the result of the scan, with the measurements in the same order.
    """
    table = load_samples(competition)
    scan = scan_images(competition, table, preparation, with_appearance, scan_batches)
    if scan.num_images:
        message = f"{count_of(scan.num_images, 'image')} scanned"
        if preparation:
            message = f"{count_of(scan.num_images, 'image')} at {preparation.size}x{preparation.size} px"
            message += f" -> {display_path(competition.paths.store(store_key(competition, preparation)))}"
        rate = f", {scan.num_images / scan.seconds:,.0f} a second" if scan.seconds > 1 else ""
        say("prepare", f"{message}, {format_duration(scan.seconds)}{rate}")
        warn_of_unreadable(competition, table, scan.measurements)
    return table, scan


def warn_of_unreadable(competition: Competition, table: pd.DataFrame, measurements: pd.DataFrame) -> None:
    """Prints how many training and test images cannot be read, and the first ones with their reasons.

    Args:
        competition: the competition of the images.
        table: the sample table.
        measurements: the measurements of a scan, in the same order.
    """
    unreadable = (measurements["unreadable_reason"] != "").to_numpy()
    if not unreadable.any():
        return
    counts = table.loc[unreadable, "part"].value_counts()
    by_part = " and ".join(
        f"{counts[part]:,} {word}" for part, word in (("train", "training"), ("test", "test")) if part in counts
    )
    problem = problem_of(measurements.loc[unreadable, "unreadable_reason"])
    consequence = "left out of training; a test image among them gets the mean of the training labels"
    warn("prepare", f"{by_part} {'image' if counts.sum() == 1 else 'images'} {problem}: {consequence}")
    for row in unreadable.nonzero()[0][:MAX_SHOWN]:
        warn("", f"{table['image'].iloc[row]}: {measurements['unreadable_reason'].iloc[row]}")
    warn("", f"all of them: {display_path(competition.paths.unreadable_images)}")
