"""`make runs`: lists all runs of a competition, the best first, or removes some."""

from itertools import groupby

from medfold.commands.shared.removal import remove_after_confirmation, select_names, total_size
from medfold.competition import Competition
from medfold.folds import read_folds_metadata
from medfold.project_root import display_path
from medfold.runs import RunList, RunSummary, summarise_runs, trained_folds
from medfold.scoring import format_interval, format_score, metric_of
from medfold.submission import read_rows
from medfold.terminal.console import format_duration, format_size, print_table, say, warn
from medfold.text import shorten_list

MAX_SHOWN = 5  # differences of a run, and untrained runs, on the terminal


def list_runs(competition: Competition) -> RunList:
    """Prints all runs of a competition, the best first: score, interval, time, and settings that differ.

    Runs without all folds follow runs with all folds, as their scores cover fewer samples. Runs of other labels or
    facts, or scored by a different metric, come last and without a score, as it could not be compared. Runs on other
    folds tables have separate tables.

    Raises:
        UserError: there is no run, or none with an intact run.json.
    """
    run_list = summarise_runs(competition)
    title = metric_of(competition.facts).title
    say("runs", f"{len(run_list.runs)} of {run_list.competition}; the last column: settings that differ from most runs")
    for older_folds, summaries in groupby(run_list.runs, lambda summary: summary.older_folds_fingerprint):
        if older_folds:
            older = _older_folds_as_text(competition, older_folds)
            say("", f"on a different folds table, {older}: do not compare the scores with others")
        columns = ["run", title, "95 % interval", "folds", "time", "differs"]
        print_table(columns, [_row(summary) for summary in summaries], [0])
    if run_list.without_metadata:
        fix = f"restore it, or remove the folder in {display_path(competition.paths.runs)}"
        warn("", f"not shown, run.json is missing: {shorten_list(run_list.without_metadata)}: {fix}")
    for name, reason in run_list.damaged.items():
        fix = f"restore it from a backup ({competition.command('runs', DELETE=name)} removes the run)"
        warn("", f"not shown, run.json of {name} is damaged: {reason}: {fix}")
    if run_list.untrained:
        fix = competition.command("runs", DELETE=" ".join(run_list.untrained[:MAX_SHOWN]))
        say("", f"not shown, without a trained fold: {shorten_list(run_list.untrained)} ({fix} removes them)")
    return run_list


def _row(summary: RunSummary) -> list[str]:
    score = "" if summary.problem else format_score(summary.value)
    interval = "" if summary.value is None else format_interval(summary.low, summary.high)
    folds = f"{len(summary.trained_folds)}/{summary.num_folds}"
    time = "" if summary.seconds is None else format_duration(summary.seconds)
    marks = [f"({summary.problem})"] if summary.problem else ["OPTIMISTIC"] if summary.is_optimistic else []
    if summary.seed:
        marks.append(f"seed={summary.seed}")
    settings = [f"{key}={value}" for key, value in summary.differences.items()]
    if len(settings) > MAX_SHOWN:
        settings[MAX_SHOWN:] = [f"and {len(settings) - MAX_SHOWN} more"]
    return [summary.name, score, interval, folds, time, " ".join([*marks, *settings])]


def _older_folds_as_text(competition: Competition, fingerprint: str) -> str:
    """Returns the text for a folds table that is no longer in use."""
    table, metadata_file = (competition.paths.older_folds(fingerprint, suffix) for suffix in ("csv", "json"))
    folds = read_folds_metadata(metadata_file).folds
    settings = f" (k {folds.k}, seed {folds.seed}, {folds.method})" if folds else ""
    return display_path(table) + settings if table.is_file() else f"not kept, {fingerprint[:12]}"


def remove_runs(competition: Competition, run_names: list[str], skip_question: bool = False) -> None:
    """Removes runs with their folds, predictions and reports; submissions stay.

    Args:
        competition: the competition of the runs.
        run_names: names of the runs.
        skip_question: remove without asking. Defaults to False.

    Raises:
        UserError: an unknown run, or no terminal to ask.
    """
    paths = competition.paths
    num_folds = competition.facts.folds.k
    known = {path.parent.name: paths.run(path.parent.name) for path in paths.runs.glob("*/run.json")}
    paths_by_run = {}
    for name in select_names(known, run_names, f"runs of {paths.name}"):
        count = sum(name in row.runs for row in read_rows(competition.project_paths, paths.name))
        submitted = f", in {count} submission{'s' * (count > 1)}" if count else ""
        done = len(trained_folds(known[name], num_folds))
        size = format_size(total_size([known[name].folder]))
        paths_by_run[f"{name} ({done} of {num_folds} folds, {size}{submitted})"] = [known[name].folder]
    remove_after_confirmation(paths_by_run, "runs", skip_question)
