"""What do more images cost, stage by stage? Writes the tables of docs/scaling.md.

    .venv/bin/python benchmarks/scaling.py

Linux only. Drawn grey PNG images of 512 px, one per patient, in two sizes of a data set. Each stage of each size runs
in a process of its own; the difference of the two sizes, divided by the difference in images, is the cost of one image:
CPU seconds of all processes (which another load changes less than the time), bytes on disk, peak memory of the largest
process. What more images need is calculated from that; for GPUs also from the multiplications of the net and the peak
rate in the maker's data sheet, since none was measured. About 5 minutes on 2 CPU cores.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml

from drawn_images import make_competition
from medfold.competition import CompetitionFacts, Recipe
from medfold.system.native_output import silence_native_output
from medfold.terminal.console import format_size
from medfold.training.batches.augmentation import build_augmenter

with silence_native_output():
    from medfold.models import build_net

REPOSITORY = Path(__file__).parent.parent
PAGE = REPOSITORY / "docs" / "scaling.md"
BEGIN, END = "<!-- Written by benchmarks/scaling.py, from here -->", "<!-- to here. -->"
SIZES = (500, 2_500)  # images of the training set
IMAGE_SIZE, STORE_SIZE, FOLDS = 512, 64, 5
FACTS = f"""
title: Drawn images
source: {{kind: own}}
upload: none
task: binary
labels: {{file: train.csv, id: id, targets: [target], group: patient, holdout: 0.1}}
images: {{train: "train/{{id}}.png", channels: 1, symmetry: horizontal}}
score: {{metric: auc}}
folds: {{k: {FOLDS}, method: stratified_group}}
"""
RECIPE = f"""
preparation: {{size: {STORE_SIZE}}}
backbone: {{name: resnet9, width: 8}}
augment: xray
training: {{epochs: 1, batch_size: 32}}
"""
STAGES = {
    "download": ["--from", "images"],
    "prepare": [],
    "folds": [],
    "train": ["--fold", "0"],
    "recheck": [],
}
LABELS = {
    "download": "`make download` (copy, list, hash)",
    "prepare": f"`make prepare` (decode {IMAGE_SIZE} px, hash, resize to {STORE_SIZE} px)",
    "folds": "`make folds` (scan for the audit, folds, search for near-duplicates)",
    "train": "`make train` (one epoch of one fold, 4 of 5 images, with its predictions)",
    "recheck": "`make recheck` (scores a second time)",
}
CALCULATED = (10_000, 1_000_000, 100_000_000)
EPOCHS = 12
LARGE_NET, LARGE_SIZE = "ConvNeXtTiny", 512
T4, A100 = 65e12, 312e12  # peak operations a second in half precision (NVIDIA's data sheets)
GPU_SHARE = 0.1  # of the peak, assumed: layers that mostly move data, such as depthwise convolutions, reach less


@dataclass(frozen=True)
class ImageCost:
    """What one image costs: CPU seconds of stages; of a training pass also those of augmentation, and operations."""

    prepare: float
    folds: float
    train: float
    augment: float
    operations: float


@dataclass(frozen=True)
class Machines:
    """Nodes alike: the cores of each, and the rate of its GPUs together: operations a second, 0 without a GPU."""

    name: str
    cores: int
    gpu_rate: float = 0.0
    nodes: int = 1

    def seconds(self, cost: ImageCost) -> float:
        """Returns how long one image keeps a run: prepared on all nodes, folds made on one, a fold trained on one."""
        if self.gpu_rate:  # a GPU works while the cores augment the next images
            once = max(cost.augment / self.cores, cost.operations / (GPU_SHARE * self.gpu_rate))
        else:
            once = cost.train / self.cores
        rounds = math.ceil(FOLDS / self.nodes)
        return cost.prepare / (self.cores * self.nodes) + cost.folds / self.cores + EPOCHS * rounds * once


MACHINES = (
    Machines("2 cores", 2),
    Machines("16 cores, one A100", 16, A100),
    Machines("Kaggle: 4 cores, two T4", 4, 2 * T4),
    Machines("8 nodes of 16 cores", 16, nodes=8),
    Machines("200 nodes of 16 cores", 16, nodes=200),
)


@dataclass(frozen=True)
class Cost:
    """What a stage took: CPU seconds of all its processes, bytes that it wrote, peak memory of its largest process."""

    seconds: float
    disk: int
    memory: int


def draw(row: int) -> np.ndarray:
    """Draws soft noise, with a darker disc on every second image."""
    rng = np.random.default_rng(row)
    pixels = cv2.GaussianBlur(rng.integers(0, 256, (IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8), (0, 0), 3)
    if row % 2:
        rows, columns = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE]
        x, y = rng.integers(100, 400, 2)
        pixels[(rows - y) ** 2 + (columns - x) ** 2 < 40**2] //= 2
    return pixels


def disk_usage(root: Path) -> int:
    """Returns the bytes of all files of a project but the drawn images."""
    return sum(
        path.stat().st_size
        for name in ("data", "folds", "runs")
        for path in (root / name).rglob("*")
        if path.is_file() and not path.is_symlink()
    )


# Orphans, such as the server that starts the workers, become children of this program, which waits for them: only then
# does the system count their time.
MEASURED = """
import ctypes, json, os, resource, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
try:
    while True:
        os.wait()
except ChildProcessError:
    pass
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""


