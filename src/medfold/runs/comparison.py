"""Comparison of two runs, or of means of runs, by a paired bootstrap on the folds that all have."""

from dataclasses import dataclass, replace

import numpy as np

from medfold.competition import Competition
from medfold.data import Dataset
from medfold.errors import UserError
from medfold.runs.checks.checked_dataset import dataset_of_runs
from medfold.runs.checks.same_data import open_run_on_current_folds
from medfold.runs.trained_run import TrainedRun
from medfold.scoring import Difference, OofPredictions, bootstrap_interval, metric_of, oof_by_unit, paired_difference
from medfold.terminal.command_text import variable


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Args:
        name: name of a run; several are joined with `+` and stand for the mean of their predictions.
        value: OOF score on the compared folds; nan if it is undefined.
        low: lower end of its 95 % interval; nan if there is none.
        high: upper end of its 95 % interval; nan if there is none.
        optimistic_runs: the runs whose epochs were chosen on the scored folds, so that the score is too high.
    """

    name: str
    value: float
    low: float
    high: float
    optimistic_runs: list[str]


@dataclass(frozen=True)
class Comparison:
    """Two sides, and the advantage of the second.

    Args:
        metric: name of the metric.
        sides: the two sides.
        folds: numbers of the compared folds: the folds that all runs have.
        num_folds: number of folds of the competition.
        num_units: number of scored units.
        difference: advantage of the second side over the first, with its 95 % interval.
        better_side: name of the side that is better beyond chance; None if there is no such side.
    """

    metric: str
    sides: list[Side]
    folds: list[int]
    num_folds: int
    num_units: int
    difference: Difference
    better_side: str | None


def compare_runs(competition: Competition, sides: list[str]) -> Comparison:
    """Estimates how much better the second side is than the first, on the folds that all their runs have.

    Args:
        competition: the competition of the runs.
        sides: two run names; several joined with `+` stand for the mean of their predictions.

    Raises:
        UserError: not two sides, an untrained run, or no fold in common.
    """
    if len(sides) != 2:
        fix = f"Example: {variable('RUNS', 'a b')}; several as one: {variable('RUNS', 'a+a-s1 b+b-s1')}"
        raise UserError(f"expected two runs, received {len(sides)}", variable("RUNS", " ".join(sides)), fix)
    if sides[0] == sides[1]:
        raise UserError("both sides are the same", variable("RUNS", " ".join(sides)), "Name two different runs")
    names_by_side = [side.split("+") for side in sides]
    metric = metric_of(competition.facts)
    dataset = dataset_of_runs(competition, "+".join(sides).split("+"))
    runs_by_side = [[open_run_on_current_folds(competition, name) for name in names] for names in names_by_side]
    oof_by_side = [[_oof_of(competition, run, dataset) for run in runs] for runs in runs_by_side]
    folds = set.intersection(*(set(np.unique(oof.folds).tolist()) for oofs in oof_by_side for oof in oofs))
    if not folds:
        last = runs_by_side[1][0]
        first_fold = runs_by_side[0][0].trained_folds[0]
        fix = f"Train the same fold of each, such as: {last.train_command(FOLD=first_fold)}"
        raise UserError("the runs have no trained fold in common", variable("RUNS", " ".join(sides)), fix)
    first, second = (_mean([_restrict_to_folds(oof, folds) for oof in oofs]) for oofs in oof_by_side)
    scored = []
    for side, runs, oof in zip(sides, runs_by_side, (first, second), strict=True):
        low, high = bootstrap_interval(metric, oof.targets, oof.predictions, oof.groups)
        optimistic = [run.name for run in runs if run.is_optimistic]
        scored.append(Side(side, metric(oof.targets, oof.predictions), low, high, optimistic))
    difference = paired_difference(
        metric, first.targets, candidate=second.predictions, reference=first.predictions, groups=first.groups
    )
    better = sides[1] if difference.low > 0 else sides[0] if difference.high < 0 else None  # None too if undefined
    num_folds = competition.facts.folds.k
    return Comparison(metric.name, scored, sorted(folds), num_folds, len(first.unit_ids), difference, better)


def _oof_of(competition: Competition, run: TrainedRun, dataset: Dataset) -> OofPredictions:
    facts = competition.facts
    file, fix = run.paths.oof, run.retrain_advice()
    return oof_by_unit(facts, run.read_oof(facts), dataset.train, dataset.targets, file, fix)


def _restrict_to_folds(oof: OofPredictions, folds: set[int]) -> OofPredictions:
    rows = np.isin(oof.folds, list(folds))
    return OofPredictions(
        *(getattr(oof, name)[rows] for name in ("unit_ids", "predictions", "targets", "folds", "groups"))
    )


def _mean(oofs: list[OofPredictions]) -> OofPredictions:
    return replace(oofs[0], predictions=np.mean([oof.predictions for oof in oofs], axis=0))
