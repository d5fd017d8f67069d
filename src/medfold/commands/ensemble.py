"""`make ensemble`: what runs are worth together, by every method."""

import numpy as np

from medfold.competition import Project
from medfold.console import print_table, say, warn
from medfold.ensemble import Ensemble, EnsembleChoice, Members, ensemble_runs, error_correlation
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
    """Shows what runs are worth together: members, methods, adjustment, and the OOF score of what `submit` would take.

    Args:
        names: of the runs.
        method: to be taken instead of the one that the scores choose.
        per_class: weights are fitted for each class or label on its own.

    Raises:
        UserError: runs that do not fit together, or that are not trained.
    """
    data = load_dataset_for(project, names)
    found = ensemble_runs(project, names, data, method, per_class)
    show_ensemble(project, found, method)
    say("OOF score", describe_score(project.competition, found.score, data.train["unit"].nunique()))
    words = {"METHOD": method, "PER_CLASS": 1 if per_class else None}
    named = " ".join(names)
    command = project.command("submit", RUNS=f'"{named}"', **{key: value for key, value in words.items() if value})
    say("then", command)


def show_ensemble(project: Project, found: Ensemble, method: str | None = None) -> None:
    """Shows the ensemble: its runs, the methods with their scores, what was chosen."""
    competition, decision = project.competition, found.choice
    metric = metric_of(competition)
    if len(found.names) > 1:
        say("members", f"{len(found.names)} runs, and how far their errors go together (1: the same errors)")
        _show_members(metric, found.members)
        say("methods", "cross-fitted: weights from the other folds; gain over the arithmetic mean")
        _show_methods(metric, decision)
        chosen = decision.chosen
        why = "asked for" if method else "better than the mean beyond chance"
        if not method and chosen.gain is None:
            why = "no other is better beyond chance"
        say("chosen", f"{chosen.method.title}: {why}{_weights(found.members, chosen.fitted.parameters.get('weights'))}")
    _show_adjusted(metric, decision)
    if found.calibration:
        each = found.calibration
        after = f"{each.before:.4f}, after temperature scaling {each.after:.4f} (T = {each.temperature:.2f})"
        say("ECE", f"{after}, cross-fitted")


def _show_members(metric: Metric, members: Members) -> None:
    correlation = error_correlation(members)
    numbers = [f"[{number + 1}]" for number in range(len(members.names))]
    rows = []
    for number, name in enumerate(members.names):
        given = members.predictions[number]
        low, high = bootstrap_interval(metric, members.targets, given, members.group)
        score = format_score(metric(members.targets, given))
        rows.append(
            [numbers[number], name, score, format_interval(low, high), *(f"{r:.2f}" for r in correlation[number])]
        )
    print_table(["", "run", metric.title, "95 % interval", *numbers], rows)


def _show_methods(metric: Metric, decision: EnsembleChoice) -> None:
    rows = []
    for one in decision.candidates:
        told = [format_difference(one.gain), _percent(one.gain.probability)] if one.gain else ["", ""]
        rows.append(
            [one.method.name, one.method.title, format_score(one.cross_fitted), format_score(one.in_sample), *told]
        )
    marked = [decision.candidates.index(decision.chosen)]
    print_table(
        ["METHOD", "", f"{metric.title}, cross-fitted", "in-sample", "gain (95 % interval)", "better"], rows, marked
    )


def _show_adjusted(metric: Metric, decision: EnsembleChoice) -> None:
    adjusted = decision.post_processed
    if adjusted is None:
        return
    found = ", ".join(_shown(value) for key, value in adjusted.fitted.parameters.items() if key != "weights")
    before, after = format_score(decision.chosen.cross_fitted), format_score(adjusted.cross_fitted)
    scores = f"{metric.title} {before} -> {after} cross-fitted"
    fate = "used" if adjusted.helps else "not used: the score does not gain"
    tell = say if adjusted.helps else warn
    tell("adjusted", f"{adjusted.title} {found}: {scores} ({format_score(adjusted.in_sample)} in-sample); {fate}")


def _shown(value: float | list[float]) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return shorten_list([f"{each:.3g}" for each in value], 8)


def _weights(members: Members, weights: np.ndarray | None) -> str:
    if weights is None:
        return ""
    if weights.ndim == 2:
        weights = weights.mean(axis=1)
    return "; weights " + shorten_list(
        [f"{name} {each:.2f}" for name, each in zip(members.names, weights, strict=True)], 8
    )


def _percent(probability: float) -> str:
    return "" if np.isnan(probability) else f"{probability:.0%}"
