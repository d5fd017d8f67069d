"""Prints an ensemble for `make ensemble`, `submit` and `notebook`: runs, methods with their scores, the choice."""

import numpy as np

from medfold.competition import Competition
from medfold.data import Dataset
from medfold.ensemble import (
    Ensemble,
    EnsembleSummary,
    PostProcessingSummary,
    check_method,
    ensemble_runs,
    summarise_ensemble,
)
from medfold.runs import dataset_of_runs
from medfold.scoring import format_difference, format_interval, format_score, metric_of
from medfold.terminal.command_text import variable
from medfold.terminal.console import print_table, say, warn
from medfold.text import shorten_list


def combine_and_show(
    competition: Competition, run_names: list[str], method: str | None, per_class: bool
) -> tuple[Dataset, Ensemble, EnsembleSummary]:
    """Combines runs as a submission does, and prints them, the methods with their scores, and the choice.

    Args:
        competition: the competition of the runs.
        run_names: names of the runs, one per member.
        method: name of the method to use; None for the choice by cross-fitted scores.
        per_class: fit separate weights for each class or label.

    Returns:
        The dataset that the runs were trained on; the ensemble; its numbers.

    Raises:
        UserError: untrained runs, or runs that do not fit together.
    """
    check_method(method, run_names)
    dataset = dataset_of_runs(competition, run_names)
    ensemble = ensemble_runs(competition, run_names, dataset, method, per_class)
    summary = summarise_ensemble(competition.facts, ensemble)
    show_ensemble(competition, summary, method)
    return dataset, ensemble, summary


def show_ensemble(competition: Competition, summary: EnsembleSummary, method: str | None = None) -> None:
    """Prints the runs of an ensemble, the methods with their scores, and the choice.

    Args:
        competition: the competition; its metric is named, and the next commands.
        summary: the numbers of the fitted ensemble.
        method: the method that the user named. Defaults to none.
    """
    title = metric_of(competition.facts).title
    if summary.members:
        say("members", f"{len(summary.members)} runs, and the correlation of their errors (1: the same errors)")
        _show_members(summary, title)
        say("methods", "cross-fitted: weights from the other folds; gain over the arithmetic mean")
        _show_methods(summary, title)
        _show_choice(summary, method)
    if summary.post_processing:
        _show_post_processing(summary.post_processing, title)
    if calibration := summary.calibration:
        after = f"{calibration.after:.4f} (T = {calibration.temperature:.2f}, cross-fitted)"
        say("ECE", f"{calibration.before:.4f} (0: calibrated); temperature scaling gives {after}")


def _show_members(summary: EnsembleSummary, title: str) -> None:
    labels = [f"[{number + 1}]" for number in range(len(summary.members))]
    rows = []
    for label, member in zip(labels, summary.members, strict=True):
        score, interval = format_score(member.value), format_interval(member.low, member.high)
        rows.append([label, member.name, score, interval, *(f"{r:.2f}" for r in member.error_correlation)])
    print_table(["", "run", title, "95 % interval", *labels], rows)


def _show_methods(summary: EnsembleSummary, title: str) -> None:
    rows = []
    for method in summary.methods:
        gain = [format_difference(method.gain), _percent(method.gain.probability)] if method.gain else ["", ""]
        scores = [format_score(method.cross_fitted), format_score(method.in_sample)]
        rows.append([method.name, method.title, *scores, *gain])
    marked = [summary.methods.index(summary.chosen)]
    columns = [variable("METHOD"), "", f"{title}, cross-fitted", "in-sample", "gain (95 % interval)", "better"]
    print_table(columns, rows, marked)


def _show_choice(summary: EnsembleSummary, method: str | None) -> None:
    reason = "as requested" if method else "better than the mean beyond chance"
    if not method and summary.chosen.gain is None:
        reason = "no other is better beyond chance"
    weights = [f"{member.name} {member.weight:.2f}" for member in summary.members if member.weight is not None]
    weights_text = f"; weights {shorten_list(weights, 8)}" if weights else ""
    say("chosen", f"{summary.chosen.title}: {reason}{weights_text}")


def _show_post_processing(summary: PostProcessingSummary, title: str) -> None:
    parameters = ", ".join(_as_text(value) for value in summary.parameters.values())
    before, after = format_score(summary.before), format_score(summary.cross_fitted)
    scores = f"OOF score {title} {before} -> {after}, cross-fitted ({format_score(summary.in_sample)} in-sample)"
    text = f"post-processing by {summary.title} {parameters}: {scores}"
    if summary.is_used:
        say("fitted", f"{text}; used")
    else:
        warn("fitted", f"{text}; not used: the score does not improve")


def _as_text(value: float | list[float]) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return shorten_list([f"{number:.3g}" for number in value], 8)


def _percent(probability: float) -> str:
    return "" if np.isnan(probability) else f"{probability:.0%}"
