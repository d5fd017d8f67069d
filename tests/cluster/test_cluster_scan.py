"""The scan of images on a cluster, seen from the command; the driver is imitated by the scan of one machine."""

import pytest

from medfold.cluster import cluster_scan
from medfold.cluster.cluster_scan import scan_on_cluster
from medfold.competition import PreparationSettings
from medfold.data import load_samples
from medfold.errors import UserError
from medfold.images import load_store, scan_images, scan_in_processes, store_key
from tests.support.helpers import refused

PREPARATION = PreparationSettings(size=16)


@pytest.fixture
def scan_by(small, monkeypatch):
    """Returns a function that scans the images with a driver."""

    def scan_by(driver_messages):
        monkeypatch.setattr(cluster_scan, "driver_messages", driver_messages)
        monkeypatch.setattr(cluster_scan, "check_cluster", lambda address: None)
        table = load_samples(small)
        return scan_images(small, table, PREPARATION, scan_batches=scan_on_cluster(small, None)), table

    return scan_by


def test_results_of_the_driver_become_measurements_and_store(small, scan_by, capsys):
    jobs = []

    def driver_messages(root, job):
        jobs.append(job)
        yield {"topic": "cluster", "text": "2 nodes"}
        for batch in scan_in_processes(job.images, job.settings):
            yield {"scans": [scan.to_json() for scan in batch]}

    result, table = scan_by(driver_messages)
    assert result.num_images == len(table)
    assert len(load_store(small.paths, store_key(small, PREPARATION)).rows) == len(table)
    (job,) = jobs
    assert job.images == list(enumerate(table["image"]))
    assert "cluster    2 nodes\n" in capsys.readouterr().out


def test_scan_that_ends_with_an_error_goes_on_where_it_was(small, scan_by):
    def fails_at_once(root, job):
        yield {"scans": [scan.to_json() for scan in next(scan_in_processes(job.images, job.settings))]}
        raise UserError("no node is left")

    with refused("no node is left"):
        scan_by(fails_at_once)
    rest = []

    def goes_on(root, job):
        rest.extend(job.images)
        for batch in scan_in_processes(job.images, job.settings):
            yield {"scans": [scan.to_json() for scan in batch]}

    _, table = scan_by(goes_on)
    assert 0 < len(rest) < len(table)


def test_no_image_needs_no_cluster(small, monkeypatch):
    monkeypatch.setattr(cluster_scan, "check_cluster", lambda address: None)
    assert list(scan_on_cluster(small, None)([], None)) == []
