"""`make recheck`: recomputes scores and submissions from the files, with independent code, and lists differences."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from medfold import files
from medfold.competition import Competition, Project
from medfold.console import say, warn
from medfold.data import load_dataset, load_samples, needs_holdout
from medfold.errors import UserError, shorten_list
from medfold.recheck import has_definition, ledger_differences, plugin_maps, run_differences, submission_differences
from medfold.runs import (
    SAMPLE_FACTS,
    facts_of_run,
    find_run,
    has_same_labels,
    labels_fingerprint,
    read_run,
    require_same_facts,
)
from medfold.submission import read_ledger


def recheck(project: Project, names: list[str] | None = None) -> None:
    """Recomputes the scores and submissions of a competition, and compares them with the recorded ones.

    Args:
        names: run names; only their submissions are checked. Defaults to all runs with a score, and all submissions.

    Raises:
        UserError: there are differences; all of them are printed before.
    """
    load_samples(project)
    if needs_holdout(project.paths):
        load_dataset(project)
    all_differences, labels = [], labels_fingerprint(project)
    scored = sorted(path.parent.name for path in project.paths.runs.glob("*/score.json"))
    for name in names or scored:
        run = find_run(project.paths, name)
        read_run(run)
        if not run.score.is_file():
            raise UserError(f"run '{name}' has no score", project.paths.name, f"Run: {project.command('train')}")
        try:
            facts = _scored_facts(project, name, files.read_json(run.score), labels)
        except UserError as error:
            if names:
                raise
            warn("run", f"{name}: cannot be computed again: {error.what}")
            continue
        _warn_plugin_metrics(facts)
        all_differences += _report_differences("run", name, run_differences(facts, project.paths, run))
    ledger = read_ledger(project.workspace)
    rows = ledger[ledger["competition"] == project.paths.name]
    for row in rows.to_dict("records"):
        file, run_names = project.workspace.root / row["file"], row["runs"].split()
        if names is not None and set(run_names) - set(names):
            continue
        if missing := _missing_file(project, file, run_names):
            warn("submission", f"{file.name}: cannot be computed again: {missing}")
            continue
        record = files.read_json(file.with_suffix(".json"))
        try:
            facts = _scored_facts(project, run_names[0], record.get("score"), labels)
        except UserError as error:
            warn("submission", f"{file.name}: cannot be computed again: {error.what}")
            continue
        if plugin_names := plugin_maps(project.paths.recheck_file(file, "npz")):
            warn(
                "submission",
                f"{file.name}: combined by {shorten_list(plugin_names)} of plugins.py, which is not computed again",
            )
        differences = submission_differences(facts, project.paths, project.workspace.root, file)
        differences = chain(differences, ledger_differences(row, record))
        all_differences += _report_differences("submission", file.name, differences)
    if not len(scored) and not len(rows):
        raise UserError("nothing to check", project.paths.name, f"Run: {project.command('train')}")
    if all_differences:
        problem = f"{len(all_differences)} differences: {shorten_list(all_differences, 3)}"
        raise UserError(problem, project.paths.name, "The files were changed")


def _warn_plugin_metrics(facts: Competition) -> None:
    plugin_metrics = [name for name in (facts.score.metric, *facts.score.also) if not has_definition(name)]
    if plugin_metrics:
        text = "metrics of plugins.py are not computed again, as there is no second definition"
        warn("run", f"{text}: {shorten_list(plugin_metrics)}")


def _missing_file(project: Project, file: Path, run_names: list[str]) -> str:
    """Returns 'no <path>' for the first missing file that the check of a submission needs; '' if none is missing."""
    recheck_files = [project.paths.recheck_file(file, suffix) for suffix in ("npz", "csv")]
    metadata_files = [project.paths.run(name).metadata for name in run_names]
    for path in (file, file.with_suffix(".json"), *recheck_files, *metadata_files):
        if not path.is_file():
            return f"no {project.display(path)}"
    return ""


def _scored_facts(project: Project, name: str, recorded: dict[str, Any] | None, labels: str | None) -> Competition:
    """Returns the facts of the training of a run, with the metric and submission settings of a score.

    Args:
        name: of the run.
        recorded: the recorded score; one of an older version lacks the settings, and today's are used.
        labels: fingerprint of today's labels, from `labels_fingerprint`.

    Raises:
        UserError: facts of the sample table, or labels, have changed, so that nothing can be computed.
    """
    metadata = require_same_facts(project, name, SAMPLE_FACTS)
    trained_facts = facts_of_run(project, name)
    if sorted(trained_facts.class_names) != sorted(project.competition.class_names):
        require_same_facts(project, name, ("classes",))
    if not has_same_labels(metadata, labels):
        what = f"labels of the training part are not those that run '{name}' was trained on"
        raise UserError(what, project.paths.samples, "Restore the former labels, or train a new run under another name")
    facts = trained_facts.model_dump()
    current = project.competition.model_dump(include={"score", "submission"})
    return Competition.model_validate(facts | ((recorded or {}).get("facts") or current))


def _report_differences(topic: str, name: str, differences: Iterator[str]) -> list[str]:
    lines = []
    try:
        lines.extend(differences)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:  # caused by damaged files
        lines.append(f"its files do not fit together ({type(error).__name__}: {' '.join(str(error).split())[:80]})")
    if not lines:
        say(topic, f"{name}: computed again, equal")
    for line in lines:
        warn(topic, f"{name}: {line}")
    return [f"{name}: {line}" for line in lines]
