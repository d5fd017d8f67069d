"""How long do the commands take for 5,000 classes or labels?

    .venv/bin/python benchmarks/many_classes_commands.py [multiclass|multilabel] [images] [columns]

Random images of 32 px and as many test images as validation images of a fold; a small net is trained for two epochs on
each of two folds. Then `make compare`, `submit`, `report` and `recheck` of this run and a second one like it. Prints
the seconds of each command, the longest time without a line of output, and the peak memory.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import psutil
import yaml

REPOSITORY = Path(__file__).parent.parent
METRICS = {"multiclass": "log_loss", "multilabel": "mean_auc"}
RECIPE = """preparation: {size: 32}
backbone: {name: resnet9, width: 4}
training: {epochs: 2, batch_size: 32}
"""


def make_project(root: Path, task: str, num_images: int, num_columns: int) -> None:
    """Writes a competition with random images, and labels that one image in fifty has, or classes in turn."""
    rng = np.random.default_rng(0)
    names = [f"class_{number}" for number in range(num_columns)]
    ids = {"train": [f"a{number}" for number in range(num_images)]}
    ids["test"] = [f"b{number}" for number in range(num_images // 2)]
    for part, part_ids in ids.items():
        (root / "raw" / part).mkdir(parents=True)
        for image_id in part_ids:
            cv2.imwrite(str(root / "raw" / part / f"{image_id}.png"), rng.integers(0, 256, (32, 32), np.uint8))
    if task == "multilabel":
        labels = pd.DataFrame((rng.random((num_images, num_columns)) < 0.02).astype(int), columns=names)
    else:
        labels = pd.DataFrame({"target": [names[number] for number in rng.permutation(num_images) % num_columns]})
    labels.insert(0, "id", ids["train"])
    labels.to_csv(root / "raw" / "train.csv", index=False)
    sample = pd.DataFrame(0.5, index=range(len(ids["test"])), columns=names)
    sample.insert(0, "id", ids["test"])
    sample.to_csv(root / "raw" / "sample_submission.csv", index=False)
    facts = {
        "title": "Many classes",
        "source": {"kind": "own"},
        "upload": "none",
        "task": task,
        "labels": {"file": "train.csv", "targets": names if task == "multilabel" else ["target"]},
        "images": {"train": "train/{id}.png", "test": "test/{id}.png", "channels": 1, "symmetry": "none"},
        "score": {"metric": METRICS[task]},
        "submission": {"sample": "sample_submission.csv"},
        "folds": {"k": 2, "seed": 0},
    }
    if task == "multiclass":
        facts["classes"] = names
    folder = root / "competition" / "many"
    folder.mkdir(parents=True)
    (folder / "competition.yaml").write_text(yaml.safe_dump(facts, sort_keys=False))
    (folder / "baseline.yaml").write_text(RECIPE)


def time_command(root: Path, *arguments: str) -> None:
    """Runs a command of medfold, and prints its seconds, its longest silence and its peak memory."""
    command = [sys.executable, "-m", "medfold", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "PYTHONUNBUFFERED": "1"}
    began = last = time.monotonic()
    process = subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peaks = [0.0]

    def watch() -> None:
        while process.poll() is None:
            try:
                peaks.append(psutil.Process(process.pid).memory_info().rss / 1e9)
            except psutil.Error:
                return
            time.sleep(0.2)

    watcher = threading.Thread(target=watch)
    watcher.start()
    silence, lines = 0.0, []
    for line in process.stdout:
        now = time.monotonic()
        silence, last = max(silence, now - last), now
        lines.append(f"    {now - began:6.1f} {line}")
    silence = max(silence, time.monotonic() - last)
    code = process.wait()
    watcher.join()
    took = time.monotonic() - began
    what = " ".join(arguments)
    print(f"{what}: {took:.0f} s, longest silence {silence:.0f} s, {max(peaks):.1f} GB", flush=True)
    if code or os.environ.get("SHOW"):
        print("".join(lines), flush=True)


def main() -> None:
    """Times the commands of one task."""
    task, *counts = sys.argv[1:] or ["multiclass"]
    num_images, num_columns = (int(count) for count in counts) if counts else (2000, 5000)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_project(root, task, num_images, num_columns)
        chosen = ("--competition", "many")
        time_command(root, "download", *chosen, "--from", "raw")
        for seed, run in enumerate(("one", "two")):
            time_command(root, "train", *chosen, "--run", run, "--seeds", str(seed))
        for file in sorted((root / "runs" / "many" / "one").rglob("*.*")):
            if file.suffix in (".csv", ".npz"):
                print(f"{file.relative_to(root)}: {file.stat().st_size / 1e6:.1f} MB")
        time_command(root, "compare", *chosen, "--runs", "one two")
        time_command(root, "submit", *chosen, "--runs", "one", "--force")
        time_command(root, "report", *chosen, "--runs", "one")
        time_command(root, "recheck", *chosen)
        time_command(root, "submit", *chosen, "--runs", "one two", "--force")


if __name__ == "__main__":
    main()
