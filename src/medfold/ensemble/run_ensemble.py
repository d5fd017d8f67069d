"""Ensemble of runs: the chosen method and post-processing, the OOF score, and the test predictions."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from medfold.competition import Project
from medfold.data import Dataset
from medfold.ensemble import method_choice
from medfold.ensemble.ensemble_predictor import combine_runs
from medfold.ensemble.fold_mean import mean_by_id
from medfold.ensemble.method_choice import Calibration, EnsembleChoice, MemberPredictions, choose_method
from medfold.errors import UserError, shorten_list
from medfold.run_paths import FoldPaths
from medfold.runs import (
    check_same_facts_and_folds,
    check_same_images,
    find_run,
    is_optimistic,
    read_predictions,
    require_trained_folds,
)
from medfold.scoring import OofPredictions, label_means, labels_of_units, oof_by_unit, oof_score
from medfold.system import files
from medfold.terminal.command_text import variable


@dataclass(frozen=True)
class Ensemble:
    """Combined runs.

    Args:
        run_names: names of the runs, one per member.
        members: OOF predictions of the members.
        choice: the way they are combined.
        calibration: the effect of temperature scaling; None while a single fold is trained.
        oof: the OOF predictions that are scored; cross-fitted where anything was fitted on labels.
        probabilities: OOF probabilities; the same as `oof`, unless that holds decisions or ranks.
        score: the content of score.json, with the entry `ensemble`: method, weights, post-processing.
        test_predictions: table of `id` (of the unit) and the prediction columns.
        test_probabilities: the same table of probabilities; differs if `test_predictions` holds decisions or ranks.
        fallback: float64 (columns,), the prediction for a unit without an image.
        prior: float64 (columns,), the mean of the units' labels: the probabilities for a unit without an image.
        inputs: hashes of the files that the ensemble was made from, by path.
    """

    run_names: list[str]
    members: MemberPredictions
    choice: EnsembleChoice
    calibration: Calibration | None
    oof: OofPredictions
    probabilities: OofPredictions
    score: dict[str, Any]
    test_predictions: pd.DataFrame
    test_probabilities: pd.DataFrame
    fallback: np.ndarray
    prior: np.ndarray
    inputs: dict[str, str]


def ensemble_runs(
    project: Project, run_names: list[str], data: Dataset, method: str | None = None, per_class: bool = False
) -> Ensemble:
    """Combines runs; a single run is allowed, for its post-processing.

    Args:
        project: the competition of the runs.
        run_names: run names; their order has no effect.
        data: the dataset with its folds.
        method: name of the method to combine the runs by. Defaults to the choice by cross-fitted scores.
        per_class: fit separate weights for each class or label. Defaults to False.

    Raises:
        UserError: a run is not trained, or was trained on other folds than the folds table or the other runs; the
            message names the difference.
    """
    competition = project.competition
    # Sorted: the order of the names has no effect.
    runs = {name: _Run.read(project, name) for name in sorted(set(run_names))}
    for name in runs:
        check_same_images(project, name, data.test)
    first, *others = runs.values()
    for other in others:
        if other.fold_numbers != first.fold_numbers:
            k = competition.folds.k
            other_folds, first_folds = shorten_list(other.fold_numbers, k), shorten_list(first.fold_numbers, k)
            what = f"{other.name} has folds {other_folds}, {first.name} has {first_folds}"
            raise UserError(what, variable("RUNS"), "Train the missing folds, so that one score covers all")
    oof_by_run = {
        name: oof_by_unit(competition, run.oof_table(project), data.train, data.targets) for name, run in runs.items()
    }
    oof = next(iter(oof_by_run.values()))
    stack = np.stack([predicted.predictions for predicted in oof_by_run.values()])
    members = MemberPredictions(list(oof_by_run), stack, oof.targets, oof.fold, oof.group)
    choice = choose_method(members, competition, method, per_class)
    probabilities_fitted, probabilities_oof = choice.probabilities
    probabilities = replace(oof, predictions=probabilities_oof)
    oof = replace(oof, predictions=choice.predictions)
    score = oof_score(competition, oof, any(run.is_optimistic for run in runs.values()), probabilities)
    score["ensemble"] = _score_entry(members, choice)
    tests_by_run = {name: run.test_predictions(project) for name, run in runs.items()}
    unit = data.test.set_index("id")["unit"]
    test_predictions, test_probabilities = (
        combine_runs(competition, tests_by_run, unit, transform) for transform in (choice.fitted, probabilities_fitted)
    )
    prior = label_means(competition, labels_of_units(data.train["unit"].to_numpy(), data.targets))
    inputs = {path: digest for run in runs.values() for path, digest in run.inputs(project).items()}
    calibration = None
    if members.can_be_cross_fitted:
        calibration = method_choice.calibration_gain(members, competition, choice, per_class)
    return Ensemble(
        run_names=list(oof_by_run),
        members=members,
        choice=choice,
        calibration=calibration,
        oof=oof,
        probabilities=probabilities,
        score=score,
        test_predictions=test_predictions,
        test_probabilities=test_probabilities,
        fallback=choice.fallback(prior),
        prior=prior,
        inputs=inputs,
    )


@dataclass(frozen=True)
class _Run:
    """Trained folds of a run."""

    name: str
    fold_numbers: list[int]
    is_optimistic: bool
    fold_paths: list[FoldPaths]

    @classmethod
    def read(cls, project: Project, name: str) -> "_Run":
        run_paths = find_run(project.paths, name)
        metadata = check_same_facts_and_folds(project, name)
        fold_numbers = require_trained_folds(run_paths, project.competition.folds.k)
        return cls(name, fold_numbers, is_optimistic(metadata), [run_paths.fold(number) for number in fold_numbers])

    def oof_table(self, project: Project) -> pd.DataFrame:
        tables = [read_predictions(project.competition, fold.oof) for fold in self.fold_paths]
        return pd.concat(tables, ignore_index=True)

    def test_predictions(self, project: Project) -> pd.DataFrame:
        """Returns the mean of the folds' test predictions."""
        competition = project.competition
        folds = {
            f"{self.name} {fold.folder.name}": read_predictions(competition, fold.test) for fold in self.fold_paths
        }
        return mean_by_id(folds, competition.prediction_columns)

    def inputs(self, project: Project) -> dict[str, str]:
        tables = [file for fold in self.fold_paths for file in (fold.oof, fold.test)]
        return {file.relative_to(project.workspace.root).as_posix(): files.sha256(file) for file in tables}


def _score_entry(members: MemberPredictions, choice: EnsembleChoice) -> dict[str, Any]:
    """Returns the entry `ensemble` of score.json."""
    chosen = choice.chosen
    post_processed = choice.post_processed
    entry: dict[str, Any] = {"method": chosen.method.name}
    weights = chosen.fitted.parameters.get("weights")
    if weights is not None:
        entry["weights"] = {name: row.tolist() for name, row in zip(members.run_names, weights.round(9), strict=True)}
    if post_processed and post_processed.helps:
        parameters = {key: value for key, value in post_processed.fitted.parameters.items() if key != "weights"}
        entry["parameters"] = parameters
    return entry
