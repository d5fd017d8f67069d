"""What a task of Ray does on a node to scan raw images: it decodes them in workers, and sends their pixels."""

import json
import os
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import ray

from medfold.cluster.files_on_nodes import PART_BYTES, SharedFile, fetch, send_file
from medfold.cluster.node import (
    HEARTBEAT_SECONDS,
    RESULTS,
    Message,
    check_versions,
    first_message,
    this_node,
    work_folder,
)
from medfold.competition import use_plugins
from medfold.errors import UserError, explain_os_error
from medfold.images import ImageScan, ScanSettings, array_shapes, scan_in_processes
from medfold.system import array_files, hardware

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


def scan_images(
    node_scan: NodeScan, images: list[tuple[int, str]], raw_files: dict[str, SharedFile], server: Any
) -> Iterator[Message]:
    """Scans images on this node.

    Args:
        node_scan: what to compute.
        images: row and path of each image.
        raw_files: the files of these images, by their path below the raw folder; files that do not exist are left out.
        server: the FileServer, as a handle of Ray.

    Yields:
        Messages; the file is an archive of NumPy with the pixels of these images, in their order, and the results.
    """
    with work_folder() as folder:
        yield first_message()
        try:
            check_versions(node_scan.versions)
            if node_scan.plugins is not None:
                (folder / "plugins.py").write_bytes(node_scan.plugins)
            use_plugins(folder / "plugins.py")
            raw = folder / "raw"
            yield from _get_raw_files(raw_files, raw, server)
            settings = _settings_here(node_scan.settings, raw, folder, len(images))
            scans: list[ImageScan] = []
            yield from _scan([(number, path) for number, (_, path) in enumerate(images)], settings, scans)
            rows = [row for row, _ in images]
            content = [scan._replace(row=rows[scan.row]).to_json() for scan in sorted(scans)]
            arrays = {file.name: np.load(file) for file in (settings.store_file, settings.thumbnails_file) if file}
            np.savez(folder / "results.npz", **arrays, **{SCANS: np.array(json.dumps(content))})
            yield from send_file(RESULTS, folder / "results.npz")
        except OSError as error:
            yield {"error": explain_os_error(error) or UserError(str(error), this_node())}
        except UserError as error:
            yield {"error": error}


def _get_raw_files(raw_files: dict[str, SharedFile], raw: Path, server: Any) -> Iterator[Message]:
    """Puts the raw files in place: links to a shared folder or to the cache, or copies of small ones."""
    raw.mkdir()
    small = {name: file for name, file in raw_files.items() if file.size <= PART_BYTES and not file.is_here()}
    for name, file in raw_files.items():
        path = raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name not in small:  # shared, or so large that it may hold images of other tasks, too
            path.symlink_to((yield from fetch(server, file)))
    names = iter(small)
    under_way = {name: server.read.remote(small[name], 0) for name in islice(names, COPIES_UNDER_WAY)}
    while under_way:
        name = next(iter(under_way))
        reading = under_way.pop(name)
        while not ray.wait([reading], timeout=HEARTBEAT_SECONDS)[0]:
            yield {}
        (raw / name).write_bytes(ray.get(reading))
        if (following := next(names, None)) is not None:
            under_way[following] = server.read.remote(small[following], 0)


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


def _scan(images: list[tuple[int, str]], settings: ScanSettings, scans: list[ImageScan]) -> Iterator[Message]:
    """Scans images in a thread, adds the results to `scans`, and yields signs of life."""
    os.environ[hardware.THREAD_VARIABLES[0]] = "1"  # the task has one core
    batches: queue.SimpleQueue[list[ImageScan] | Exception | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            for batch in scan_in_processes(images, settings):
                batches.put(batch)
            batches.put(None)
        except Exception as error:
            batches.put(error)

    thread = threading.Thread(target=run, name="scan")
    thread.start()
    while True:
        try:
            batch = batches.get(timeout=HEARTBEAT_SECONDS)
        except queue.Empty:
            yield {}
            continue
        if batch is None:
            thread.join()
            return
        if isinstance(batch, Exception):
            raise batch
        scans += batch
