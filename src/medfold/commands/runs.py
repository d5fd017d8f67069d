"""`make runs`: lists all runs of a competition, the best first, or removes some."""

from collections import Counter
from typing import Any

import numpy as np

from medfold import files
from medfold.commands.data import remove_after_confirmation, select_names, total_size
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

CURRENT = ""  # stands for the current folds table

MAX_SHOWN = 5  # differences of a run on the terminal


def list_runs(project: Project) -> None:
    """Prints all runs of a competition, the best first: score, interval, time, and differences between their recipes.

    Runs without all folds follow those with all folds, as their scores cover fewer samples. Runs of other labels or
    facts, or scored by another metric, come last and without a score, which would not compare. Runs on other folds
    tables have separate tables.

    Raises:
        UserError: there is no run.
    """
    competition, paths, metric = project.competition, project.paths, metric_of(project.competition)
    runs = [paths.run(path.parent.name) for path in sorted(paths.runs.glob("*/run.json"))]
    if not runs:
        raise UserError("no run yet", paths.name, f"Run: {project.command('train')}")
    metadata_by_run = {run.name: files.read_json(run.metadata) for run in runs}
    recipes = {
        name: effective_recipe(metadata["recipe"], metadata["facts"]["images"]["symmetry"])
        for name, metadata in metadata_by_run.items()
    }
    most_common, labels = _most_common(list(recipes.values())), labels_fingerprint(project)
    groups: dict[str, list] = {CURRENT: []}
    hidden = []
    for run in runs:
        metadata, folds_done = (
            metadata_by_run[run.name],
            done_folds(run, metadata_by_run[run.name]["facts"]["folds"]["k"]),
        )
        if not folds_done:
            hidden.append(run.name)
            continue
        score, marks = files.read_json(run.score) or _unscored(), []
        if score.get("optimistic"):
            marks = ["OPTIMISTIC"]
        has_current_folds = has_same_folds(project, metadata)
        if reason := _changed_fact(project, run.name, has_current_folds):
            score, marks = _unscored(), [reason]
        elif not has_same_labels(metadata, labels):
            score, marks = _unscored(), ["(trained on other labels)"]
        elif score.get("metric", metric.name) != metric.name:
            score, marks = _unscored(), [f"(scored by {score['metric']})"]
        elif _has_other_scoring(score, competition):
            score, marks = _unscored(), ["(scored by another beta or other weights)"]
        elif score["folds_done"] != folds_done:
            score, marks = _unscored(), ["(outdated score: make train computes it again)"]
        differences = [f"{key}={value}" for key, value in recipes[run.name].items() if value != most_common.get(key)]
        text = " ".join([*marks, *([f"seed={metadata['seed']}"] if metadata["seed"] else []), *differences[:MAX_SHOWN]])
        rest = f" and {len(differences) - MAX_SHOWN} more" if len(differences) > MAX_SHOWN else ""
        groups.setdefault(CURRENT if has_current_folds else metadata["folds"], []).append(
            _row(run, metadata, score, folds_done, metric, text + rest)
        )
    count = sum(len(rows) for rows in groups.values())
    say("runs", f"{count} of {paths.name}; the last column lists settings that differ from most runs")
    for folds_table, rows in groups.items():
        if folds_table != CURRENT:
            older = _older_folds_as_text(project, folds_table)
            say("", f"on another folds table, {older}: do not compare the scores with others")
        if rows:
            print_table(
                ["run", metric.title, "95 % interval", "folds", "time", "differs"],
                [row for _, row in sorted(rows)],
                [0],
            )
    if hidden:
        fix = project.command("runs", DELETE=f'"{" ".join(hidden[:MAX_SHOWN])}"')
        say("", f"not shown, without a trained fold: {shorten_list(hidden)} ({fix} removes them)")


def _row(
    run: RunPaths,
    metadata: dict[str, Any],
    score: dict[str, Any],
    folds_done: list[int],
    metric: Metric,
    differences: str,
) -> tuple[tuple, list[str]]:
    """Returns the sort key of a run, and its row of the table."""
    k, value = metadata["facts"]["folds"]["k"], score["value"]
    interval = format_interval(score["low"], score["high"]) if value is not None else ""
    score_text = format_score(value) if score["folds_done"] else ""
    sort_key = (-len(score["folds_done"]), -metric.sign * value if value is not None else np.inf, run.name)
    return sort_key, [run.name, score_text, interval, f"{len(folds_done)}/{k}", _training_time(run, k), differences]


def _older_folds_as_text(project: Project, fingerprint: str) -> str:
    """Returns the text for a folds table that is no longer in use."""
    table, metadata_file = (project.paths.older_folds(fingerprint, suffix) for suffix in ("csv", "json"))
    fold_facts = (files.read_json(metadata_file) or {}).get("folds", {})
    settings = f" (k {fold_facts['k']}, seed {fold_facts['seed']}, {fold_facts['method']})" if fold_facts else ""
    return project.display(table) + settings if table.is_file() else f"not kept, {fingerprint[:12]}"


def _changed_fact(project: Project, name: str, has_current_folds: bool) -> str:
    """The first fact that has changed since a run was trained, as text, or ''. On older folds, k may differ."""
    try:
        keys = tuple(key for key in IDENTITY_FACTS if has_current_folds or key != "folds.k")
        changed = find_changed_fact(project, name, keys)
    except UserError:
        return "(trained with facts that are no longer valid)"
    return f"(trained with another {changed[0]})" if changed else ""


def _has_other_scoring(score: dict[str, Any], competition: Competition) -> bool:
    saved, current = score.get("facts"), competition.model_dump(mode="json", include={"score"})["score"]
    return saved is not None and any(saved["score"][key] != current[key] for key in ("beta", "weights"))


def _unscored() -> dict[str, Any]:
    return {"value": None, "low": None, "high": None, "folds_done": []}


def _most_common(recipes: list[dict[str, Any]]) -> dict[str, Any]:
    """The most common value of each setting."""
    keys = {key for recipe in recipes for key in recipe}
    most_common = {key: Counter(str(recipe.get(key)) for recipe in recipes).most_common(1)[0][0] for key in keys}
    return {
        key: next(recipe.get(key) for recipe in recipes if str(recipe.get(key)) == most_common[key]) for key in keys
    }


def _training_time(run: RunPaths, k: int) -> str:
    logs = [log for fold in range(k) if (log := files.read_json(run.fold(fold).timing))]
    return format_duration(sum(log["seconds"] for log in logs)) if logs else ""


def remove_runs(project: Project, names: list[str], skip_question: bool = False) -> None:
    """Removes runs with their folds, predictions and reports; submissions stay.

    Args:
        names: run names.
        skip_question: remove without asking. Defaults to False.

    Raises:
        UserError: an unknown run, or no terminal to ask.
    """
    paths, k = project.paths, project.competition.folds.k
    known = {path.parent.name: paths.run(path.parent.name) for path in paths.runs.glob("*/run.json")}
    descriptions = []
    for name in select_names(known, names, f"runs of {paths.name}"):
        rows = read_ledger(project.workspace).to_dict("records")
        count = sum(row["competition"] == paths.name and name in row["runs"].split() for row in rows)
        submitted = f", in {count} submission{'s' * (count > 1)}" if count else ""
        done = len(done_folds(known[name], k))
        descriptions.append(f"{name} ({done} of {k} folds, {format_size(total_size([known[name].folder]))}{submitted})")
    remove_after_confirmation(
        [[known[name].folder] for name in dict.fromkeys(names)], "runs", descriptions, skip_question
    )
