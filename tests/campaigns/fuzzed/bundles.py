"""Bundles for Kaggle, checkpoints and weights, damaged at random: each is opened, or refused in one line."""

import json
from functools import partial
from pathlib import Path

import numpy as np

from medfold.notebooks import SubmissionBundle, TrainingBundle
from medfold.notebooks.bundle import complete_bundle
from medfold.scoring import FittedTransform
from medfold.training.loop.checkpoint import Checkpoint
from tests.campaigns.fuzzed import READ, Subject
from tests.campaigns.fuzzed.damage import HOSTILE_NAMES, cut, damaged, damaged_value, rezipped
from tests.support.helpers import competition_facts

MANIFESTS = ("job.json", "kit.json")


def _prepare_bundle(folder: Path, kind: str) -> None:
    (folder / "state.npz").write_bytes(b"state")
    (folder / "net.weights.h5").write_bytes(b"weights")
    if kind == "kit.json":
        FittedTransform([]).save(folder / "ensemble.npz")
        run = {"name": "noise", "recipe": {}, "weights": ["net.weights.h5"]}
        manifest = {
            "facts": competition_facts().model_dump(mode="json"),
            "runs": [run],
            "score": "AUC 0.9",
            "slug": "small",
        }
        manifest["fallback"] = [0.5]
    else:
        manifest = {
            "competition": "small",
            "request": {"recipe": "baseline", "overrides": {}, "seed": 0, "run": "noise", "folds": [0]},
            "weights": "net.weights.h5",
            "checkpoints": {"state.npz": 0},
            "project_files": {"competition/small/competition.yaml": "title: x\n"},
        }
    complete_bundle(folder, {"medfold": "1.0", "packages": [], **manifest}, kind, ["identity"])


def _attempt_bundle(rng: np.random.Generator | None, given: Path, place: Path, kind: str) -> str:
    folder, root = place / "bundle", place / "root"
    folder.mkdir()
    root.mkdir()
    for path in given.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    if rng:
        data, choice = (folder / kind).read_bytes(), rng.random()
        if choice < 0.15:
            data = damaged(data, rng)
        elif choice < 0.2:
            data = cut(data, rng)
        else:
            content = json.loads(data)
            data = json.dumps(damaged_value(content, rng, [*content, *HOSTILE_NAMES])).encode()
        (folder / kind).write_bytes(data)
    try:
        if kind == "kit.json":
            str(SubmissionBundle.open(folder))
        else:
            bundle = TrainingBundle.open(folder)
            str(bundle)
            bundle.write_competition(root)
    finally:
        assert sorted(path.name for path in place.iterdir()) == ["bundle", "root"]
    return READ


def _checkpoint(path: Path) -> Checkpoint:
    return Checkpoint(path, ["identity"], "float32", [[3]])


def _prepare_checkpoint(folder: Path) -> None:
    _checkpoint(folder / "checkpoint.npz").save([np.arange(3.0), np.eye(2)], {"history": [], "num_batches": 3})


def _attempt_checkpoint(rng: np.random.Generator | None, given: Path, place: Path) -> str:
    path, data = place / "checkpoint.npz", (given / "checkpoint.npz").read_bytes()
    if rng:
        choice = rng.random()
        data = cut(data, rng) if choice < 0.1 else damaged(data, rng) if choice < 0.5 else rezipped(data, rng)
    path.write_bytes(data)
    found = _checkpoint(path).load()
    return READ if found else "none"


def _net():
    import keras

    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()])


def _prepare_weights(folder: Path) -> None:
    from medfold.prediction import save_weights

    save_weights(_net(), folder / "net.weights.h5")


def _attempt_weights(rng: np.random.Generator | None, given: Path, place: Path) -> str:
    from medfold.prediction import read_weights

    path, data = place / "net.weights.h5", (given / "net.weights.h5").read_bytes()
    if rng:
        data = cut(data, rng) if rng.random() < 0.1 else damaged(data, rng)
    path.write_bytes(data)
    read_weights(_net(), path)
    return READ


SUBJECTS = {
    **{
        kind: Subject(partial(_prepare_bundle, kind=kind), partial(_attempt_bundle, kind=kind), blocks=10)
        for kind in MANIFESTS
    },
    "checkpoint": Subject(_prepare_checkpoint, _attempt_checkpoint, blocks=10),
    "weights": Subject(_prepare_weights, _attempt_weights, blocks=10),
}
