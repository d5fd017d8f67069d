"""Runs put together: the method and the post-processing that cross-fitted scores choose, and what they predict."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Project
from medfold.data import Dataset
from medfold.ensemble import method_choice
from medfold.ensemble.fold_mean import mean_by_id
from medfold.ensemble.method_choice import Calibration, EnsembleChoice, Members, choose_method
from medfold.ensemble.predictor import combine
from medfold.errors import UserError, shorten_list
from medfold.run_paths import FoldPaths
from medfold.runs import (
    find_run,
    is_optimistic,
    read_predictions,
    require_same_facts_and_folds,
    require_same_images,
    trained_folds,
)
from medfold.scoring import OofPredictions, label_means, labels_of_units, oof_by_unit, oof_score


@dataclass(frozen=True)
class Ensemble:
    """Runs put together.

    Args:
        names: of the runs.
        members: their OOF predictions.
        decision: how they are put together.
        calibration: what temperature scaling would do; None while a single fold is trained.
        oof: the OOF predictions that the score is of: cross-fitted where anything was fitted on labels.
        probable: the probabilities behind it, where an adjustment made decisions of them.
        score: as score.json, and `ensemble`: method, weights, adjustment.
        test: id (of the unit) and prediction columns.
        test_probable: the probabilities behind `test`, as `probable` is behind `oof`.
        nothing: float64 (columns,), what is predicted of a unit without an image.
        prior: float64 (columns,), the mean of the units' labels: the probabilities behind it.
        inputs: hashes of the files that this was made from, by path.
    """

    names: list[str]
    members: Members
    decision: EnsembleChoice
    calibration: Calibration | None
    oof: OofPredictions
    probable: OofPredictions
    score: dict[str, Any]
    test: pd.DataFrame
    test_probable: pd.DataFrame
    nothing: np.ndarray
    prior: np.ndarray
    inputs: dict[str, str]


def ensemble_runs(
    project: Project, names: list[str], data: Dataset, method: str | None = None, per_class: bool = False
) -> Ensemble:
    """Puts runs together; a single one, too, for its adjustment.

    Args:
        names: of the runs.
        data: the folds.
        method, per_class: as `ensemble` takes them.

    Raises:
        UserError: a run that is not trained, or trained on other folds than the table or the others; what differs is
            named.
    """
    competition = project.competition
    read = {name: _Run.read(project, name) for name in sorted(set(names))}  # so their order decides nothing
    for name in read:
        require_same_images(project, name, data.test)
    first, *others = read.values()
    for other in others:
        if other.folds != first.folds:
            k = competition.folds.k
            theirs, ours = shorten_list(other.folds, k), shorten_list(first.folds, k)
            what = f"{other.name} has folds {theirs}, {first.name} has {ours}"
            raise UserError(what, "RUNS", "Train what is missing, so that one score vouches for all")
    found = {name: oof_by_unit(competition, run.oof(project), data.train, data.targets) for name, run in read.items()}
    oof = next(iter(found.values()))
    stack = np.stack([each.predictions for each in found.values()])
    members = Members(list(found), stack, oof.targets, oof.fold, oof.group)
    decision = choose_method(members, competition, method, per_class)
    behind, behind_oof = decision.probable
    probable = replace(oof, predictions=behind_oof)
    oof = replace(oof, predictions=decision.predictions)
    optimistic = any(run.optimistic for run in read.values())
    score = oof_score(competition, oof, optimistic, probable)
    score["ensemble"] = _for_the_record(members, decision)
    tests, unit = {name: run.test(project) for name, run in read.items()}, data.test.set_index("id")["unit"]
    test, test_probable = (combine(competition, tests, unit, each) for each in (decision.fitted, behind))
    prior = label_means(competition, labels_of_units(data.train["unit"].to_numpy(), data.targets))
    inputs = {path: digest for run in read.values() for path, digest in run.inputs(project).items()}
    calibration = None
    if members.can_be_cross_fitted:
        calibration = method_choice.calibration_gain(members, competition, decision, per_class)
    return Ensemble(
        names=list(found),
        members=members,
        decision=decision,
        calibration=calibration,
        oof=oof,
        probable=probable,
        score=score,
        test=test,
        test_probable=test_probable,
        nothing=decision.without_image(prior),
        prior=prior,
        inputs=inputs,
    )


@dataclass(frozen=True)
class _Run:
    """One run's finished folds."""

    name: str
    folds: list[int]
    optimistic: bool
    paths: list[FoldPaths]

    @classmethod
    def read(cls, project: Project, name: str) -> "_Run":
        run_paths = find_run(project.paths, name)
        origin = require_same_facts_and_folds(project, name)
        folds = trained_folds(run_paths, project.competition.folds.k)
        return cls(name, folds, is_optimistic(origin), [run_paths.fold(number) for number in folds])

    def oof(self, project: Project) -> pd.DataFrame:
        read = [read_predictions(project.competition, fold.oof) for fold in self.paths]
        return pd.concat(read, ignore_index=True)

    def test(self, project: Project) -> pd.DataFrame:
        """The mean of the folds."""
        competition = project.competition
        folds = {f"{self.name} {fold.folder.name}": read_predictions(competition, fold.test) for fold in self.paths}
        return mean_by_id(folds, competition.prediction_columns)

    def inputs(self, project: Project) -> dict[str, str]:
        every = [file for fold in self.paths for file in (fold.oof, fold.test)]
        return {file.relative_to(project.workspace.root).as_posix(): files.sha256(file) for file in every}


def _for_the_record(members: Members, decision: EnsembleChoice) -> dict[str, Any]:
    chosen, adjusted = decision.chosen, decision.adjusted
    record: dict[str, Any] = {"method": chosen.method.name}
    weights = chosen.fitted.parameters.get("weights")
    if weights is not None:
        record["weights"] = {name: each.tolist() for name, each in zip(members.names, weights.round(9), strict=True)}
    if adjusted and adjusted.helps:
        parameters = {key: value for key, value in adjusted.fitted.parameters.items() if key != "weights"}
        record["adjustment"] = parameters
    return record
