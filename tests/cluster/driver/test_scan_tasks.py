"""The scan of images as tasks of the driver: the parts of the work, and what arrives."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("ray", reason="Ray is not installed")

from medfold.cluster.cluster_jobs import ScanJob
from medfold.cluster.driver import scan_tasks
from medfold.cluster.driver.capacity import NodeResources
from medfold.cluster.node import node_scan
from medfold.cluster.node.messages import RESULTS
from medfold.competition import PreparationSettings
from medfold.images import ScanSettings
from medfold.system import array_files

SIZE = 64
IMAGE_BYTES = SIZE * SIZE  # of one channel


@pytest.fixture
def sent():
    """The messages of the driver."""
    return []


@pytest.fixture
def scanned(monkeypatch, small, tmp_path, sent):
    """Returns a function that divides a scan into tasks, and returns them."""
    monkeypatch.setattr(scan_tasks.ray, "put", lambda value: value)
    monkeypatch.setattr(scan_tasks, "start_file_server", lambda shared, folder: ("server", shared, folder))
    monkeypatch.setattr(scan_tasks, "ClusterTask", lambda topic, **arguments: SimpleNamespace(topic=topic, **arguments))

    def scan(images, nodes):
        tasks = []
        monkeypatch.setattr(scan_tasks, "run_tasks", lambda given, num_parallel: tasks.extend([*given, num_parallel]))
        raw = tmp_path / "raw"
        raw.mkdir(exist_ok=True)
        preparation = PreparationSettings(size=SIZE)
        settings = ScanSettings(raw, small.facts.images, preparation, store_file=tmp_path / "images.npy")
        job = ScanJob(None, images, settings, small.paths.plugins)
        scan_tasks.scan(job, nodes, lambda **message: sent.append(message))
        return tasks

    return scan


@pytest.mark.parametrize(
    ("num_images", "num_cores", "sizes"),
    [(3, 4, [1, 1, 1]), (64, 4, [4] * 16), (10_000, 2, [1250] * 8), (40_000, 2, [2048] * 19 + [1088])],
)
def test_images_are_divided_so_that_all_cores_work(scanned, num_images, num_cores, sizes):
    *tasks, num_parallel = scanned(
        [(row, f"{row}.png") for row in range(num_images)], [NodeResources(num_cores - 1, 0), NodeResources(1, 0)]
    )
    parts = [task.arguments()[1] for task in tasks]
    assert [len(part) for part in parts] == sizes
    assert [image for part in parts for image in part] == [(row, f"{row}.png") for row in range(num_images)]
    assert num_parallel == 2 * num_cores


def test_pixels_of_a_task_are_limited(scanned, monkeypatch):
    monkeypatch.setattr(scan_tasks, "MAX_BYTES", 10 * IMAGE_BYTES)
    *tasks, _ = scanned([(row, f"{row}.png") for row in range(100)], [NodeResources(1, 0)])
    assert [len(task.arguments()[1]) for task in tasks] == [10] * 10
    monkeypatch.setattr(scan_tasks, "MAX_BYTES", 1)
    *tasks, _ = scanned([(0, "a.png"), (1, "b.png")], [NodeResources(1, 0)])
    assert len(tasks) == 2


def test_task_gets_the_files_of_its_images_that_exist(scanned, tmp_path):
    (tmp_path / "raw").mkdir()
    for name in ("a.png", "b.npz", "red.png", "green.png"):
        (tmp_path / "raw" / name).write_bytes(b"pixels")
    images = [(0, "a.png"), (1, "b.npz#3"), (2, "b.npz#4"), (3, "red.png|green.png"), (4, "gone.png")]
    *tasks, _ = scanned(images, [NodeResources(1, 0)])
    found = [set(task.arguments()[2]) for task in tasks]
    assert found == [{"a.png"}, {"b.npz"}, {"b.npz"}, {"red.png", "green.png"}, set()]
    assert all(task.resources.file_server == ("server", [], tmp_path / "raw") for task in tasks)


def test_pixels_of_readable_images_are_written_to_their_rows(scanned, tmp_path, sent):
    array_files.create_array(tmp_path / "images.npy", (4, 2, 2, 1), np.uint8)
    images = [(1, "a.png"), (3, "b.png"), (0, "c.png")]
    task, *_ = scanned([*images, *[(2, "d.png")] * 9], [NodeResources(1, 0)])
    assert task.arguments()[1] == images
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1) + 1
    scans = [[1, "", 9, 9, "hash", {}], [3, "no image"], [0, "", 9, 9, "hash", {}]]
    archive = tmp_path / "results.npz"
    np.savez(archive, **{"images.npy": pixels, node_scan.SCANS: np.array(json.dumps(scans))})
    task.receivers[RESULTS](archive)
    written = np.load(tmp_path / "images.npy")
    np.testing.assert_array_equal(written[[1, 0]], pixels[[0, 2]])
    assert not written[[2, 3]].any()
    assert sent == [{"scans": scans}]
    assert not archive.exists()
