"""The scan of raw images on a Ray cluster, seen from here: a generator of results, as `images.scan_images` takes it."""

from collections.abc import Iterator, Sequence

from medfold.cluster.cluster_jobs import ScanJob
from medfold.cluster.connection import ClusterAddress
from medfold.cluster.driver_process import check_cluster, driver_messages
from medfold.competition import Competition
from medfold.images import ImageScan, ScanBatches, ScanSettings
from medfold.terminal.console import say


def scan_on_cluster(competition: Competition, address: ClusterAddress | None) -> ScanBatches:
    """Returns the function that scans images on a cluster; the prepared images are written here.

    Args:
        competition: the competition of the images.
        address: the cluster; None for one on this machine, for this command.

    Raises:
        UserError: Ray is not installed, or nothing answers at the address.
    """
    check_cluster(address)

    def scan_batches(images: Sequence[tuple[int, str]], settings: ScanSettings) -> Iterator[list[ImageScan]]:
        if not images:
            return
        job = ScanJob(address, list(images), settings, competition.paths.plugins)
        for message in driver_messages(competition.project_paths.root, job):
            match message:
                case {"scans": scans}:
                    yield [ImageScan.from_json(values) for values in scans]
                case {"topic": topic, "text": text}:
                    say(topic, text)

    return scan_batches
