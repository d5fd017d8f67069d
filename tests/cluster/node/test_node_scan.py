"""The scan of raw images on a node, with real images; the project folder is shared."""

import io
import json

import numpy as np
import pytest

pytest.importorskip("ray", reason="Ray is not installed")

from medfold.cluster.node import node_scan, node_task
from medfold.cluster.node.files_on_nodes import SharedFile
from medfold.cluster.node.messages import FilePart, Started
from medfold.cluster.node.node_scan import NodeScan, scan_images_on_node
from medfold.competition import PreparationSettings
from medfold.data import load_samples
from medfold.images import THUMBNAIL_SIZE, ScanSettings, scan_in_processes
from medfold.system import array_files
from medfold.training import package_versions

SIZE = 16


@pytest.fixture(autouse=True)
def _on_a_node(monkeypatch, tmp_path):
    monkeypatch.setattr(node_task.ray.util, "get_node_ip_address", lambda: "10.0.0.2")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")  # a task sets it


@pytest.fixture
def images(small):
    """Rows and paths of six images, of which one is damaged; and the settings of their scan here."""
    table = load_samples(small)
    names = table["image"].tolist()[:6]
    (small.paths.raw / names[2]).write_bytes(b"no image")
    folder = small.paths.data / "here"
    folder.mkdir()
    settings = ScanSettings(
        raw=small.paths.raw,
        image_facts=small.facts.images,
        preparation=PreparationSettings(size=SIZE),
        store_file=folder / "images.npy",
        thumbnails_file=folder / "thumbnails.npy",
    )
    return [(10 + row, name) for row, name in enumerate(names)], settings


def scanned_on_a_node(images, settings):
    raw_files = {name: SharedFile.of(settings.raw / name) for _, name in images}
    messages = list(scan_images_on_node(NodeScan(settings, None, package_versions()), images, raw_files, None))
    assert isinstance(messages[0], Started)
    archive = io.BytesIO(b"".join(message.content for message in messages if isinstance(message, FilePart)))
    return np.load(archive)


def test_results_and_pixels_equal_those_of_a_scan_here(images):
    images, settings = images
    for file, shape in (
        (settings.store_file, (SIZE, SIZE, 1)),
        (settings.thumbnails_file, (THUMBNAIL_SIZE, THUMBNAIL_SIZE)),
    ):
        array_files.create_array(file, (20, *shape), np.uint8)
    here = sorted(scan for batch in scan_in_processes(images, settings) for scan in batch)
    content = scanned_on_a_node(images, settings)
    assert json.loads(str(content[node_scan.SCANS])) == [json.loads(json.dumps(scan.to_json())) for scan in here]
    assert [bool(scan.unreadable_reason) for scan in here] == [False, False, True, False, False, False]
    np.testing.assert_array_equal(content["images.npy"], np.load(settings.store_file)[10:16])
    np.testing.assert_array_equal(content["thumbnails.npy"], np.load(settings.thumbnails_file)[10:16])


def test_image_that_does_not_exist_is_unreadable_as_here(images):
    (images, settings) = images
    (settings.raw / images[1][1]).unlink()
    raw_files = {name: SharedFile.of(settings.raw / name) for row, name in images if row != 11}
    messages = list(scan_images_on_node(NodeScan(settings, None, package_versions()), images, raw_files, None))
    content = np.load(io.BytesIO(b"".join(message.content for message in messages if isinstance(message, FilePart))))
    scans = json.loads(str(content[node_scan.SCANS]))
    assert [scan[0] for scan in scans if scan[1]] == [11, 12]


def test_other_packages_end_the_task_with_an_error(images):
    images, settings = images
    (_, message) = scan_images_on_node(NodeScan(settings, None, {"numpy": "1.0"}), images, {}, None)
    assert "has other packages" in str(message.error)
