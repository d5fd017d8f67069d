"""SIGKILL at a random moment in each stage: the same command then ends with the bytes of a run that was left alone."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from medfold import files
from tests.campaigns.campaign import Campaign
from tests.support.helpers import REPOSITORY

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
training: {epochs: 40, batch_size: 8, dropout: 0.3}
"""
# In the order of the pipeline: each begins where the one before it ended.
STAGES = {
    "download": ["download"],
    "prepare": ["prepare"],
    "folds": ["folds"],
    "train": ["train", "--fold", "0"],
    "submit": ["submit"],
    "report": ["report"],
    "predict": ["predict", "--images", "data/small/raw/test"],
}
KILLS = {"train": 25, **dict.fromkeys(("download", "prepare", "folds", "submit", "report", "predict"), 8)}
SHARE = {"train": 3, "prepare": 1, "submit": 1}
# What tells when, and for how long, or what a killed command had done already.
VARIES = re.compile(r"^(runs/.*/log\.json|submissions/.*\.json|submissions/ledger\.csv|.*\.lock)$")


@dataclass(frozen=True)
class Alone:
    """What a stage does if it is left alone.

    Args:
        before: the project that it begins with.
        result: the hashes of all files afterwards, by name.
        seconds: that it takes.
    """

    before: Path
    result: dict[str, str]
    seconds: float


def start(stage: str, root: Path) -> subprocess.Popen:
    """A stage in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    command = [sys.executable, "-m", "medfold", *STAGES[stage], "--competition", "small"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=root, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)


def finish(stage: str, root: Path) -> str:
    """Runs a stage to its end and returns what it printed."""
    process = start(stage, root)
    said, _ = process.communicate()
    assert process.returncode == 0, f"{stage} ended with {process.returncode}: {said[-500:]}"
    return said


def result(root: Path) -> dict[str, str]:
    """The hashes of all files below a project by name; submissions go by their content, since names tell the time."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not VARIES.match(name):
            hashed = files.sha256(path)
            found[re.sub(r"(submissions/small/(recheck/)?)[^/]*\.(csv|npz)", rf"\g<1>{hashed}", name)] = hashed
    return found


def prepare(folder: Path) -> dict[str, Alone]:
    """Runs the whole pipeline, left alone, and keeps the project as it was before each stage."""
    home = folder / "project" / "competition" / "small"
    home.mkdir(parents=True)
    (home / "competition.yaml").write_text(FACTS)
    (home / "baseline.yaml").write_text(RECIPE)
    alone = {}
    for stage in STAGES:
        before = shutil.copytree(folder / "project", folder / f"before {stage}")
        began = time.monotonic()
        finish(stage, folder / "project")
        alone[stage] = Alone(before, result(folder / "project"), time.monotonic() - began)
    return alone


def cases(seed: int, full: bool) -> list[str]:
    """A case is a stage, and the share of its time after which it is killed."""
    found = []
    for stage, count in (KILLS if full else SHARE).items():
        moments = random.Random(f"{stage} {seed}")
        found += [f"{stage} {moments.uniform(0.05, 0.98):.6f}" for _ in range(count)]
    return found


def check(case: str, given: dict[str, Alone], folder: Path) -> str:
    """Kills a stage, starts it again, and compares."""
    stage, share = case.split()
    root = shutil.copytree(given[stage].before, folder / "my project")
    process = start(stage, root)
    try:
        process.communicate(timeout=float(share) * given[stage].seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    killed = process.returncode == -signal.SIGKILL
    said = finish(stage, root)
    found, expected = result(root), given[stage].result
    differs = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    assert not differs, f"{len(differs)} files differ: {', '.join(differs[:5])}"
    if stage == "submit":
        rows = (root / "submissions" / "ledger.csv").read_text().splitlines()
        assert len(rows) == 2, f"{len(rows) - 1} rows in the ledger"
    went_on = re.search(r"resuming at (.*)", said)
    return "equal bytes" + (f", went on at {went_on[1]}" if went_on else "" if killed else ", it had ended before")


CAMPAIGN = Campaign(
    question="Does a stage that is killed (SIGKILL) and started again end with equal bytes?",
    cases=cases,
    prepare=prepare,
    check=check,
)
