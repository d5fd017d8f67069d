"""Summaries of all runs of a competition: scores that can be compared, and settings that differ."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from medfold.competition import Competition, effective_recipe
from medfold.errors import UserError
from medfold.paths import RunPaths
from medfold.runs.checks.comparability import ScoreReader
from medfold.runs.checks.same_data import has_same_folds
from medfold.runs.fold_state import FoldStates, fold_states
from medfold.runs.run import Run, read_run
from medfold.runs.timing import training_seconds
from medfold.scoring import metric_of


@dataclass(frozen=True)
class RunSummary:
    """One run among all runs of a competition.

    Args:
        name: name of the run.
        value: OOF score; None if it is undefined or cannot be compared.
        low: lower end of its 95 % interval; None if there is none.
        high: upper end of its 95 % interval; None if there is none.
        is_optimistic: True if the epochs were chosen on the folds that are scored.
        problem: why the score cannot be compared with others; empty if it can.
        trained_folds: numbers of the trained folds.
        num_folds: number of folds of the competition.
        seconds: training time of all folds together, in seconds; None if it was not recorded.
        seed: seed of the run.
        differences: the settings of its recipe that differ from most runs.
        older_folds_fingerprint: fingerprint of the folds table that it was trained on; empty if it is the current
            one.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    is_optimistic: bool
    problem: str
    trained_folds: list[int]
    num_folds: int
    seconds: float | None
    seed: int
    differences: dict[str, Any]
    older_folds_fingerprint: str


@dataclass(frozen=True)
class RunList:
    """All runs of a competition.

    Args:
        competition: name of the competition.
        metric: name of its metric.
        runs: the trained runs, those on the current folds table first; within a folds table the best first. A run
            with fewer scored folds follows those with more, as its score covers fewer samples.
        untrained: names of the runs without a trained fold.
        without_metadata: names of the folders with trained folds whose run.json is missing.
        damaged: names of the runs whose run.json is damaged, with the reason.
    """

    competition: str
    metric: str
    runs: list[RunSummary]
    untrained: list[str]
    without_metadata: list[str]
    damaged: dict[str, str]


def summarise_runs(competition: Competition) -> RunList:
    """Summarises all runs of a competition.

    Raises:
        UserError: there is no run, or none with an intact run.json.
    """
    paths = competition.paths
    metric = metric_of(competition.facts)
    runs, damaged = _read_runs([paths.run(path.parent.name) for path in sorted(paths.runs.glob("*/run.json"))])
    without_metadata = _without_metadata(competition)
    if not runs and damaged:
        raise next(iter(damaged.values()))
    if not runs and without_metadata:
        fix = "Restore it, or remove the folder"
        raise UserError("run.json is missing", paths.run(without_metadata[0]).folder, fix)
    if not runs:
        raise UserError("no run yet", paths.name, f"Run: {competition.command('train')}")
    recipes = {run.name: effective_recipe(run.metadata.recipe, run.metadata.symmetry) for run in runs}
    most_common = most_common_settings(list(recipes.values()))
    scores = ScoreReader.of(competition)
    summaries = []
    untrained = []
    for run in runs:
        states = fold_states(run.paths, run.num_folds)
        if not states.trained and not states.damaged_files:
            untrained.append(run.name)
            continue
        differences = {key: value for key, value in recipes[run.name].items() if value != most_common.get(key)}
        summaries.append(_summarise(scores, run, states, differences))
    fingerprints = ["", *(summary.older_folds_fingerprint for summary in summaries)]
    summaries.sort(
        key=lambda summary: (fingerprints.index(summary.older_folds_fingerprint), *sort_key(summary, metric.sign))
    )
    reasons = {name: error.what for name, error in damaged.items()}
    return RunList(paths.name, metric.name, summaries, untrained, without_metadata, reasons)


def _read_runs(all_run_paths: list[RunPaths]) -> tuple[list[Run], dict[str, UserError]]:
    """Reads runs; returns those with an intact run.json, and the errors of the others by the name of the run."""
    runs, damaged = [], {}
    for run_paths in all_run_paths:
        try:
            runs.append(read_run(run_paths))
        except UserError as error:
            damaged[run_paths.name] = error
    return runs, damaged


def _summarise(scores: ScoreReader, run: Run, states: FoldStates, differences: dict[str, Any]) -> RunSummary:
    has_current_folds = has_same_folds(scores.competition, run.metadata)
    score, problem = scores.read(run, states, has_current_folds)
    return RunSummary(
        name=run.name,
        value=score and score.value,
        low=score and score.low,
        high=score and score.high,
        is_optimistic=bool(score and score.is_optimistic),
        problem=problem,
        trained_folds=states.trained,
        num_folds=run.num_folds,
        seconds=training_seconds([run.paths], run.num_folds),
        seed=run.metadata.seed,
        differences=differences,
        older_folds_fingerprint="" if has_current_folds else run.metadata.folds_fingerprint,
    )


def most_common_settings(recipes: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the most common value of each setting."""
    keys = {key for recipe in recipes for key in recipe}
    most_common = {key: Counter(str(recipe.get(key)) for recipe in recipes).most_common(1)[0][0] for key in keys}
    return {
        key: next(recipe.get(key) for recipe in recipes if str(recipe.get(key)) == most_common[key]) for key in keys
    }


def sort_key(summary: RunSummary, sign: int) -> tuple[int, float, str]:
    """Returns the sort key of a run among those of its folds table: the best first."""
    num_scored = 0 if summary.problem else len(summary.trained_folds)
    return -num_scored, np.inf if summary.value is None else -sign * summary.value, summary.name


def _without_metadata(competition: Competition) -> list[str]:
    """Returns the names of folders with trained folds, but without run.json."""
    trained = {path.parents[1].name for path in competition.paths.runs.glob("*/fold*/done.json")}
    return sorted(name for name in trained if not competition.paths.run(name).metadata.is_file())
