"""`make compare`: tests whether one run is better than another beyond chance."""

from dataclasses import replace

import numpy as np
import pandas as pd

from medfold.competition import Project
from medfold.console import print_table, say, warn
from medfold.data import Dataset
from medfold.errors import UserError, shorten_list
from medfold.runs import (
    find_run,
    is_optimistic,
    load_dataset_for,
    read_predictions,
    read_run,
    require_same_facts_and_folds,
    trained_folds,
)
from medfold.scoring import (
    Difference,
    OofPredictions,
    bootstrap_interval,
    format_difference,
    format_interval,
    format_score,
    metric_of,
    oof_by_unit,
    paired_difference,
)


def compare(project: Project, sides: list[str]) -> Difference:
    """Tests whether the second run beats the first on the folds that both have, by a paired bootstrap over groups.

    Args:
        sides: two run names; several joined with `+` stand for the mean of their predictions.

    Returns:
        The difference of the scores, positive if the second is better.

    Raises:
        UserError: not two sides, an untrained run, or no fold in common.
    """
    if len(sides) != 2:
        raise UserError(
            f"expected two runs, received {len(sides)}",
            f'RUNS="{" ".join(sides)}"',
            'Example: RUNS="a b"; several as one: RUNS="a+a-s1 b+b-s1"',
        )
    competition = project.competition
    names = [name for side in sides for name in side.split("+")]
    metric, data = metric_of(competition), load_dataset_for(project, names)
    oof_by_side = [[_load_oof(project, name, data) for name in side.split("+")] for side in sides]
    folds = set.intersection(*(set(np.unique(oof.fold).tolist()) for side in oof_by_side for oof in side))
    if not folds:
        raise UserError(
            "the runs have no trained fold in common", f'RUNS="{" ".join(sides)}"', "Train the same fold of each"
        )
    first, second = (_average([_restrict_to_folds(oof, folds) for oof in side]) for side in oof_by_side)
    rows = []
    for name, oof in zip(sides, (first, second), strict=True):
        low, high = bootstrap_interval(metric, oof.targets, oof.predictions, oof.group)
        rows.append([name, format_score(metric(oof.targets, oof.predictions)), format_interval(low, high)])
    k = competition.folds.k
    covers = f"all {k} folds" if len(folds) == k else f"folds {shorten_list(sorted(folds), k)}, which all have"
    say("compare", f"{covers}, {len(first.names):,} {'units' if competition.score.unit else 'samples'}")
    print_table(["run", metric.title, "95 % interval"], rows)
    difference = paired_difference(metric, first.targets, second.predictions, first.predictions, first.group)
    chance = "" if np.isnan(difference.probability) else f"; better in {difference.probability:.0%} of the resamples"
    if np.isnan(difference.value):
        say("difference", f"undefined: {metric.title} is undefined on the compared folds")
    else:
        say("difference", f"{sides[1]} is better by {format_difference(difference)}{chance}")
    say("verdict", _verdict(sides, difference))
    _warn_optimistic(project, sides)
    return difference


def _verdict(sides: list[str], difference: Difference) -> str:
    if np.isnan(difference.low):
        return "undefined: too few resamples have a score to compare"
    if difference.low > 0:
        return f"{sides[1]} beats {sides[0]} beyond chance"
    if difference.high < 0:
        return f"{sides[0]} beats {sides[1]} beyond chance"
    return "no difference beyond chance"


def _load_oof(project: Project, name: str, data: Dataset) -> OofPredictions:
    run_paths = find_run(project.paths, name)
    require_same_facts_and_folds(project, name)
    folds = trained_folds(run_paths, project.competition.folds.k)
    tables = [read_predictions(project.competition, run_paths.fold(fold).oof) for fold in folds]
    return oof_by_unit(project.competition, pd.concat(tables, ignore_index=True), data.train, data.targets)


def _restrict_to_folds(oof: OofPredictions, folds: set[int]) -> OofPredictions:
    rows = np.isin(oof.fold, list(folds))
    return OofPredictions(*(getattr(oof, name)[rows] for name in ("names", "predictions", "targets", "fold", "group")))


def _average(side: list[OofPredictions]) -> OofPredictions:
    return replace(side[0], predictions=np.mean([oof.predictions for oof in side], axis=0))


def _warn_optimistic(project: Project, sides: list[str]) -> None:
    optimistic = [
        name for side in sides for name in side.split("+") if is_optimistic(read_run(find_run(project.paths, name)))
    ]
    if optimistic:
        warn(
            "",
            f"OPTIMISTIC: the epochs of {shorten_list(optimistic)} were chosen on the scored folds: the comparison is "
            "biased in its favour",
        )
