"""What a task of Ray does on a node to scan raw images: it decodes them in workers, and sends their pixels."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from medfold.cluster.node.files_on_nodes import PART_BYTES, SharedFile, fetch, send_file, wait_for
from medfold.cluster.node.messages import HEARTBEAT_SECONDS, RESULTS, Heartbeat, Message
from medfold.cluster.node.node_task import check_versions, reported
from medfold.competition import use_plugins
from medfold.images import ImageScan, ScanSettings, array_shapes, scan_in_processes
from medfold.system import array_files, hardware
from medfold.system.threads import items_from_thread

SCANS = "scans.json"  # the results, beside the arrays that they fill
COPIES_UNDER_WAY = 16


@dataclass(frozen=True)
class NodeScan:
    """What the images of a task have in common.

    Args:
        settings: what to compute for each image; folders and files are those of the driver's machine.
        plugins: content of plugins.py; None if there is none.
        versions: version of each package that must be the same on all nodes.
    """

    settings: ScanSettings
    plugins: bytes | None
    versions: dict[str, str]


def scan_images_on_node(
    node_scan: NodeScan, images: list[tuple[int, str]], raw_files: dict[str, SharedFile], file_server: Any
) -> Iterator[Message]:
    """Scans images on this node.

    Args:
        node_scan: what to compute.
        images: row and path of each image.
        raw_files: the files of these images, by their path below the raw folder; files that do not exist are left out.
        file_server: the FileServer, as a handle of Ray.

    Yields:
        Messages; the file is an archive of NumPy with the pixels of these images, in their order, and the results.
    """
    yield from reported(lambda folder: _scan(node_scan, images, raw_files, folder, file_server))


def _scan(
    node_scan: NodeScan, images: list[tuple[int, str]], raw_files: dict[str, SharedFile], folder: Path, file_server: Any
) -> Iterator[Message]:
    """Gets the raw files, scans the images, and sends the results."""
    check_versions(node_scan.versions)
    if node_scan.plugins is not None:
        (folder / "plugins.py").write_bytes(node_scan.plugins)
    use_plugins(folder / "plugins.py")
    raw = folder / "raw"
    yield from _get_raw_files(raw_files, raw, file_server)
    settings = _settings_here(node_scan.settings, raw, folder, len(images))
    os.environ[hardware.THREAD_VARIABLES[0]] = "1"  # the task has one core
    numbered = [(number, path) for number, (_, path) in enumerate(images)]

    def scan_all(put: Callable[[list[ImageScan]], None]) -> None:
        for batch in scan_in_processes(numbered, settings):
            put(batch)

    scans: list[ImageScan] = []
    for batch in items_from_thread(scan_all, HEARTBEAT_SECONDS):
        scans += batch or []
        yield Heartbeat()
    rows = [row for row, _ in images]
    content = [scan._replace(row=rows[scan.row]).to_json() for scan in sorted(scans)]
    arrays = {file.name: np.load(file) for file in (settings.store_file, settings.thumbnails_file) if file}
    np.savez(folder / "results.npz", **arrays, **{SCANS: np.array(json.dumps(content))})
    yield from send_file(RESULTS, folder / "results.npz")


def _get_raw_files(raw_files: dict[str, SharedFile], raw: Path, file_server: Any) -> Iterator[Message]:
    """Puts the raw files in place: links to a shared folder or to the cache, or copies of small ones."""
    raw.mkdir()
    small = {name: file for name, file in raw_files.items() if file.size <= PART_BYTES and not file.is_here()}
    for name, file in raw_files.items():
        path = raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name not in small:  # shared, or so large that it may hold images of other tasks, too
            path.symlink_to((yield from fetch(file_server, file)))
    names = iter(small)
    under_way = {name: file_server.read.remote(small[name], 0) for name in islice(names, COPIES_UNDER_WAY)}
    while under_way:
        name = next(iter(under_way))
        reading = under_way.pop(name)
        (raw / name).write_bytes((yield from wait_for(reading)))
        if (following := next(names, None)) is not None:
            under_way[following] = file_server.read.remote(small[following], 0)


def _settings_here(settings: ScanSettings, raw: Path, folder: Path, num_images: int) -> ScanSettings:
    """Returns the settings with the folders and new files of this node."""
    shapes = array_shapes(settings)
    for name, shape in shapes.items():
        array_files.create_array(folder / name, (num_images, *shape), np.uint8)
    store, thumbnails = settings.store_file, settings.thumbnails_file
    return replace(
        settings,
        raw=raw,
        store_file=folder / store.name if store else None,
        thumbnails_file=folder / thumbnails.name if thumbnails else None,
    )
