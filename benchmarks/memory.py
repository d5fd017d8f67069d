"""Does a training take more memory if there are ten times as many images?

    .venv/bin/python benchmarks/memory.py [--rounds 3]

Made-up images at 64 px, resnet9 of width 8, one fold: 2,048 images to train on for ten epochs, and 20,480 for one, so
that both take equally many steps; data and store are there before. Two peaks of the process of `medfold train`: all
that the system counts as its memory, which includes what it has looked at of the store's file; and the part of that
which is its own (Linux only, sampled 50 times a second), since what is only mapped from a file the system takes back
when it needs room. Fails if either is over 1.1 times as high with the more images. Not for Windows. About 5 minutes on
2 CPU cores.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from medfold.system.http_download import md5_of_file
from results import Result, run

REPOSITORY = Path(__file__).parent.parent
IMAGES, SIZE, BATCH, FOLDS = 2560, 64, 32, 5  # a net is trained on four folds of five
FACTS = """
title: Made-up images
source: {kind: url, url: "https://example.org/images.npz", file: images.npz, md5: "MD5"}
upload: none
task: binary
labels: {layout: arrays, file: images.npz, targets: [label]}
images: {train: unused, test: unused, channels: 1, symmetry: horizontal}
score: {metric: auc}
folds: {k: 5, method: stratified}
"""
RECIPE = """
preparation: {size: 64}
backbone: {name: resnet9, width: 8}
augment: xray
training: {batch_size: 32}
"""
LIMIT = 1.1


@dataclass(frozen=True)
class Peak:
    """The most memory that a process had at a time, MB.

    Args:
        counted: by the system as its memory.
        own: the part that is mapped from no file; 0 where the system does not tell.
    """

    counted: float
    own: float


def medfold(root: Path, *words: str) -> Peak:
    """Runs a command in a process of its own."""
    command = [sys.executable, "-m", "medfold", *words]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL)
    with ThreadPoolExecutor(1) as pool:
        own = pool.submit(most_own, Path(f"/proc/{process.pid}/status"))
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"medfold {' '.join(words)} ended with exit code {process.returncode}")
    return Peak(usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10), own.result())


def most_own(status: Path) -> float:
    """The most memory of its own that a process has until it ends, MB."""
    most = 0
    while True:
        try:
            lines = status.read_text().splitlines()
        except OSError:  # it has ended, or this is not Linux
            return most / 2**10
        most = max([most, *(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))])
        time.sleep(0.02)


def make(root: Path, name: str, images: int) -> None:
    """A competition with so many images, up to its folds."""
    rng = np.random.default_rng(0)
    content = {}
    for part, count in (("train", images), ("test", 64)):
        content[f"{part}_images"] = rng.integers(0, 256, (count, SIZE, SIZE), np.uint8)
        content[f"{part}_labels"] = np.arange(count) % 2
    file, facts = root / f"{name}.npz", root / "competition" / name
    np.savez(file, **content)
    facts.mkdir(parents=True)
    (facts / "competition.yaml").write_text(FACTS.replace("MD5", md5_of_file(file)))
    (facts / "baseline.yaml").write_text(RECIPE)
    medfold(root, "download", "--competition", name, "--from", str(file))
    medfold(root, "folds", "--competition", name)


def train(root: Path, name: str, epochs: int, more: str = "") -> Peak:
    """The peaks of one training."""
    choices = f"training.epochs={epochs} {more}".strip()
    peak = medfold(root, "train", "--competition", name, "--fold", "0", "--run", "measured", "--set", choices)
    shutil.rmtree(root / "runs" / name / "measured")
    return peak


def measure(rounds: int = 3) -> list[Result]:
    """Both training runs in turns, in so many rounds."""
    epochs = {"few": 10, "many": 1}
    peaks: dict[str, list[Peak]] = {name: [] for name in epochs}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, images in (("few", IMAGES), ("many", 10 * IMAGES)):
            make(root, name, images)
            train(root, name, 1, more="training.num_images=64")  # prepares the store
        for number in range(rounds):
            for name in sorted(peaks, reverse=bool(number % 2)):
                peaks[name].append(train(root, name, epochs[name]))
                print(f"{name} images: {peaks[name][-1].counted:.0f} MB, {peaks[name][-1].own:.0f} own", flush=True)
    trained = IMAGES * (FOLDS - 1) // FOLDS
    results = []
    for what, which in (("as counted by the system", "counted"), ("not mapped from files", "own")):
        few, many = (median(getattr(peak, which) for peak in peaks[name]) for name in ("few", "many"))
        if few:
            value = f"{many:.0f} beside {few:.0f} MB"
            told = f"{10 * trained:,} images beside {trained:,}, {what}"
            results.append(Result(told, value, many / few, LIMIT, at_most=True))
    return [*results, Result("the further images in the store", f"{9 * IMAGES * SIZE**2 / 2**20:.0f} MB")]


if __name__ == "__main__":
    run(measure, __doc__, rounds=3)
