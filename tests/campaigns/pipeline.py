"""The stages of a small project, undisturbed, for campaigns to disturb and compare with."""

import atexit
import io
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from medfold.system.hashes import sha256
from tests.support.helpers import REPOSITORY

FACTS = """
title: Small phantom
source: {kind: phantom, train_patients: 60, test_patients: 20}
upload: none
task: binary
labels: {file: train.csv, id: id, targets: [target], group: patient_id}
images: {train: "train/{id}.png", test: "test/{id}.png", channels: 1, symmetry: horizontal}
score: {metric: auc}
submission: {sample: sample_submission.csv}
folds: {k: 3, method: stratified_group}
"""
# Another competition, whose images are in an archive within an archive.
UNPACKED = """
title: Unpacked
source: {kind: own}
upload: none
task: binary
labels: {file: train.csv, targets: [target], holdout: 0.2}
images: {train: "train/{id}.png", channels: 1}
score: {metric: auc}
"""
RECIPE = """
preparation: {size: 32}
backbone: {name: resnet9, width: 8}
augment: xray
training: {epochs: 40, batch_size: 8, dropout: 0.3}
"""
# A head on the features of a backbone: the features are computed once and kept.
HEAD = """
preparation: {{size: 32}}
backbone: {{name: MobileNetV2, weights: "{weights}"}}
augment: none
training: {{head_epochs: 3, epochs: 0, batch_size: 8}}
"""
WEIGHTS = """
import sys, keras
keras.utils.set_random_seed(0)
keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(sys.argv[1])
"""
# In the order of the pipeline: each starts from the result of the one before.
STAGES = {
    "unpack": ["download", "--competition", "unpacked", "--from", "raw.zip"],
    "download": ["download"],
    "prepare": ["prepare"],
    "folds": ["folds"],
    "features": ["train", "--recipe", "head", "--fold", "0"],
    "train": ["train", "--fold", "0"],
    "parallel": ["train", "--recipe", "head", "--jobs", "2"],
    "ensemble": ["ensemble", "--runs", "baseline"],
    "submit": ["submit"],
    "report": ["report"],
    "predict": ["predict", "--images", "data/small/raw/test"],
    "notebook": ["notebook"],
}
# Files that hold times or durations, or depend on how often a command was started.
VARIES = re.compile(r"^(runs/.*/timing\.json|submissions/.*\.json|submissions/ledger\.csv|.*\.lock)$")
BLOCK = 4096  # bytes of a block of a disk


@dataclass(frozen=True)
class Undisturbed:
    """Result of an undisturbed stage.

    Args:
        before: the project before the stage.
        result: hashes of all files after it, by name.
        seconds: duration.
        blocks: number of blocks of a disk that hold the files that it wrote, new ones and replaced ones.
    """

    before: Path
    result: dict[str, str]
    seconds: float
    blocks: int


def start(
    stage: str,
    root: Path,
    own_group: bool = False,
    first_on_path: Path | None = None,
    shared_memory: Path | None = None,
    **environment: str,
) -> subprocess.Popen:
    """Starts a stage in a process of its own.

    Args:
        own_group: in a group of processes that a signal can reach as a whole. Defaults to False.
        first_on_path: a folder from which Python imports first. Defaults to none.
        shared_memory: a folder that it sees as /dev/shm; needs the right to mount. Defaults to none.
        environment: environment variables.
    """
    arguments = STAGES[stage]
    competition = [] if "--competition" in arguments else ["--competition", "small"]
    arguments = ["-m", "medfold", *arguments, *competition]
    return start_python(arguments, root, own_group, first_on_path, shared_memory, **environment)


