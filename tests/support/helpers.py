"""Functions that make test data, and run commands in processes."""

import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medfold.competition.facts import CompetitionFacts
from medfold.errors import UserError
from medfold.paths import ProjectPaths
from medfold.submission.leaderboards.entry import Leaderboard, LeaderboardResult
from medfold.system.hashes import sha256
from medfold.tables import write_csv

REPOSITORY = Path(__file__).parents[2]
HISTOLOGY = "\n".join(
    [
        "title: Histology",
        "source: {kind: kaggle, slug: https://www.kaggle.com/competitions/histology/data}",
        "upload: csv",
        "task: binary",
        "labels: {file: train_labels.csv, id: id, targets: [label]}",
        'images: {train: "train/{id}.png", test: "test/{id}.png", symmetry: dihedral}',
        "score: {metric: auc}",
        "submission: {sample: sample_submission.csv}",
        "folds: {k: 2, method: stratified}",
    ]
)


def refused(match: str) -> pytest.RaisesExc[UserError]:
    """Expects a UserError with this message: `with refused("no such file"):`."""
    return pytest.raises(UserError, match=match)


def shipped() -> list[str]:
    """Lists the competitions that medfold ships: those in competition/README.md, without a user's own."""
    lines = (REPOSITORY / "competition" / "README.md").read_text(encoding="utf-8").splitlines()
    named = {word for line in lines if line.startswith("|") for word in re.findall(r"[\w-]+", line)}
    return [name for name in ProjectPaths(REPOSITORY).competitions() if name in named]


def competition(task: str = "binary", **changes) -> CompetitionFacts:
    """Makes complete facts of a competition, with these changes."""
    facts = {
        "title": "test",
        "source": {"kind": "phantom"},
        "upload": "local",
        "task": task,
        "labels": {"targets": ["a", "b"] if task == "multilabel" else ["target"]},
        "images": {"train": "train/{id}.png", "test": "test/{id}.png", "channels": 1},
        "score": {"metric": "auc" if task == "binary" else "mean_auc"},
    }
    if task in ("multiclass", "ordinal"):
        facts["classes"] = ["0", "1", "2"]
    return CompetitionFacts.model_validate({**facts, **changes})


