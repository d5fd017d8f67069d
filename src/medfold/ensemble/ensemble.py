"""Ensemble of runs: the chosen method and post-processing, the OOF score, and the test predictions."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from medfold.competition import Competition, CompetitionFacts
from medfold.data import Dataset
from medfold.ensemble.calibration import Calibration, measure_calibration
from medfold.ensemble.choose_method import choose_method
from medfold.ensemble.combination import combine_runs, mean_by_id
from medfold.ensemble.members import MemberPredictions
from medfold.ensemble.scored_methods import MethodChoice
from medfold.errors import UserError
from medfold.runs import TrainedRun, check_same_images, open_run_on_current_folds, read_predictions
from medfold.scoring import OofPredictions, OofScore, label_means, oof_by_unit, oof_score, targets_of_units
from medfold.system.hashes import sha256
from medfold.terminal.command_text import variable
from medfold.text import shorten_list


@dataclass(frozen=True)
class Ensemble:
    """Runs combined into one prediction: how they are combined, the OOF score, the test predictions.

    Args:
        runs: the runs with their trained folds, one per member.
        members: OOF predictions of the members.
        method_choice: the methods that were tried, and the chosen one.
        calibration: the effect of temperature scaling; None while a single fold is trained.
        oof: the OOF predictions that are scored; cross-fitted where anything was fitted on labels.
        oof_probabilities: OOF probabilities; the same as `oof`, unless that holds decisions or ranks.
        score: OOF score; its `ensemble` holds method, weights and post-processing.
        test_predictions: table of `id` (of the unit) and the prediction columns.
        test_probabilities: the same table of probabilities; differs if `test_predictions` holds decisions or ranks.
        fallback: float64 (columns,), the prediction for a unit without an image.
        prior: float64 (columns,), the mean of the units' labels: the probabilities for a unit without an image.
        input_hashes: hashes of the files that the ensemble was made from, by path.
    """

    runs: list[TrainedRun]
    members: MemberPredictions
    method_choice: MethodChoice
    calibration: Calibration | None
    oof: OofPredictions
    oof_probabilities: OofPredictions
    score: OofScore
    test_predictions: pd.DataFrame
    test_probabilities: pd.DataFrame
    fallback: np.ndarray
    prior: np.ndarray
    input_hashes: dict[str, str]

    @property
    def run_names(self) -> list[str]:
        """Names of the runs, in the order of the members."""
        return [run.name for run in self.runs]


def ensemble_runs(
    competition: Competition,
    run_names: list[str],
    dataset: Dataset,
    method_name: str | None = None,
    per_class: bool = False,
) -> Ensemble:
    """Combines runs; a single run is allowed, for its post-processing.

    Args:
        competition: the competition of the runs.
        run_names: run names; their order has no effect.
        dataset: the dataset with its folds.
        method_name: name of the method to combine the runs by. Defaults to the choice by cross-fitted scores.
        per_class: fit separate weights for each class or label. Defaults to False.

    Raises:
        UserError: a run is not trained, or was trained on other folds than the folds table or the other runs; the
            message names the difference.
    """
    facts = competition.facts
    runs = [open_run_on_current_folds(competition, name) for name in sorted(set(run_names))]
    _check_runs_fit(competition, runs, dataset)
    oof_by_run = [
        oof_by_unit(facts, run.read_oof(facts), dataset.train, dataset.targets, run.paths.oof, run.retrain_advice())
        for run in runs
    ]
    first_run = oof_by_run[0]  # labels, folds and groups of the units are the same for all
    stack = np.stack([predicted.predictions for predicted in oof_by_run])
    members = MemberPredictions([run.name for run in runs], stack, first_run.targets, first_run.folds, first_run.groups)
    method_choice = choose_method(members, facts, method_name, per_class)
    for_probabilities = method_choice.used_for_probabilities
    oof_probabilities = replace(first_run, predictions=for_probabilities.predictions)
    oof = replace(first_run, predictions=method_choice.used.predictions)
    run_score = oof_score(facts, oof, any(run.is_optimistic for run in runs), oof_probabilities)
    score = replace(run_score, ensemble=_method_entry(members, method_choice))
    test_predictions_by_run = {run.name: _test_predictions(facts, run) for run in runs}
    unit = dataset.test.set_index("id")["unit"]
    test_predictions = combine_runs(facts, test_predictions_by_run, unit, method_choice.used.fitted)
    test_probabilities = combine_runs(facts, test_predictions_by_run, unit, for_probabilities.fitted)
    prior = label_means(facts, targets_of_units(dataset.train["unit"].to_numpy(), dataset.targets))
    calibration = None
    if members.can_be_cross_fitted:
        calibration = measure_calibration(members, facts, method_choice, per_class)
    return Ensemble(
        runs=runs,
        members=members,
        method_choice=method_choice,
        calibration=calibration,
        oof=oof,
        oof_probabilities=oof_probabilities,
        score=score,
        test_predictions=test_predictions,
        test_probabilities=test_probabilities,
        fallback=method_choice.fallback(members, prior),
        prior=prior,
        input_hashes=_hash_inputs(competition, runs),
    )


def _check_runs_fit(competition: Competition, runs: list[TrainedRun], dataset: Dataset) -> None:
    """Checks that runs have the current images, and the same trained folds."""
    for run in runs:
        check_same_images(competition, run, dataset.test)
    first, *others = runs
    for other in others:
        if other.trained_folds != first.trained_folds:
            _check_markers(first, other)
            k = competition.facts.folds.k
            other_folds, first_folds = shorten_list(other.trained_folds, k), shorten_list(first.trained_folds, k)
            what = f"{other.name} has folds {other_folds}, {first.name} has {first_folds}"
            shorter = min(first, other, key=lambda run: len(run.trained_folds))
            fix = f"One score must cover all: train the missing folds of {shorter.name}: {shorter.train_command()}"
            raise UserError(what, variable("RUNS"), fix)


def _check_markers(*runs: TrainedRun) -> None:
    """Checks that no fold with predictions lacks its done.json, which may have been deleted."""
    for run in runs:
        for number in range(run.num_folds):
            fold = run.paths.fold(number)
            if fold.oof.is_file() and not fold.trained_marker.is_file():
                fix = f"Restore it from a backup, or train the fold again: {run.train_command(FOLD=number)}"
                raise UserError("missing, although the fold has predictions", fold.trained_marker, fix)


def _test_predictions(facts: CompetitionFacts, run: TrainedRun) -> pd.DataFrame:
    """Returns the mean of the folds' predictions of the test set."""
    tables = {f"{run.name} {paths.folder.name}": read_predictions(facts, paths.test) for paths in run.fold_paths}
    return mean_by_id(tables, facts.prediction_columns, run.retrain_advice())


def _hash_inputs(competition: Competition, runs: Iterable[TrainedRun]) -> dict[str, str]:
    """Returns the hashes of the tables of predictions that an ensemble is made from, by path in the project folder."""
    tables = [file for run in runs for paths in run.fold_paths for file in (paths.oof, paths.test)]
    return {file.relative_to(competition.project_paths.root).as_posix(): sha256(file) for file in tables}


def _method_entry(members: MemberPredictions, method_choice: MethodChoice) -> dict[str, Any]:
    """Returns the chosen method, its weights by run, and the parameters of the post-processing."""
    chosen = method_choice.chosen
    entry: dict[str, Any] = {"method": chosen.method.name}
    weights = chosen.fitted.parameters.get("weights")
    if weights is not None:
        entry["weights"] = {name: row.tolist() for name, row in zip(members.run_names, weights.round(9), strict=True)}
    if used := method_choice.used_post_processing:
        entry["parameters"] = {key: value for key, value in used.fitted.parameters.items() if key != "weights"}
    return entry