def start_python(
    arguments: list[str],
    root: Path,
    own_group: bool = False,
    first_on_path: Path | None = None,
    shared_memory: Path | None = None,
    **environment: str,
) -> subprocess.Popen:
    """Starts Python with medfold in a project; see `start`."""
    command = [sys.executable, *arguments]
    if shared_memory:
        script = 'mount --bind "$0" /dev/shm && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", script, str(shared_memory), *command]
    python_path = os.pathsep.join(str(folder) for folder in (first_on_path, REPOSITORY / "src") if folder)
    environment = {**os.environ, "PYTHONPATH": python_path, **environment}
    pipe = subprocess.PIPE
    outputs = {"stdout": pipe, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=root, env=environment, start_new_session=own_group, **outputs)


def finish(stage: str, root: Path, shared_memory: Path | None = None) -> str:
    """Runs a stage to its end and returns what it printed."""
    process = start(stage, root, shared_memory=shared_memory)
    said, _ = process.communicate()
    assert process.returncode == 0, f"{stage} ended with {process.returncode}: {said[-500:]}"
    return said


def result(root: Path) -> dict[str, str]:
    """The hashes of all files of a project by name; submissions by their hash, since their names hold the time."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not VARIES.match(name):
            hashed = sha256(path)
            found[re.sub(r"(submissions/small/(recheck/)?)[^/]*\.(csv|npz)", rf"\g<1>{hashed}", name)] = hashed
    return found


def check_result(stage: str, root: Path, undisturbed: Undisturbed) -> None:
    """Compares a project after a disturbed stage with one that was left undisturbed.

    Raises:
        AssertionError: files differ, are missing or are too many, or the ledger does not have exactly one row.
    """
    found, expected = result(root), undisturbed.result
    differs = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    assert not differs, f"{len(differs)} files differ: {', '.join(differs[:5])}"
    if stage == "submit":
        rows = (root / "submissions" / "ledger.csv").read_text().splitlines()
        assert len(rows) == 2, f"{len(rows) - 1} rows in the ledger"


def random_shares(counts: dict[str, int], seed: int, low: float, high: float) -> Iterator[tuple[str, int, str]]:
    """Draws a number of shares for each stage; yields stage, number of the share and share."""
    for stage, count in counts.items():
        generator = random.Random(f"{stage} {seed}")
        for number in range(count):
            yield stage, number, f"{generator.uniform(low, high):.6f}"


@cache
def prepare() -> dict[str, Undisturbed]:
    """Runs the whole pipeline undisturbed, once in this process, and keeps the project as it was before each stage."""
    folder = Path(tempfile.mkdtemp(prefix="pipeline "))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    project = folder / "project"
    home = project / "competition" / "small"
    home.mkdir(parents=True)
    weights = folder / "net.weights.h5"
    subprocess.run([sys.executable, "-c", WEIGHTS, str(weights)], check=True, capture_output=True)
    for name, text in {"competition": FACTS, "baseline": RECIPE, "head": HEAD.format(weights=weights)}.items():
        (home / f"{name}.yaml").write_text(text)
    (project / "competition" / "unpacked").mkdir()
    (project / "competition" / "unpacked" / "competition.yaml").write_text(UNPACKED)
    _write_archive(project / "raw.zip")
    undisturbed = {}
    for stage in STAGES:
        before = shutil.copytree(project, folder / f"before {stage}")
        files, began = _files(project), time.monotonic()
        finish(stage, project)
        seconds, written = time.monotonic() - began, _files(project) - files
        blocks = sum(-(-size // BLOCK) for _, size, _ in written)
        undisturbed[stage] = Undisturbed(before, result(project), seconds, blocks)
    return undisturbed


def _write_archive(path: Path) -> None:
    """Writes an archive with a table and an archive of 200 images."""
    generator, inner = np.random.default_rng(0), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as images:
        for number in range(200):
            _, encoded = cv2.imencode(".png", generator.integers(0, 256, (64, 64), np.uint8))
            images.writestr(f"{number}.png", encoded.tobytes())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train.csv", "id,target\n" + "".join(f"{number},{number % 2}\n" for number in range(200)))
        archive.writestr("train.zip", inner.getvalue())


def _files(folder: Path) -> set[tuple[Path, int, int]]:
    """The files of a folder, with their size in bytes and the time of their last change in nanoseconds."""
    stats = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()}
