"""Choice of the ensemble method and its post-processing by cross-fitted score."""

from functools import partial

import numpy as np

from medfold.competition import CompetitionFacts
from medfold.ensemble.members import MemberPredictions
from medfold.ensemble.methods import ARITHMETIC_MEAN, METHODS, EnsembleMethod
from medfold.ensemble.scored_methods import MethodCandidate, MethodChoice, PostProcessed
from medfold.errors import UserError
from medfold.scoring import (
    MAX_CLASSES,
    Difference,
    Fit,
    Metric,
    chain_fits,
    cross_fit,
    metric_of,
    paired_difference,
    post_processing_of,
)
from medfold.terminal.command_text import variable
from medfold.terminal.console import say
from medfold.text import did_you_mean, shorten_list

MAX_RESAMPLES, MIN_RESAMPLES = 400, 100  # per bootstrap interval when methods are compared
MAX_RESAMPLED_ROWS = 4_000_000  # in all resamples together: large tables need fewer resamples


def check_method(method_name: str | None, run_names: list[str]) -> None:
    """Checks the method that the user named, as far as that is possible before data and runs are read.

    Args:
        method_name: the method that the user named; None for no name.
        run_names: names of the runs to combine.

    Raises:
        UserError: the method is unknown, or needs several runs and there is one.
    """
    if method_name is None:
        return
    where = variable("METHOD", method_name)
    if method_name not in METHODS:
        what = f"unknown method '{method_name}'{did_you_mean(method_name, METHODS.names())}"
        raise UserError(what, where, f"Known: {', '.join(METHODS.names())}")
    if len(set(run_names)) == 1 and method_name != ARITHMETIC_MEAN:
        fix = f"Name several: {variable('RUNS', 'a b')}, or leave {variable('METHOD')} out"
        raise UserError(f"method {method_name} cannot be used yet: there is a single run", where, fix)


def compare_methods(
    members: MemberPredictions, facts: CompetitionFacts, per_class: bool = False, only_method: str | None = None
) -> list[MethodCandidate]:
    """Scores every method against the arithmetic mean.

    Methods that learn from labels are skipped while a single fold is trained. For a single member only the arithmetic
    mean is tried.

    Args:
        members: OOF predictions of the members, with the labels.
        facts: facts of the competition (the metric to compare by).
        per_class: fit separate weights for each class or label. Defaults to False.
        only_method: the name of the one method to try beside the arithmetic mean. Defaults to all methods.
    """
    metric = metric_of(facts)
    arithmetic_mean = _score_arithmetic_mean(members, metric)
    others = [
        method for method in METHODS.all() if method.name != ARITHMETIC_MEAN and only_method in (None, method.name)
    ]
    usable = [method for method in others if _can_be_used(method, members)]
    if only_method is None and facts.has_exclusive_classes and len(facts.prediction_columns) > MAX_CLASSES:
        skipped = [method.name for method in usable if not method.suits_many_classes]
        usable = [method for method in usable if method.suits_many_classes]
        if skipped:
            fix = f"to try it: {variable('METHOD', skipped[0])}"
            say("methods", f"{shorten_list(skipped)}: not tried, as there are more than {MAX_CLASSES} classes; {fix}")
    return [arithmetic_mean, *(_score_method(method, members, metric, per_class, arithmetic_mean) for method in usable)]


def choose_method(
    members: MemberPredictions, facts: CompetitionFacts, method_name: str | None = None, per_class: bool = False
) -> MethodChoice:
    """Chooses the method, and whether to apply post-processing.

    A method replaces the arithmetic mean if its cross-fitted score is better and the 95 % interval of the paired
    difference lies above 0; of several such methods the best one is chosen. Post-processing is applied if it improves
    the cross-fitted score. Both are then fitted on all folds, for prediction.

    Args:
        members: OOF predictions of the members, with the labels.
        facts: facts of the competition (the metric to compare by, and `submission.layout`).
        method_name: the method to use. Defaults to the one chosen by the scores.
        per_class: fit separate weights for each class or label. Defaults to False.

    Raises:
        UserError: the method is unknown, or cannot be used yet.
    """
    if method_name is not None:
        _check_can_be_used(method_name, members)
    candidates = compare_methods(members, facts, per_class, method_name)
    if method_name is None:
        chosen = _best_candidate(candidates, facts)
    else:
        chosen = next(candidate for candidate in candidates if candidate.method.name == method_name)
    post_processed = _post_process(members, facts, chosen, per_class) if members.can_be_cross_fitted else None
    return MethodChoice(candidates, chosen, post_processed)


