"""`make runs`: all runs of a competition, the best first; or removes some."""

from collections import Counter
from typing import Any

import numpy as np

from medfold import files
from medfold.commands.data import _bytes, _named, _remove
from medfold.competition import Competition, Project, effective_recipe
from medfold.console import format_duration, format_size, print_table, say
from medfold.errors import UserError, shorten_list
from medfold.run_paths import RunPaths
from medfold.runs import (
    IDENTITY_FACTS,
    done_folds,
    find_changed_fact,
    has_same_folds,
    has_same_labels,
    labels_fingerprint,
)
from medfold.scoring import Metric, format_interval, format_score, metric_of
from medfold.submission import read_ledger

TODAYS = ""  # the folds table in use


SHOWN = 5  # differences of a run on the terminal


def list_runs(project: Project) -> None:
    """Shows all runs of a competition, the best first: score, interval, time, and in what their recipes differ.

    Runs that do not cover all folds come after those that do: their scores are of fewer samples. Those of other labels
    or facts, or scored by another metric, come last, without a score: it cannot be compared. Those of another folds
    table stand by themselves.

    Raises:
        UserError: there is none.
    """
    competition, paths, metric = project.competition, project.paths, metric_of(project.competition)
    found = [paths.run(path.parent.name) for path in sorted(paths.runs.glob("*/run.json"))]
    if not found:
        raise UserError("no run yet", paths.name, f"Run: {project.command('train')}")
    origins = {run.name: files.read_json(run.metadata) for run in found}
    choices = {
        name: effective_recipe(origin["recipe"], origin["facts"]["images"]["symmetry"])
        for name, origin in origins.items()
    }
    usual, labels = _usual(list(choices.values())), labels_fingerprint(project)
    groups: dict[str, list] = {TODAYS: []}
    hidden = []
    for run in found:
        origin, there = origins[run.name], done_folds(run, origins[run.name]["facts"]["folds"]["k"])
        if not there:
            hidden.append(run.name)
            continue
        score, mark = files.read_json(run.score) or _unscored(), []
        if score.get("optimistic"):
            mark = ["OPTIMISTIC"]
        todays = has_same_folds(project, origin)
        if changed := _changed(project, run.name, todays):
            score, mark = _unscored(), [changed]
        elif not has_same_labels(origin, labels):
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
            print_table(
                ["run", metric.title, "95 % interval", "folds", "time", "differs"],
                [row for _, row in sorted(rows)],
                [0],
            )
    if hidden:
        fix = project.command("runs", DELETE=f'"{" ".join(hidden[:SHOWN])}"')
        say("", f"not shown, without a trained fold: {shorten_list(hidden)} ({fix} removes them)")


def _row(
    run: RunPaths, origin: dict[str, Any], score: dict[str, Any], there: list[int], metric: Metric, told: str
) -> tuple[tuple, list[str]]:
    """The sort key of a run, and its row of the table."""
    k, value = origin["facts"]["folds"]["k"], score["value"]
    interval = format_interval(score["low"], score["high"]) if value is not None else ""
    scored = format_score(value) if score["folds_done"] else ""
    order = (-len(score["folds_done"]), -metric.sign * value if value is not None else np.inf, run.name)
    return order, [run.name, scored, interval, f"{len(there)}/{k}", _time(run, k), told]


def _older(project: Project, fingerprint: str) -> str:
    """A folds table that is not in use any more, in words."""
    kept, made = (project.paths.older_folds(fingerprint, suffix) for suffix in ("csv", "json"))
    options = (files.read_json(made) or {}).get("folds", {})
    how = f" (k {options['k']}, seed {options['seed']}, {options['method']})" if options else ""
    return project.display(kept) + how if kept.is_file() else f"not kept, {fingerprint[:12]}"


def _changed(project: Project, name: str, todays: bool) -> str:
    """What facts of a run are others today, in words; '' if none are. On older folds their number may be another."""
    try:
        keys = tuple(key for key in IDENTITY_FACTS if todays or key != "folds.k")
        changed = find_changed_fact(project, name, keys)
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
    return format_duration(sum(log["seconds"] for log in logs)) if logs else ""


def remove_runs(project: Project, names: list[str], sure: bool = False) -> None:
    """Removes runs with their folds, predictions and reports; submissions stay.

    Args:
        names: the runs.
        sure: removes them without asking.

    Raises:
        UserError: there is no such run, or nobody agreed.
    """
    paths, k = project.paths, project.competition.folds.k
    known = {path.parent.name: paths.run(path.parent.name) for path in paths.runs.glob("*/run.json")}
    told = []
    for name in _named(known, names, f"runs of {paths.name}"):
        rows = read_ledger(project.workspace).to_dict("records")
        count = sum(row["competition"] == paths.name and name in row["runs"].split() for row in rows)
        submitted = f", in {count} submission{'s' * (count > 1)}" if count else ""
        done = len(done_folds(known[name], k))
        told.append(f"{name} ({done} of {k} folds, {format_size(_bytes([known[name].folder]))}{submitted})")
    _remove([[known[name].folder] for name in dict.fromkeys(names)], "runs", told, sure)