def run_stage(root: Path, stage: str) -> Cost:
    """Runs a stage in a process whose children are counted."""
    before = disk_usage(root)
    command = [sys.executable, "-m", "medfold", stage, "-c", "drawn", *STAGES[stage]]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    measured = [sys.executable, "-c", MEASURED, *command]
    output = subprocess.run(measured, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    code, seconds, memory = json.loads(output)
    if code:
        raise SystemExit(f"{stage} failed with exit code {code}")
    return Cost(seconds, disk_usage(root) - before, memory * (1 if sys.platform == "darwin" else 1024))


def measure() -> dict[str, list[Cost]]:
    """Returns the cost of each stage for each size."""
    costs = {stage: [] for stage in STAGES}
    for num_images in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            make_competition(root, FACTS, RECIPE, num_images, draw)
            for stage in STAGES:
                costs[stage].append(run_stage(root, stage))
                print(num_images, stage, costs[stage][-1], flush=True)
    return costs


def per_image(costs: list[Cost], name: str) -> float:
    """Returns the cost of one more image."""
    small, large = (getattr(cost, name) for cost in costs)
    return max(0.0, (large - small) / (SIZES[1] - SIZES[0]))


def seconds_of_augmentation() -> float:
    """Measures the CPU seconds that augmenting an image takes, as the training does it."""
    augment = build_augmenter("xray", "horizontal", (STORE_SIZE, STORE_SIZE, 1))
    pixels = cv2.resize(draw(1), (STORE_SIZE, STORE_SIZE))[..., None]
    num_images = 2_000
    began = time.process_time()
    for seed in range(num_images):
        augment(pixels, seed)
    return (time.process_time() - began) / num_images


def operations_of(backbone: dict, size: int, channels: int) -> float:
    """Returns the operations of one training step for one image: two per multiplication, forward and twice back."""
    facts = CompetitionFacts.model_validate(yaml.safe_load(FACTS.replace("channels: 1", f"channels: {channels}")))
    net = build_net(facts, Recipe.model_validate({"preparation": {"size": size}, "backbone": backbone}))
    layers = [layer for layer in net._flatten_layers(include_self=False) if hasattr(layer, "kernel")]
    return 6.0 * sum(math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1]) for layer in layers)


def tables(costs: dict[str, list[Cost]]) -> str:
    """Returns the tables of the page."""
    lines = [
        f"| stage | CPU ms an image | disk an image | memory an image | {SIZES[1]:,} images |",
        "|---|---|---|---|---|",
    ]
    for stage, found in costs.items():
        seconds, disk, memory = (per_image(found, name) for name in ("seconds", "disk", "memory"))
        whole = f"{found[1].seconds:.0f} CPU s, {format_size(found[1].memory)} of memory"
        lines.append(
            f"| {LABELS[stage]} | {1000 * seconds:.2f} | {format_size(disk)} | {format_size(memory)} | {whole} |"
        )
    names = " | ".join(machine.name for machine in MACHINES)
    disk = sum(per_image(found, "disk") for found in costs.values())
    memory = max(per_image(found, "memory") for found in costs.values())
    trained_share = (FOLDS - 1) / FOLDS
    cost = ImageCost(
        *(per_image(costs[stage], "seconds") for stage in ("prepare", "folds", "train")),
        augment=trained_share * seconds_of_augmentation(),
        operations=trained_share * operations_of({"name": "resnet9", "width": 8}, STORE_SIZE, 1),
    )
    lines += ["", "Calculated from the table, not measured:", "", f"| images | disk | memory | {names} |"]
    lines.append("|---" * (3 + len(MACHINES)) + "|")
    for count in CALCULATED:
        times = [duration(count * machine.seconds(cost)) for machine in MACHINES]
        lines.append(f"| {count:,} | {size(count * disk)} | {size(count * memory)} | {' | '.join(times)} |")
    with_gpu = [machine for machine in MACHINES if machine.gpu_rate]
    operations = operations_of({"name": LARGE_NET}, LARGE_SIZE, 3)
    store = LARGE_SIZE * LARGE_SIZE * 3
    title = (
        f"{LARGE_NET} at {LARGE_SIZE} px, {operations / 1e9:.0f} billion operations to train on an image once: the "
        "training alone, calculated, not measured:"
    )
    lines += [
        "",
        title,
        "",
        f"| images | disk of the store | {' | '.join(machine.name for machine in with_gpu)} |",
        "|---" * (2 + len(with_gpu)) + "|",
    ]
    for count in CALCULATED:
        passes = count * EPOCHS * FOLDS * trained_share
        times = [duration(passes * operations / (GPU_SHARE * machine.gpu_rate)) for machine in with_gpu]
        lines.append(f"| {count:,} | {size(count * store)} | {' | '.join(times)} |")
    return "\n".join(lines)


def size(num_bytes: float) -> str:
    """Formats bytes, up to terabytes."""
    return f"{num_bytes / 1e12:.3g} TB" if num_bytes >= 999.5e9 else format_size(num_bytes)


def duration(seconds: float) -> str:
    """Formats seconds with two digits, up to days; an estimate of less than a minute is no more than that."""
    if seconds < 60:
        return "under a minute"
    length, unit = (60, "min") if seconds < 100 * 60 else (3600, "h") if seconds < 100 * 3600 else (86400, "days")
    value = float(f"{seconds / length:.2g}")
    return f"{value:,.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"


def main() -> None:
    """Measures, and writes the tables into the page."""
    text = tables(measure())
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