def picture(path: Path, seed: int = 0, shape: tuple = (12, 10)) -> np.ndarray:
    """Writes an image of noise and returns its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return pixels


class NoLeaderboard(Leaderboard):
    """A leaderboard to which submissions are not uploaded."""

    @classmethod
    def of(cls, project) -> Leaderboard:
        return cls(project.competition, project.paths)

    def preflight(self) -> None:
        pass

    def submit(self, entry) -> LeaderboardResult:
        return LeaderboardResult(status="written")


def zipped(content: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Packs files, given by name, into a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return out.getvalue()


def histology(train: int = 60, test: int = 20, ending: str = "tif") -> tuple[dict[str, bytes], dict[str, int]]:
    """Makes a small copy of histopathologic-cancer-detection: patches whose centre is darker in one class.

    Args:
        train, test: numbers of patches.
        ending: file suffix of the patches; those of the real competition are TIFFs.

    Returns:
        The files by name, and the labels of the test patches by id.
    """
    rng = np.random.default_rng(5)
    content, labels = {}, {}
    for part, count in (("train", train), ("test", test)):
        for number in range(count):
            id, label = f"{rng.integers(2**63):016x}{number:024x}", number % 2
            pixels = rng.integers(120, 256, (96, 96, 3), dtype=np.uint8)
            pixels[32:64, 32:64] -= np.uint8(100 * label)
            content[f"{part}/{id}.{ending}"] = cv2.imencode(f".{ending}", pixels)[1].tobytes()
            labels[part, id] = label
    rows = [f"{id},{label}" for (part, id), label in labels.items() if part == "train"]
    ids = [id for part, id in labels if part == "test"]
    content["train_labels.csv"] = "\n".join(["id,label", *rows, ""]).encode()
    content["sample_submission.csv"] = "\n".join(["id,label", *(f"{id},0" for id in ids), ""]).encode()
    return content, {id: labels["test", id] for id in ids}


def auc_of(truth: dict[str, int]) -> Callable[[bytes], dict]:
    """Returns a function that judges submissions as Kaggle would: an error for wrong ids, else the public AUC."""

    def judge(text: bytes) -> dict:
        rows = dict(line.split(",") for line in text.decode().splitlines()[1:])
        if set(rows) != set(truth):
            return {"status": "ERROR", "errorDescription": "Submission must have the ids of the sample"}
        ids = sorted(truth)
        targets, values = [truth[id] for id in ids], [float(rows[id]) for id in ids]
        return {"status": "COMPLETE", "publicScore": f"{roc_auc_score(targets, values):.5f}", "privateScore": ""}

    return judge


def finished_run(
    project, name: str = "baseline", quality: float = 1.0, folds: list[int] | None = None, best: bool = False
) -> None:
    """Writes a finished run of a binary task without TensorFlow: OOF predictions are noisy labels, test ones noise.

    Args:
        quality: weight of the labels in the logits; 0 is noise.
        folds: folds that are done. Defaults to all.
        best: if True, the recipe chooses epochs on the scored folds.
    """
    rng = np.random.default_rng([*name.encode()])

    def predict(targets: np.ndarray, known: np.ndarray, test: int) -> tuple[np.ndarray, np.ndarray]:
        oof = 1 / (1 + np.exp(-(2 * targets - 1) * quality - rng.standard_normal(len(targets))))
        return oof[:, None], rng.random((test, 1))

    _write_run(project, name, predict, folds, {"training": {"keep": "best"}} if best else {})


def constant_run(project, name: str = "constant") -> None:
    """Writes a finished run that predicts the class frequencies for every image."""
    competition = project.competition

    def predict(targets: np.ndarray, known: np.ndarray, test: int) -> tuple[np.ndarray, np.ndarray]:
        columns = len(competition.prediction_columns)
        labels = np.eye(columns)[known] if competition.exclusive_classes else known.reshape(-1, columns)
        oof, others = (np.tile(labels.mean(axis=0), (count, 1)) for count in (len(targets), test))
        return oof, others

    _write_run(project, name, predict)


def noisy_run(project, name: str = "noisy", noise: float = 1.0) -> None:
    """Writes a finished run of any task without TensorFlow: OOF predictions are noisy labels, test ones noise."""
    competition, rng = project.competition, np.random.default_rng([*name.encode()])

    def squashed(logits: np.ndarray) -> np.ndarray:
        if competition.exclusive_classes:
            return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return 1 / (1 + np.exp(-logits))

    def predict(targets: np.ndarray, known: np.ndarray, test: int) -> tuple[np.ndarray, np.ndarray]:
        columns = len(competition.prediction_columns)
        labels = np.eye(columns)[targets] if competition.exclusive_classes else targets.reshape(-1, columns)
        oof = 2 * labels - 1 + noise * rng.standard_normal(labels.shape)
        return squashed(oof), squashed(noise * rng.standard_normal((test, columns)))

    _write_run(project, name, predict)


def _write_run(
    project, name: str, predict: Callable, folds: list[int] | None = None, overrides: dict | None = None
) -> None:
    """Writes a run by a function: (targets of the fold, targets of the others, number of test images) -> OOF, test."""
    from medfold.competition.recipe import load_recipe
    from medfold.data.dataset import load_dataset
    from medfold.runs.oof import write_oof
    from medfold.runs.predictions import predictions_table
    from medfold.runs.run_json import record_run_start
    from medfold.runs.run_names import checked_run_paths
    from medfold.system import files
    from medfold.training.run_metadata import run_metadata

    competition, data = project.competition, load_dataset(project)
    choices = load_recipe(project.paths, project.project_paths.base_folder, "baseline", overrides or {})
    run = checked_run_paths(project.paths, name)
    record_run_start(run, run_metadata(project, choices, 0))
    for fold in folds or range(competition.folds.k):
        paths, here = run.fold(fold), (data.train["fold"] == fold).to_numpy()
        oof, test = predict(data.targets[here], data.targets[~here], len(data.test))
        tables = {
            paths.oof: predictions_table(competition, data.train["id"][here], oof, fold=fold),
            paths.test: predictions_table(competition, data.test["id"], test),
        }
        for path, table in tables.items():
            write_csv(table, path)
        files.write_json({path.name: sha256(path) for path in tables}, paths.done)
    write_oof(competition, run, data.train, data.targets)


def start(folder: Path, words: str, prelude: str = "pass") -> subprocess.Popen:
    """Starts a command of medfold in a new process, after the code `prelude`."""
    code = f"import sys; sys.argv[1:] = {words.split()!r}; {prelude}; from medfold.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True
    )


def kill_when(process: subprocess.Popen, condition: Callable[[], object]) -> None:
    """Kills a process (SIGKILL) as soon as a condition holds."""
    until = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    print(*process.communicate())  # so that the search for secrets sees the output
    assert process.returncode == -signal.SIGKILL


def finish(folder: Path, words: str, prelude: str = "pass", timeout: float = 60) -> str:
    """Runs a command of medfold, after the code `prelude`; returns its output, fails if it fails."""
    process = start(folder, words, prelude)
    out, error = process.communicate(timeout=timeout)
    print(out, error)
    assert (process.returncode, error) == (0, "")
    return out
