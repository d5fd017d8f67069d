"""The scan of raw images on a cluster, as the driver does it: a task for each few images."""

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import ray

from medfold.cluster.cluster_jobs import ScanJob
from medfold.cluster.driver.capacity import Capacity, NodeResources
from medfold.cluster.driver.cluster_task import ClusterTask, JobResources, run_tasks
from medfold.cluster.node import node_scan
from medfold.cluster.node.files_on_nodes import SharedFile, start_file_server
from medfold.cluster.node.messages import RESULTS
from medfold.cluster.node.node_scan import NodeScan
from medfold.images import ScanSettings, array_shapes, files_of_image, path_of_image
from medfold.system import array_files, files
from medfold.terminal.console import say
from medfold.text import count_of
from medfold.training import package_versions

# Limits of a task. It starts a process, so it needs many images; and its pixels reach the driver as one file.
MAX_IMAGES = 2048
MAX_BYTES = 200_000_000


def scan(job: ScanJob, nodes: list[NodeResources], send: Callable[..., None]) -> None:
    """Scans images, writes their pixels to the files of the settings, and sends the results.

    Args:
        job: the images.
        nodes: the cores and GPUs that each node of the cluster gives to tasks.
        send: sends a message to the command.
    """
    num_cores = sum(node.cores for node in nodes)
    say(
        "cluster",
        f"{count_of(len(nodes), 'node')}, {count_of(num_cores, 'core')}: {count_of(len(job.images), 'image')}",
    )
    settings = job.settings
    plugins = job.plugins.read_bytes() if job.plugins.is_file() else None
    reference = ray.put(NodeScan(settings, plugins, package_versions()))
    resources = JobResources(Capacity(num_cores, 1, uses_gpu=False), start_file_server([], settings.raw))
    image_bytes = sum(math.prod(shape) for shape in array_shapes(settings).values())
    size = max(1, min(MAX_IMAGES, MAX_BYTES // max(1, image_bytes), len(job.images) // (4 * num_cores)))
    parts = [job.images[start : start + size] for start in range(0, len(job.images), size)]
    run_tasks(
        [_scan_task(part, resources, reference, settings, send) for part in parts], 2 * num_cores
    )  # some wait, so that no core does


def _scan_task(
    images: list[tuple[int, str]],
    resources: JobResources,
    reference: "ray.ObjectRef",
    settings: ScanSettings,
    send: Callable[..., None],
) -> ClusterTask:
    def arguments() -> tuple:
        names = [name for _, path in images for name in files_of_image(settings.raw, path)]
        paths = {path_of_image(settings.raw, name) for name in names}
        raw_files = {
            path.relative_to(settings.raw).as_posix(): SharedFile.of(path) for path in sorted(paths) if path.is_file()
        }
        return reference, images, raw_files

    return ClusterTask(
        "prepare",
        resources=resources,
        function=node_scan.scan_images_on_node,
        arguments=arguments,
        receivers={RESULTS: partial(_receive, images, settings, send)},
        folder=(settings.store_file or settings.thumbnails_file or settings.raw).parent,
    )


def _receive(images: list[tuple[int, str]], settings: ScanSettings, send: Callable[..., None], archive: Path) -> None:
    """Writes the pixels of a task to their files, and sends its results."""
    with np.load(archive) as content:
        scans = json.loads(str(content[node_scan.SCANS]))
        readable = {scan[0] for scan in scans if not scan[1]}
        for file in (settings.store_file, settings.thumbnails_file):
            if file:
                _write_rows(
                    file, {row: pixels for (row, _), pixels in zip(images, content[file.name], strict=True)}, readable
                )
    files.remove(archive)
    send(scans=scans)


def _write_rows(file: Path, pixels: dict[int, np.ndarray], rows: set[int]) -> None:
    """Writes rows of an array into a .npy file."""
    offset = np.load(file, mmap_mode="r").offset
    with files.failed_writes_named(file), file.open("r+b", buffering=0) as opened:
        for row in sorted(rows):
            values = np.ascontiguousarray(pixels[row])
            array_files.write_at(opened.fileno(), values.data, offset + row * values.nbytes)
