"""What a recipe scores by the protocol of the MedMNIST table: trained on train, the epoch chosen on val, one net.

    .venv/bin/python benchmarks/strict_protocol.py COMPETITION [--recipe baseline] [--seeds "0 1 2"] [--set "key=value"]

The data must have been downloaded (`make download`). Works in a temporary copy of the competition in which val is one
fold and train the other, with `training.keep: best`, and `make train FOLD=0`, `make submit` there. Every submission
becomes a row of submissions/ledger.csv. Prints the test scores of each seed and their mean.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from medfold.paths import ProjectPaths
from medfold.submission.ledger import add_row, read_rows
from medfold.system import files
from medfold.tables import read_csv, write_csv

REPOSITORY = Path(__file__).parent.parent


def stage(root: Path, *words: str) -> str:
    """Runs a stage in a process of its own and returns what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    command = [sys.executable, "-m", "medfold", *words]
    return subprocess.run(command, cwd=root, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def copy_of(name: str, root: Path) -> None:
    """The competition with val as fold 0 and train as fold 1."""
    shutil.copytree(REPOSITORY / "competition", root / "competition")
    facts = root / "competition" / name / "competition.yaml"
    facts.write_text(f"{facts.read_text()}\nfolds: {{k: 2, seed: 42, method: stratified}}\n")
    (root / "data").mkdir()
    (root / "data" / name).symlink_to(REPOSITORY / "data" / name)
    samples = read_csv(root / "data" / name / "samples.csv")
    train = samples[samples["part"] == "train"]
    fold = np.where(train["id"].str.startswith("val"), 0, 1)
    write_csv(train[["id", "group"]].assign(fold=fold), root / "folds" / f"{name}.csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("competition")
    parser.add_argument("--recipe", default="baseline")
    parser.add_argument("--seeds", default="0 1 2")
    parser.add_argument("--set", default="", dest="overrides")
    options = parser.parse_args()
    name, scores = options.competition, []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_of(name, root)
        for seed in options.seeds.split():
            words = ["--competition", name, "--recipe", options.recipe, "--seeds", seed]
            words += ["--set", f"training.keep=best {options.overrides}".strip()]
            stage(root, "train", *words, "--fold", "0")
            said = stage(root, "submit", *words)
            line = next(line for line in said.splitlines() if line.startswith("test score"))
            print(f"seed {seed}: {line.removeprefix('test score').strip()}", flush=True)
            scores.append([float(value) for value in re.findall(r" (\d\.\d{4}) \(", line)])
        rows = read_rows(ProjectPaths(root), name)
        for row in rows:
            source = root / row.file
            target = REPOSITORY / Path(row.file).with_name(f"{source.stem}-strict.csv")
            files.write_text(source.read_text(), target)
            file = target.relative_to(REPOSITORY).as_posix()
            add_row(ProjectPaths(REPOSITORY), replace(row, file=file, runs=(*row.runs, "(strict protocol)")))
    means = ", ".join(f"{mean:.3f}" for mean in np.mean(scores, axis=0))
    print(f"mean of {len(scores)} seeds: {means}; {len(rows)} submissions in submissions/ledger.csv")


if __name__ == "__main__":
    main()
