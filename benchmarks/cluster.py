"""What do files cost on a Ray cluster, and are images prepared on two nodes those of one machine?

    .venv/bin/python benchmarks/cluster.py [--gigabytes 1] [--images 100000]

Two nodes on loopback addresses in a network namespace (Linux, as root), of which the second cannot see the project
folder. First a store of a gigabyte reaches the second node: time, and peak memory of the process that reads it and of
the one that writes it. Then drawn images of 64 px are prepared on one machine, and on the two nodes; all files of the
store and the measurements must be equal. About 15 minutes on 2 CPU cores.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from drawn_images import make_competition
from medfold.terminal.console import format_size

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

from tests.support.ray_cluster import HEAD, RayCluster, missing_for_clusters  # noqa: E402

SECOND = "127.0.0.3"
IMAGE_SIZE = 64
FACTS = """
title: Drawn images
source: {kind: own}
upload: none
task: binary
labels: {file: train.csv, id: id, targets: [target], holdout: 0.1}
images: {train: "train/{id}.png", channels: 1, symmetry: horizontal}
score: {metric: auc}
"""
RECIPE = "preparation: {size: 32}\nbackbone: {name: resnet9, width: 8}\naugment: xray\ntraining: {epochs: 1}\n"

COPY = """
import json, sys, time
from pathlib import Path
import ray
from medfold.cluster.node.files_on_nodes import FileServer, SharedFile, fetch, start_file_server
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

class MeasuredServer(FileServer):
    def peak(self):
        return peak()

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

def copy(file, server):
    began, before = time.perf_counter(), peak()
    generator = fetch(server, file)
    while True:
        try:
            next(generator)
        except StopIteration as finished:
            seconds = time.perf_counter() - began
            return seconds, before, peak(), str(finished.value), finished.value.stat().st_size

ray.init(sys.argv[1], log_to_driver=False)
file = SharedFile.of(Path(sys.argv[2]))
node = next(n["NodeID"] for n in ray.nodes() if n["NodeManagerAddress"] == sys.argv[3])
here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
server = ray.remote(MeasuredServer).options(num_cpus=0, max_concurrency=8, scheduling_strategy=here).remote([file])
idle = ray.get(server.peak.remote())
there = NodeAffinitySchedulingStrategy(node, soft=False)
result = ray.get(ray.remote(copy).options(num_cpus=1, scheduling_strategy=there).remote(file, server))
print(json.dumps([*result, idle, ray.get(server.peak.remote())]))
"""


def copy_a_store(cluster: RayCluster, project: Path, gigabytes: float) -> None:
    """Copies an array to the second node, and prints time and memory."""
    file = project / "images.npy"
    size = int(gigabytes * 10**9)
    with file.open("wb") as out:
        rng = np.random.default_rng(0)
        for _ in range(size // 10**7):
            out.write(rng.bytes(10**7))
    arguments = [sys.executable, "-c", COPY, cluster.address, str(file), SECOND]
    process = cluster.start_program(arguments, project)
    output, errors = process.communicate()
    if process.returncode:
        raise SystemExit(errors)
    seconds, before, after, path, copied, idle, peak = json.loads(output.splitlines()[-1])
    if copied != file.stat().st_size or str(cluster.cache(SECOND)) not in path:
        raise SystemExit(f"not copied: {path}, {copied} bytes")
    rate = format_size(copied / seconds)
    print(f"{format_size(copied)} to a second node: {seconds:.1f} s, {rate}/s with both hashes")
    print(f"peak memory of the node's process: {format_size(after)}, before the copy {format_size(before)}")
    print(f"peak memory of the process that reads: {format_size(peak)}, idle {format_size(idle)}")
    file.unlink()


def draw(row: int) -> np.ndarray:
    """Draws noise."""
    return np.random.default_rng(row).integers(0, 256, (IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)


def prepare_on_two_nodes(cluster: RayCluster, project: Path, num_images: int) -> None:
    """Prepares images here and on two nodes, prints the times, and compares the files."""
    make_competition(project, FACTS, RECIPE, num_images, draw)
    finish(cluster, project, ["download", "-c", "drawn", "--from", "images"])
    data = project / "data" / "drawn"
    here = finish(cluster, project, ["prepare", "-c", "drawn"])
    shutil.move(data / "store", project / "store-here")
    shutil.move(data / "measurements.csv", project / "measurements-here.csv")
    there = finish(cluster, project, ["prepare", "-c", "drawn", "--on", "ray", "--address", cluster.address])
    for path in (project / "store-here").rglob("*"):
        other = data / "store" / path.relative_to(project / "store-here")
        if path.is_file() and path.read_bytes() != other.read_bytes():
            raise SystemExit(f"{other} differs")
    if (project / "measurements-here.csv").read_bytes() != (data / "measurements.csv").read_bytes():
        raise SystemExit("the measurements differ")
    print(f"{num_images:,} images prepared here: {here:.0f} s; on two nodes: {there:.0f} s; all files equal")


def finish(cluster: RayCluster, project: Path, words: list[str]) -> float:
    """Runs a command of medfold, and returns its seconds."""
    began = time.perf_counter()
    process = cluster.start(words, project)
    output, errors = process.communicate()
    if process.returncode:
        raise SystemExit(output + errors)
    return time.perf_counter() - began


def main() -> None:
    """Measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=1)
    parser.add_argument("--images", type=int, default=100_000)
    arguments = parser.parse_args()
    if missing := missing_for_clusters():
        raise SystemExit(missing)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        project.mkdir()
        cluster = RayCluster(Path(folder))
        try:
            cluster.start_node(HEAD, 1)
            cluster.start_node(SECOND, 1, hidden=project)
            copy_a_store(cluster, project, arguments.gigabytes)
            prepare_on_two_nodes(cluster, project, arguments.images)
        finally:
            cluster.close()


if __name__ == "__main__":
    main()
