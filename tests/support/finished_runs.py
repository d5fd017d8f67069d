"""Finished runs, written without a training.

A run of the same data and settings has the same bytes. So each process makes it once, and copies its files later.
"""

from collections.abc import Callable, Hashable
from pathlib import Path

import numpy as np

_made: dict[Hashable, dict[str, bytes]] = {}  # files of runs, by what they are made from


def finished_run(
    competition, name: str = "baseline", quality: float = 1.0, folds: list[int] | None = None, best: bool = False
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

    overrides = {"training": {"keep": "best"}} if best else {}
    _write_once(competition, name, predict, ("finished", quality, *(folds or ()), best), folds, overrides)


def constant_run(competition, name: str = "constant") -> None:
    """Writes a finished run that predicts the class frequencies for every image."""
    facts = competition.facts

    def predict(targets: np.ndarray, known: np.ndarray, test: int) -> tuple[np.ndarray, np.ndarray]:
        columns = len(facts.prediction_columns)
        labels = np.eye(columns)[known] if facts.has_exclusive_classes else known.reshape(-1, columns)
        oof, others = (np.tile(labels.mean(axis=0), (count, 1)) for count in (len(targets), test))
        return oof, others

    _write_once(competition, name, predict, "constant")


def noisy_run(competition, name: str = "noisy", noise: float = 1.0) -> None:
    """Writes a finished run of any task without TensorFlow: OOF predictions are noisy labels, test ones noise."""
    facts, rng = competition.facts, np.random.default_rng([*name.encode()])

    def squashed(logits: np.ndarray) -> np.ndarray:
        if facts.has_exclusive_classes:
            return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return 1 / (1 + np.exp(-logits))

    def predict(targets: np.ndarray, known: np.ndarray, test: int) -> tuple[np.ndarray, np.ndarray]:
        columns = len(facts.prediction_columns)
        labels = np.eye(columns)[targets] if facts.has_exclusive_classes else targets.reshape(-1, columns)
        oof = 2 * labels - 1 + noise * rng.standard_normal(labels.shape)
        return squashed(oof), squashed(noise * rng.standard_normal((test, columns)))

    _write_once(competition, name, predict, ("noisy", noise))


def write_fold(paths, oof, test) -> None:
    """Writes the predictions of a fold and its marker, but no weights."""
    from medfold.runs import mark_fold_trained, write_prediction_table

    mark_fold_trained(paths, [write_prediction_table(oof, paths.oof), write_prediction_table(test, paths.test)])


def _write_once(competition, name: str, predict: Callable, kind: Hashable, *settings: object) -> None:
    """Writes a run as `_write_run` does; copies the files of one that was made from the same inputs in this process.

    Args:
        kind: what `predict` depends on, apart from the name of the run.
        settings: folds and overrides, for `_write_run`.
    """
    folder, inputs = competition.paths.run(name).folder, _inputs(competition)
    key = (inputs, competition.paths.name, name, kind)
    if inputs is None or folder.exists():
        _write_run(competition, name, predict, *settings)
        return
    if key not in _made:
        _write_run(competition, name, predict, *settings)
        _made[key] = {str(path.relative_to(folder)): path.read_bytes() for path in _files(folder)}
        return
    for file, content in _made[key].items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)


def _inputs(competition) -> str | None:
    """Returns a fingerprint of what a run is made from; None where data or folds are still to be made."""
    from medfold.system.hardware import keras_backend
    from medfold.system.hashes import fingerprint, sha256

    paths = competition.paths
    data = [
        paths.raw_manifest,
        paths.samples,
        paths.measurements,
        paths.image_list,
        paths.folds_table,
        paths.folds_metadata,
    ]
    if not all(path.is_file() for path in data):
        return None
    files = [*data, *_files(paths.folder), *_files(paths.base_folder)]
    return fingerprint([competition.facts.model_dump(mode="json"), keras_backend(), [sha256(path) for path in files]])


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _write_run(
    competition, name: str, predict: Callable, folds: list[int] | None = None, overrides: dict | None = None
) -> None:
    """Writes a run by a function: (targets of the fold, targets of the others, number of test images) -> OOF, test."""
    from medfold.competition import load_recipe
    from medfold.data import make_dataset
    from medfold.runs import checked_run_paths, predictions_table, write_oof
    from medfold.training.run_metadata import run_metadata
    from medfold.training.same_start import record_run_start

    facts, dataset = competition.facts, make_dataset(competition)
    choices = load_recipe(competition.paths, "baseline", overrides or {})
    run = checked_run_paths(competition.paths, name)
    record_run_start(run, run_metadata(competition, choices, 0))
    for fold in folds or range(facts.folds.k):
        paths, here = run.fold(fold), (dataset.train["fold"] == fold).to_numpy()
        oof, test = predict(dataset.targets[here], dataset.targets[~here], len(dataset.test))
        write_fold(
            paths,
            oof=predictions_table(facts, dataset.train["id"][here], oof, fold=fold),
            test=predictions_table(facts, dataset.test["id"], test),
        )
    write_oof(facts, run, dataset.train, dataset.targets)
