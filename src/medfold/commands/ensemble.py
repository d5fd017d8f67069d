"""`make ensemble`: scores the ensemble of several runs, by every method."""

import numpy as np

from medfold.competition import Project
from medfold.console import print_table, say, warn
from medfold.ensemble import Ensemble, EnsembleChoice, MemberPredictions, ensemble_runs, error_correlation
from medfold.errors import shorten_list
from medfold.runs import load_dataset_for
from medfold.scoring import (
    Metric,
    bootstrap_interval,
    describe_score,
    format_difference,
    format_interval,
    format_score,
    metric_of,
)


def ensemble(project: Project, names: list[str], method: str | None = None, per_class: bool = False) -> None:
    """Prints members, methods and post-processing of an ensemble, and the OOF score of the one that `submit` would use.

    Args:
        names: run names, one per member.
        method: name of the method to use. Defaults to the choice by cross-fitted scores.
        per_class: fit separate weights for each class or label. Defaults to False.

    Raises:
        UserError: untrained runs, or runs that do not fit together.
    """
    data = load_dataset_for(project, names)
    result = ensemble_runs(project, names, data, method, per_class)
    show_ensemble(project, result, method)
    say("OOF score", describe_score(project.competition, result.score, data.train["unit"].nunique()))
    variables = {"METHOD": method, "PER_CLASS": 1 if per_class else None}
    quoted_names = " ".join(names)
    command = project.command(
        "submit", RUNS=f'"{quoted_names}"', **{key: value for key, value in variables.items() if value}
    )
    say("then", command)


def show_ensemble(project: Project, result: Ensemble, method: str | None = None) -> None:
    """Prints the runs of an ensemble, the methods with their scores, and the choice.

    Args:
        result: the fitted ensemble.
        method: the method that the user named. Defaults to none.
    """
    competition, ensemble_choice = project.competition, result.choice
    metric = metric_of(competition)
    if len(result.names) > 1:
        say("members", f"{len(result.names)} runs, and the correlation of their errors (1: the same errors)")
        _show_members(metric, result.members)
        say("methods", "cross-fitted: weights from the other folds; gain over the arithmetic mean")
        _show_methods(metric, ensemble_choice)
        choice = ensemble_choice.chosen
        reason = "as requested" if method else "better than the mean beyond chance"
        if not method and choice.gain is None:
            reason = "no other is better beyond chance"
        weights = choice.fitted.parameters.get("weights")
        say("chosen", f"{choice.method.title}: {reason}{_weights_as_text(result.members, weights)}")
    _show_post_processing(metric, ensemble_choice)
    if result.calibration:
        calibration = result.calibration
        after = f"after temperature scaling {calibration.after:.4f} (T = {calibration.temperature:.2f})"
        say("ECE", f"{calibration.before:.4f}, {after}, cross-fitted")


def _show_members(metric: Metric, members: MemberPredictions) -> None:
    correlation = error_correlation(members)
    labels = [f"[{number + 1}]" for number in range(len(members.names))]
    rows = []
    for number, name in enumerate(members.names):
        predictions = members.predictions[number]
        low, high = bootstrap_interval(metric, members.targets, predictions, members.group)
        score = format_score(metric(members.targets, predictions))
        rows.append(
            [labels[number], name, score, format_interval(low, high), *(f"{r:.2f}" for r in correlation[number])]
        )
    print_table(["", "run", metric.title, "95 % interval", *labels], rows)


def _show_methods(metric: Metric, ensemble_choice: EnsembleChoice) -> None:
    rows = []
    for candidate in ensemble_choice.candidates:
        gain = [format_difference(candidate.gain), _percent(candidate.gain.probability)] if candidate.gain else ["", ""]
        rows.append(
            [
                candidate.method.name,
                candidate.method.title,
                format_score(candidate.cross_fitted),
                format_score(candidate.in_sample),
                *gain,
            ]
        )
    marked = [ensemble_choice.candidates.index(ensemble_choice.chosen)]
    print_table(
        ["METHOD", "", f"{metric.title}, cross-fitted", "in-sample", "gain (95 % interval)", "better"], rows, marked
    )


def _show_post_processing(metric: Metric, ensemble_choice: EnsembleChoice) -> None:
    post_processed = ensemble_choice.post_processed
    if post_processed is None:
        return
    parameters = ", ".join(
        _as_text(value) for key, value in post_processed.fitted.parameters.items() if key != "weights"
    )
    before, after = format_score(ensemble_choice.chosen.cross_fitted), format_score(post_processed.cross_fitted)
    scores = f"{metric.title} {before} -> {after} cross-fitted ({format_score(post_processed.in_sample)} in-sample)"
    outcome = "used" if post_processed.helps else "not used: the score does not improve"
    output = say if post_processed.helps else warn
    output(
        "adjusted",
        f"{post_processed.title} {parameters}: {scores}; {outcome}",
    )


def _as_text(value: float | list[float]) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return shorten_list([f"{number:.3g}" for number in value], 8)


def _weights_as_text(members: MemberPredictions, weights: np.ndarray | None) -> str:
    if weights is None:
        return ""
    if weights.ndim == 2:
        weights = weights.mean(axis=1)
    return "; weights " + shorten_list(
        [f"{name} {weight:.2f}" for name, weight in zip(members.names, weights, strict=True)], 8
    )


def _percent(probability: float) -> str:
    return "" if np.isnan(probability) else f"{probability:.0%}"
