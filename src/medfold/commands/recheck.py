"""`make recheck`: scores and submissions computed again from the files alone; any difference is named."""

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
    """Computes again what runs and submissions of a competition say of themselves.

    Args:
        names: of the runs. Defaults to all that have a score, and all submissions.

    Raises:
        UserError: something differs; all of it is shown before.
    """
    load_samples(project)
    if needs_holdout(project.paths):
        load_dataset(project)
    wrong, labels = [], labels_fingerprint(project)
    scored = sorted(path.parent.name for path in project.paths.runs.glob("*/score.json"))
    for name in names or scored:
        run = find_run(project.paths, name)
        read_run(run)
        if not run.score.is_file():
            raise UserError(f"run '{name}' has no score", project.paths.name, f"Run: {project.command('train')}")
        try:
            facts = _as_scored(project, name, files.read_json(run.score), labels)
        except UserError as error:
            if names:
                raise
            warn("run", f"{name}: cannot be computed again: {error.what}")
            continue
        _warn_of_own_metrics(facts)
        wrong += _told("run", name, run_differences(facts, project.paths, run))
    ledger = read_ledger(project.workspace)
    rows = ledger[ledger["competition"] == project.paths.name]
    for row in rows.to_dict("records"):
        file, of = project.workspace.root / row["file"], row["runs"].split()
        if names is not None and set(of) - set(names):
            continue
        if lacking := _lacking(project, file, of):
            warn("submission", f"{file.name}: cannot be computed again: {lacking}")
            continue
        record = files.read_json(file.with_suffix(".json"))
        try:
            facts = _as_scored(project, of[0], record.get("score"), labels)
        except UserError as error:
            warn("submission", f"{file.name}: cannot be computed again: {error.what}")
            continue
        if own := plugin_maps(project.paths.recheck_file(file, "npz")):
            warn(
                "submission",
                f"{file.name}: put together by {shorten_list(own)} of plugins.py, which is not computed again",
            )
        found = submission_differences(facts, project.paths, project.workspace.root, file)
        wrong += _told("submission", file.name, chain(found, ledger_differences(row, record)))
    if not len(scored) and not len(rows):
        raise UserError("nothing to check", project.paths.name, f"Run: {project.command('train')}")
    if wrong:
        raise UserError(
            f"{len(wrong)} differences: {shorten_list(wrong, 3)}", project.paths.name, "The files were changed"
        )


def _warn_of_own_metrics(facts: Competition) -> None:
    own = [name for name in (facts.score.metric, *facts.score.also) if not has_definition(name)]
    if own:
        warn(
            "run",
            f"metrics of plugins.py are not computed again, for there is no second definition: {shorten_list(own)}",
        )


def _lacking(project: Project, file: Path, of: list[str]) -> str:
    """Names the first missing file that a submission is computed again from; '' if all are there."""
    kept = [project.paths.recheck_file(file, suffix) for suffix in ("npz", "csv")]
    for path in (file, file.with_suffix(".json"), *kept, *(project.paths.run(name).metadata for name in of)):
        if not path.is_file():
            return f"no {project.display(path)}"
    return ""


def _as_scored(project: Project, name: str, kept: dict[str, Any] | None, labels: str | None) -> Competition:
    """The facts that a run was trained under, with the metrics and the submission that a score was computed under.

    Args:
        kept: the score; of an older version it does not say, and those of today are taken.
        labels: of today, as `trained.labels_of` gives them.

    Raises:
        UserError: other facts make the sample table, or labels have changed: there is nothing to compute from.
    """
    origin = require_same_facts(project, name, SAMPLE_FACTS)
    before = facts_of_run(project, name)
    if sorted(before.class_names) != sorted(project.competition.class_names):
        require_same_facts(project, name, ("classes",))
    if not has_same_labels(origin, labels):
        what = f"labels of the training part have changed since run '{name}' was trained"
        raise UserError(what, project.paths.samples)
    facts = before.model_dump()
    now = project.competition.model_dump(include={"score", "submission"})
    return Competition.model_validate(facts | ((kept or {}).get("facts") or now))


def _told(what: str, name: str, differences: Iterator[str]) -> list[str]:
    found = []
    try:
        found.extend(differences)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:  # whatever damaged files lead to
        found.append(f"its files do not fit together ({type(error).__name__}: {' '.join(str(error).split())[:80]})")
    if not found:
        say(what, f"{name}: computed again, equal")
    for line in found:
        warn(what, f"{name}: {line}")
    return [f"{name}: {line}" for line in found]
