"""Does a training that is killed end with the same bytes as one that is not?

    .venv/bin/python benchmarks/kill_training.py [--kills 25] [--seed 0]

A small made-up competition, one fold. Each round starts `medfold train` in a process of its own, kills it (SIGKILL) at
a random moment, starts it again to the end, and compares oof.csv, test.csv and history.csv with those of a training
that was left alone. Fails at the first difference. About 25 seconds per kill on 2 CPU cores.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
FACTS = """
title: Small phantom
source: {kind: phantom, train_patients: 60, test_patients: 20}
upload: local
task: binary
labels: {file: train.csv, id: id, targets: [target], group: patient_id}
images: {train: "train/{id}.png", test: "test/{id}.png", channels: 1, symmetry: horizontal}
score: {metric: auc}
submission: {sample: sample_submission.csv}
folds: {k: 3, method: stratified-group}
"""
RECIPE = """
images: {size: 32}
backbone: {name: resnet9, width: 8}
augment: xray
training: {epochs: 80, batch_size: 8, dropout: 0.3}
"""
COMMAND = [sys.executable, "-m", "medfold", "train", "--competition", "small", "--fold", "0"]


def start(root: Path) -> subprocess.Popen:
    """One training, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    return subprocess.Popen(COMMAND, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> str:
    """Waits for its end and returns what it printed."""
    said, _ = process.communicate()
    if process.returncode:
        raise SystemExit(said)
    return said


def result(fold: Path) -> dict[str, bytes]:
    """What must be equal."""
    return {name: (fold / name).read_bytes() for name in ("oof.csv", "test.csv", "history.csv")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "competition" / "small").mkdir(parents=True)
        (root / "competition" / "small" / "competition.yaml").write_text(FACTS)
        (root / "competition" / "small" / "baseline.yaml").write_text(RECIPE)
        run = root / "runs" / "small" / "baseline"
        finish(start(root))  # draws the images and cuts the folds, too
        expected = result(run / "fold0")
        shutil.rmtree(run)
        began = time.monotonic()
        finish(start(root))
        whole = time.monotonic() - began
        assert result(run / "fold0") == expected, "two trainings that were left alone differ"
        print(f"left alone: {whole:.0f} s")
        for number in range(1, options.kills + 1):
            shutil.rmtree(run)
            process, moment = start(root), moments.uniform(0.3, 0.95) * whole
            time.sleep(moment)
            ended = process.poll() is not None
            process.kill()
            process.communicate()
            went_on = [line for line in finish(start(root)).splitlines() if "going on" in line]
            if result(run / "fold0") != expected:
                raise SystemExit(f"kill {number} after {moment:.1f} s: other bytes")
            at = went_on[0].partition("going on at ")[2] if went_on else "the start"
            at = "nothing, it had ended" if ended else at
            print(f"kill {number:2} after {moment:4.1f} s: went on at {at}, equal bytes", flush=True)
    print(f"{options.kills} kills, {options.kills} times equal bytes")


if __name__ == "__main__":
    main()
