"""Runs for the tests of trackers: finished folds with a history, and folds that were trained anew."""

import pandas as pd

from medfold.system import json_files
from medfold.system.hashes import sha256
from medfold.tables import write_csv
from medfold.tracking import TrackedResult
from medfold.tracking.results import results_of_run
from tests.support.finished_runs import finished_run

EPOCHS = 3


def tracked_run(competition, name: str = "baseline", folds: list[int] | None = None) -> None:
    """Writes a finished run whose folds have a history of three epochs, and a time."""
    finished_run(competition, name, folds=folds)
    for fold in folds or range(competition.facts.folds.k):
        train_anew(competition, fold, 0.5, name)


def train_anew(competition, fold: int, loss: float, name: str = "baseline") -> None:
    """Gives a finished fold the history of another training; its losses are `loss` / epoch."""
    paths = competition.paths.run(name).fold(fold)
    epochs = range(1, EPOCHS + 1)
    metric = f"val_{competition.facts.score.metric}"
    rows = [
        {"phase": "all", "epoch": epoch, "learning_rate": 0.01, "loss": loss / epoch, metric: 0.6 + epoch / 10}
        for epoch in epochs
    ]
    rows[0][metric] = float("nan")  # undefined
    write_csv(pd.DataFrame(rows), paths.history)
    json_files.write({"seconds": 60.0, "finished": "2030-01-02T03:04:05+00:00"}, paths.timing)
    files = (paths.oof, paths.test, paths.history)
    json_files.write({path.name: sha256(path) for path in files}, paths.trained_marker)


def fold_result(competition, fold: int = 0) -> TrackedResult:
    """Returns the result of a finished fold of the run `baseline`."""
    return results_of_run(competition, "baseline")[fold]