def _can_be_used(method: EnsembleMethod, members: MemberPredictions) -> bool:
    """Returns True if a method can be used: all but the arithmetic mean need several members, some several folds."""
    if method.name == ARITHMETIC_MEAN:
        return True
    return len(members.run_names) > 1 and (members.can_be_cross_fitted or not method.needs_labels)


def _check_can_be_used(method_name: str, members: MemberPredictions) -> None:
    """Checks the method that the user named; raises a UserError if it is unknown, or cannot be used yet."""
    check_method(method_name, members.run_names)
    if not _can_be_used(METHODS[method_name], members):
        what = f"method {method_name} cannot be used yet: it is fitted on labels, and only one fold is trained"
        raise UserError(what, variable("METHOD", method_name), f"Train more folds, or leave {variable('METHOD')} out")


def _score_arithmetic_mean(members: MemberPredictions, metric: Metric) -> MethodCandidate:
    """Scores the arithmetic mean, which is not fitted on labels."""
    method = METHODS[ARITHMETIC_MEAN]
    fitted = method.fit(members.predictions, members.targets, metric)
    predictions = fitted.apply(members.predictions)
    score = metric(members.targets, predictions)
    return MethodCandidate(fitted, predictions, in_sample=score, cross_fitted=score, gain=None, method=method)


def _score_method(
    method: EnsembleMethod,
    members: MemberPredictions,
    metric: Metric,
    per_class: bool,
    arithmetic_mean: MethodCandidate,
) -> MethodCandidate:
    """Scores a method against the arithmetic mean; cross-fitted if several folds are trained."""
    fit = _fit_of(method, metric, per_class)
    fitted = fit(members.predictions, members.targets)
    in_sample_predictions = fitted.apply(members.predictions)
    predictions = in_sample_predictions
    if members.can_be_cross_fitted:
        predictions = cross_fit(fit, members.predictions, members.targets, members.folds)
    return MethodCandidate(
        fitted=fitted,
        predictions=predictions,
        in_sample=metric(members.targets, in_sample_predictions),
        cross_fitted=metric(members.targets, predictions),
        gain=_gain(metric, members, predictions, arithmetic_mean.predictions),
        method=method,
    )


def _fit_of(method: EnsembleMethod, metric: Metric, per_class: bool) -> Fit:
    return partial(method.fit, metric=metric, per_class=per_class)


def _best_candidate(candidates: list[MethodCandidate], facts: CompetitionFacts) -> MethodCandidate:
    plain, *others = candidates
    better = [candidate for candidate in others if candidate.gain.low > 0]
    return max(better, key=lambda candidate: metric_of(facts).sign * candidate.cross_fitted, default=plain)


def _post_process(
    members: MemberPredictions, facts: CompetitionFacts, chosen: MethodCandidate, per_class: bool
) -> PostProcessed | None:
    """Fits and scores the post-processing after a method; None if the metric has none."""
    metric = metric_of(facts)
    post_processing = post_processing_of(facts, metric)
    if post_processing is None:
        if metric.response_method == "predict":
            say("fitted", f"no class factors: there are more than {MAX_CLASSES} classes")
        return None
    step = post_processing.fit(chosen.fitted.apply(members.predictions), members.targets)
    fitted = chosen.fitted.followed_by(step)
    fit = chain_fits(_fit_of(chosen.method, metric, per_class), post_processing.fit)
    cross_fitted = cross_fit(fit, members.predictions, members.targets, members.folds)
    return PostProcessed(
        title=post_processing.title,
        calibrates=post_processing.calibrates,
        step=step,
        fitted=fitted,
        predictions=cross_fitted,
        in_sample=metric(members.targets, fitted.apply(members.predictions)),
        cross_fitted=metric(members.targets, cross_fitted),
        gain=_gain(metric, members, cross_fitted, chosen.predictions),
    )


def _gain(metric: Metric, members: MemberPredictions, candidate: np.ndarray, reference: np.ndarray) -> Difference:
    """Returns the advantage of predictions over a reference, with fewer resamples for large tables."""
    num_resamples = int(np.clip(MAX_RESAMPLED_ROWS // len(candidate), MIN_RESAMPLES, MAX_RESAMPLES))
    return paired_difference(metric, members.targets, candidate, reference, members.groups, num_resamples)
