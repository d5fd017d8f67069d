"""`make recheck`: recomputes scores and submissions from the files, with independent code, and lists differences."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal

from medfold.competition import Competition, CompetitionFacts
from medfold.data import load_samples, make_dataset, needs_holdout
from medfold.errors import UserError
from medfold.paths import SubmissionPaths
from medfold.project_root import display_path
from medfold.recheck import (
    collect_differences,
    has_definition,
    ledger_differences,
    plugin_steps,
    run_differences,
    submission_differences,
)
from medfold.runs import Run, facts_of_score, labels_fingerprint, read_score
from medfold.submission import LedgerRow, read_record, read_rows
from medfold.terminal.console import say, warn
from medfold.text import count_of, shorten_list

RECORD_KEYS = ("runs", "score", "inputs", "sha256", "fallback", "holds_decisions")  # that a check needs


@dataclass(frozen=True)
class Recheck:
    """Result of the recheck of one run or submission.

    Args:
        kind: `run` or `submission`.
        name: name of the run, or of the file of the submission.
        differences: what differs from the record; empty if all is equal.
        not_computed: why it could not be recomputed; empty if it was.
    """

    kind: Literal["run", "submission"]
    name: str
    differences: list[str] = field(default_factory=list)
    not_computed: str = ""


def recheck(competition: Competition, run_names: list[str] | None = None) -> list[Recheck]:
    """Recomputes the scores and submissions of a competition, and prints differences from the recorded ones.

    Args:
        competition: the competition of the runs and submissions.
        run_names: run names; only their submissions are checked. Defaults to all runs with a score, and all
            submissions.

    Raises:
        UserError: there are differences; all of them are printed before. Or there is nothing to check.
    """
    load_samples(competition)
    if needs_holdout(competition.paths):
        make_dataset(competition)
    labels = labels_fingerprint(competition)
    results = []
    for result in chain(
        _recheck_runs(competition, run_names, labels), _recheck_submissions(competition, run_names, labels)
    ):
        _show(result)
        results.append(result)
    if not results:
        raise UserError("nothing to check", competition.paths.name, f"Run: {competition.command('train')}")
    differences = [f"{result.name}: {difference}" for result in results for difference in result.differences]
    if differences:
        problem = f"{count_of(len(differences), 'difference')}: {shorten_list(differences, 3)}"
        error = UserError(problem, competition.paths.name, "Restore the files from a backup, or train and submit again")
        error.result = results
        raise error
    return results


def _show(result: Recheck) -> None:
    if result.not_computed:
        warn(result.kind, f"{result.name}: cannot be recomputed: {result.not_computed}")
    elif not result.differences:
        say(result.kind, f"{result.name}: recomputed: identical")
    for difference in result.differences:
        warn(result.kind, f"{result.name}: {difference}")


def _recheck_runs(competition: Competition, run_names: list[str] | None, labels: str | None) -> Iterator[Recheck]:
    """Yields the result for each run: those of `run_names`, or all with a score."""
    scored = sorted(path.parent.name for path in competition.paths.runs.glob("*/score.json"))
    for name in run_names or scored:
        run = Run.open(competition, name)
        if not run.paths.score.is_file():
            raise UserError(f"run '{name}' has no score", competition.paths.name, f"Run: {run.train_command()}")
        try:
            score = read_score(run.paths)
        except UserError as error:
            yield Recheck("run", name, [f"{run.paths.score.name}: {error.what}"])
            continue
        try:
            facts = facts_of_score(competition, run, score.facts, labels)
        except UserError as error:
            if run_names:
                raise
            yield Recheck("run", name, not_computed=error.what)
            continue
        _warn_plugin_metrics(facts)
        yield Recheck("run", name, collect_differences(run_differences(facts, competition.paths, run.paths)))


def _recheck_submissions(
    competition: Competition, run_names: list[str] | None, labels: str | None
) -> Iterator[Recheck]:
    for row in read_rows(competition.project_paths, competition.paths.name):
        if run_names is None or set(row.runs) <= set(run_names):
            yield _recheck_submission(competition, row, labels)


def _recheck_submission(competition: Competition, row: LedgerRow, labels: str | None) -> Recheck:
    """Recomputes the submission of a row of the ledger."""
    file = competition.project_paths.root / row.file
    run_names = list(row.runs)
    recorded = read_record(competition, row)
    record = recorded.content() if recorded else {}  # `medfold.recheck` depends on no class of the code that it checks
    missing = _missing_file(competition, file, run_names)
    if missing or not run_names:
        differences = collect_differences(ledger_differences(row.cells(), record)) if record else []
        return Recheck("submission", file.name, differences, "" if differences else missing)
    if unknown := [key for key in RECORD_KEYS if record.get(key) is None]:
        return Recheck("submission", file.name, [f"{SubmissionPaths(file).record.name}: no key '{unknown[0]}'"])
    try:
        run = Run.open(competition, run_names[0])
        facts = facts_of_score(competition, run, record["score"].get("facts"), labels)
    except UserError as error:
        return Recheck("submission", file.name, not_computed=error.what)
    try:
        plugin_names = plugin_steps(SubmissionPaths(file).recheck_parameters)
    except UserError as error:
        return Recheck("submission", file.name, [f"{display_path(error.where)}: {error.what}"])
    if plugin_names:
        text = f"combined by {shorten_list(plugin_names)} of plugins.py, which is not recomputed"
        warn("submission", f"{file.name}: {text}")
    differences = submission_differences(facts, competition.paths, competition.project_paths.root, file, record)
    all_differences = chain(differences, ledger_differences(row.cells(), record))
    return Recheck("submission", file.name, collect_differences(all_differences))


def _warn_plugin_metrics(facts: CompetitionFacts) -> None:
    plugin_metrics = [name for name in (facts.score.metric, *facts.score.more_metrics) if not has_definition(name)]
    if plugin_metrics:
        text = "metrics of plugins.py are not recomputed, as there is no second definition"
        warn("run", f"{text}: {shorten_list(plugin_metrics)}")


def _missing_file(competition: Competition, file: Path, run_names: list[str]) -> str:
    """Returns 'no <path>' for the first missing file that the check of a submission needs; '' if none is missing."""
    if not file.is_file():
        return f"no {display_path(file)}, which {display_path(competition.project_paths.ledger)} lists"
    paths = SubmissionPaths(file)
    metadata_files = [competition.paths.run(name).metadata for name in run_names]
    for path in (paths.record, paths.recheck_parameters, paths.recheck_oof, *metadata_files):
        if not path.is_file():
            return f"no {display_path(path)}"
    return ""
