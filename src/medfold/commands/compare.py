"""Stage `compare`: is one run better than another, or is it chance? And stage `runs`: all of them."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import recipe
from medfold.competition.facts import Competition
from medfold.competition.project import Project
from medfold.console import minutes, say, table, warn
from medfold.data.dataset import Table
from medfold.ensemble.run_ensemble import in_words
from medfold.errors import UserError, some
from medfold.paths import RunPaths
from medfold.runs import identity, run_folder
from medfold.runs.run_folder import OutOfFold
from medfold.scoring import metrics
from medfold.scoring.bootstrap import Difference, bootstrap, interval_shown, paired, shown

TODAYS = ""  # the folds table in use
SHOWN = 5  # differences of a run on the terminal


def compare(project: Project, sides: list[str]) -> Difference:
    """Says whether the second run beats the first, on the folds that both have: a paired bootstrap over groups.

    Args:
        sides: two names of runs, or of several joined with `+`, whose mean is then compared.

    Returns:
        By how much the second is better.

    Raises:
        UserError: not two of them, a run that is not trained, or no fold in common.
    """
    if len(sides) != 2:
        raise UserError(
            f"expected two runs, received {len(sides)}", 'RUNS="a b"', 'Several as one: RUNS="a+a-s1 b+b-s1"'
        )
    competition = project.competition
    names = [name for side in sides for name in side.split("+")]
    metric, data = metrics.of(competition), identity.data_for(project, names)
    found = [[_oof_of(project, name, data) for name in side.split("+")] for side in sides]
    folds = set.intersection(*(set(np.unique(oof.fold).tolist()) for side in found for oof in side))
    if not folds:
        raise UserError(
            "they have no trained fold in common", f'RUNS="{" ".join(sides)}"', "Train the same fold of each"
        )
    first, second = (_mean([_within(oof, folds) for oof in side]) for side in found)
    rows = []
    for name, oof in zip(sides, (first, second), strict=True):
        low, high = bootstrap(metric, oof.targets, oof.predictions, oof.group)
        rows.append([name, shown(metric(oof.targets, oof.predictions)), interval_shown(low, high)])
    k = competition.folds.k
    covers = f"all {k} folds" if len(folds) == k else f"folds {some(sorted(folds), k)}, which all have"
    say("compare", f"{covers}, {len(first.names):,} {'units' if competition.score.unit else 'samples'}")
    table(["run", metric.title, "95 % interval"], rows)
    difference = paired(metric, first.targets, second.predictions, first.predictions, first.group)
    chance = "" if np.isnan(difference.probability) else f"; better in {difference.probability:.0%} of the draws"
    if np.isnan(difference.value):
        say("difference", f"undefined: {metric.title} is undefined on what is compared")
    else:
        say("difference", f"{sides[1]} is better by {in_words(difference)}{chance}")
    say("verdict", _verdict(sides, difference))
    _warn_of_optimism(project, sides)
    return difference


def _verdict(sides: list[str], difference: Difference) -> str:
    if np.isnan(difference.low):
        return "undefined: too few draws have a score to compare"
    if difference.low > 0:
        return f"{sides[1]} beats {sides[0]} beyond chance"
    if difference.high < 0:
        return f"{sides[0]} beats {sides[1]} beyond chance"
    return "no difference beyond chance"


def _oof_of(project: Project, name: str, data: Table) -> OutOfFold:
    run_paths = run_folder.paths_of(project.paths, name)
    identity.refuse_changed(project, name)
    done = run_folder.finished_folds(run_paths, project.competition.folds.k)
    read = [run_folder.read_predictions(project.competition, run_paths.fold(fold).oof) for fold in done]
    return run_folder.in_units(project.competition, pd.concat(read, ignore_index=True), data.train, data.targets)


def _within(oof: OutOfFold, folds: set[int]) -> OutOfFold:
    here = np.isin(oof.fold, list(folds))
    return OutOfFold(*(getattr(oof, name)[here] for name in ("names", "predictions", "targets", "fold", "group")))


def _mean(side: list[OutOfFold]) -> OutOfFold:
    return replace(side[0], predictions=np.mean([oof.predictions for oof in side], axis=0))


def _warn_of_optimism(project: Project, sides: list[str]) -> None:
    optimistic = [
        name
        for side in sides
        for name in side.split("+")
        if run_folder.is_optimistic(run_folder.describe(run_folder.paths_of(project.paths, name)))
    ]
    if optimistic:
        warn("", f"OPTIMISTIC: {some(optimistic)} chose epochs on the scored folds, so the comparison favours it")


def list_runs(project: Project) -> None:
    """Shows all runs of a competition, the best first: score, interval, time, and in what their recipes differ.

    Runs that do not cover all folds come after those that do: their scores are of fewer samples. Those of other labels
    or facts, or scored by another metric, come last, without a score: it cannot be compared. Those of another folds
    table stand by themselves.

    Raises:
        UserError: there is none.
    """
    competition, paths, metric = project.competition, project.paths, metrics.of(project.competition)
    found = [paths.run(path.parent.name) for path in sorted(paths.runs.glob("*/run.json"))]
    if not found:
        raise UserError("no run yet", paths.name, f"Run: {project.command('train')}")
    origins = {run.name: files.read_json(run.origin) for run in found}
    choices = {
        name: recipe.effective(origin["recipe"], origin["facts"]["images"]["symmetry"])
        for name, origin in origins.items()
    }
    usual, labels = _usual(list(choices.values())), identity.labels_of(project)
    groups: dict[str, list] = {TODAYS: []}
    hidden = []
    for run in found:
        origin, there = origins[run.name], run_folder.done_folds(run, origins[run.name]["facts"]["folds"]["k"])
        if not there:
            hidden.append(run.name)
            continue
        score, mark = files.read_json(run.score) or _unscored(), []
        if score.get("optimistic"):
            mark = ["OPTIMISTIC"]
        todays = identity.same_folds(project, origin)
        if changed := _changed(project, run.name, todays):
            score, mark = _unscored(), [changed]
        elif not identity.same_labels(origin, labels):
            score, mark = _unscored(), ["(trained on other labels)"]
        elif score.get("metric", metric.name) != metric.name:
            score, mark = _unscored(), [f"(scored by {score['metric']})"]
        elif _scored_otherwise(score, competition):
            score, mark = _unscored(), ["(scored by another beta or other weights)"]
        elif score["folds_done"] != there:
            score, mark = _unscored(), ["(its folds are others than those of its score: make train scores it again)"]
        differs = [f"{key}={value}" for key, value in choices[run.name].items() if value != usual.get(key)]
        told = " ".join([*mark, *([f"seed={origin['seed']}"] if origin["seed"] else []), *differs[:SHOWN]])
        more = f" and {len(differs) - SHOWN} more" if len(differs) > SHOWN else ""
        groups.setdefault(TODAYS if todays else origin["folds"], []).append(
            _row(run, origin, score, there, metric, told + more)
        )
    count = sum(len(rows) for rows in groups.values())
    say("runs", f"{count} of {paths.name}; in the last column how a recipe differs from what most have")
    for folds_table, rows in groups.items():
        if folds_table != TODAYS:
            say("", f"on another folds table, {_older(project, folds_table)}: the scores do not compare with others")
        if rows:
            table(
                ["run", metric.title, "95 % interval", "folds", "time", "differs"],
                [row for _, row in sorted(rows)],
                [0],
            )
    if hidden:
        fix = project.command("runs", DELETE=f'"{" ".join(hidden[:SHOWN])}"')
        say("", f"not shown, without a trained fold: {some(hidden)} ({fix} removes them)")


def _row(
    run: RunPaths, origin: dict[str, Any], score: dict[str, Any], there: list[int], metric: metrics.Metric, told: str
) -> tuple[tuple, list[str]]:
    """The sort key of a run, and its row of the table."""
    k, value = origin["facts"]["folds"]["k"], score["value"]
    interval = interval_shown(score["low"], score["high"]) if value is not None else ""
    scored = shown(value) if score["folds_done"] else ""
    order = (-len(score["folds_done"]), -metric.sign * value if value is not None else np.inf, run.name)
    return order, [run.name, scored, interval, f"{len(there)}/{k}", _time(run, k), told]


def _older(project: Project, fingerprint: str) -> str:
    """A folds table that is not in use any more, in words."""
    kept, made = (project.paths.older_folds(fingerprint, suffix) for suffix in ("csv", "json"))
    options = (files.read_json(made) or {}).get("folds", {})
    how = f" (k {options['k']}, seed {options['seed']}, {options['method']})" if options else ""
    return project.shown(kept) + how if kept.is_file() else f"not kept, {fingerprint[:12]}"


def _changed(project: Project, name: str, todays: bool) -> str:
    """What facts of a run are others today, in words; '' if none are. On older folds their number may be another."""
    try:
        keys = tuple(key for key in identity.BINDING if todays or key != "folds.k")
        changed = identity.changed_fact(project, name, keys)
    except UserError:
        return "(trained under facts that are none today)"
    return f"(trained under another {changed[0]})" if changed else ""


def _scored_otherwise(score: dict[str, Any], competition: Competition) -> bool:
    kept, now = score.get("facts"), competition.model_dump(mode="json", include={"score"})["score"]
    return kept is not None and any(kept["score"][key] != now[key] for key in ("beta", "weights"))


def _unscored() -> dict[str, Any]:
    return {"value": None, "low": None, "high": None, "folds_done": []}


def _usual(recipes: list[dict[str, Any]]) -> dict[str, Any]:
    """For each key the value that most recipes have."""
    keys = {key for one in recipes for key in one}
    counted = {key: Counter(str(one.get(key)) for one in recipes).most_common(1)[0][0] for key in keys}
    return {key: next(one.get(key) for one in recipes if str(one.get(key)) == counted[key]) for key in keys}


def _time(run: RunPaths, k: int) -> str:
    logs = [log for fold in range(k) if (log := files.read_json(run.fold(fold).log))]
    return minutes(sum(log["seconds"] for log in logs)) if logs else ""
