"""Choice of the ensemble method and its post-processing by cross-fitted score."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from medfold.competition import CompetitionFacts
from medfold.ensemble.members import MemberPredictions
from medfold.ensemble.methods import METHODS, PLAIN_MEAN, EnsembleMethod
from medfold.errors import UserError
from medfold.scoring import (
    Difference,
    Fit,
    FittedTransform,
    Metric,
    chain_fits,
    cross_fit,
    metric_of,
    paired_difference,
    post_processing_of,
)
from medfold.terminal.command_text import variable
from medfold.text import did_you_mean

MAX_RESAMPLES, MIN_RESAMPLES = 400, 100  # per bootstrap interval when methods are compared
MAX_RESAMPLED_ROWS = 4_000_000  # in all resamples together: large tables need fewer resamples


@dataclass(frozen=True)
class ScoredFit:
    """A method or a post-processing fitted on labels, with its scores.

    Args:
        fitted: the transform fitted on all folds: predictions of the members -> combined predictions.
        predictions: float64 (units, columns), cross-fitted.
        in_sample: the score on the labels that it was fitted on; too high.
        cross_fitted: the score on labels that it was not fitted on: the one to trust.
        gain: over what it would replace, cross-fitted; None if it replaces nothing.
    """

    fitted: FittedTransform
    predictions: np.ndarray
    in_sample: float
    cross_fitted: float
    gain: Difference | None


@dataclass(frozen=True)
class MethodCandidate(ScoredFit):
    """A method that was tried, with its scores. Its gain is over the plain mean; the mean itself has none.

    Args:
        method: the method that was tried.
    """

    method: EnsembleMethod


@dataclass(frozen=True)
class PostProcessed(ScoredFit):
    """A method followed by post-processing, with its scores. Its gain is over the same method alone.

    Args:
        title: display name of the post-processing.
        calibrates: True if the result is still probabilities.
        step: the post-processing alone, fitted on all folds.
    """

    title: str
    calibrates: bool
    step: FittedTransform

    @property
    def helps(self) -> bool:
        """True if post-processing improves the cross-fitted score."""
        return self.gain.value > 0


@dataclass(frozen=True)
class EnsembleChoice:
    """The chosen way to combine members.

    Args:
        candidates: all methods that were tried, the plain mean first.
        chosen: the candidate that is used.
        post_processed: the result of post-processing; None if the metric has none, or only one fold is trained.
    """

    candidates: list[MethodCandidate]
    chosen: MethodCandidate
    post_processed: PostProcessed | None

    @property
    def used_post_processing(self) -> PostProcessed | None:
        """The result of post-processing if it helps, else None."""
        return self.post_processed if self.post_processed and self.post_processed.helps else None

    @property
    def fitted(self) -> FittedTransform:
        """The combination of members, with post-processing if it helps; for float64 (members, n, columns)."""
        return (self.used_post_processing or self.chosen).fitted

    @property
    def predictions(self) -> np.ndarray:
        """The OOF predictions of `fitted`, cross-fitted: float64 (units, columns)."""
        return (self.used_post_processing or self.chosen).predictions

    @property
    def probabilities(self) -> tuple[FittedTransform, np.ndarray]:
        """The transform that gives probabilities, and its OOF predictions.

        They are `fitted` and `predictions` unless the method gives ranks, or post-processing turns probabilities into
        decisions.
        """
        if self.chosen.method.gives_ranks:
            return self.candidates[0].fitted, self.candidates[0].predictions
        if self.used_post_processing and self.used_post_processing.calibrates:
            return self.fitted, self.predictions
        return self.chosen.fitted, self.chosen.predictions

    def fallback(self, members: MemberPredictions, prior: np.ndarray) -> np.ndarray:
        """Returns the prediction for a unit without an image: the prior, or the median rank for a rank mean.

        The post-processing that turns predictions into decisions is applied to it as well. Combination and calibration
        are not: no member has predicted the prior.

        Args:
            members: the OOF predictions of the members.
            prior: float64 (columns,), the mean of the units' labels.
        """
        prediction = prior[None]
        if self.chosen.method.gives_ranks:
            prediction = self.chosen.fitted.apply(np.median(members.predictions, axis=1, keepdims=True))
        if self.used_post_processing and not self.used_post_processing.calibrates:
            prediction = self.used_post_processing.step.apply(prediction)
        return prediction[0]


def check_method(method: str | None, run_names: list[str]) -> None:
    """Checks the method that the user named, as far as that is possible before data and runs are read.

    Args:
        method: name of the method; None if the user named none.
        run_names: names of the runs to combine.

    Raises:
        UserError: the method is unknown, or needs several runs and there is one.
    """
    if method is None:
        return
    where = variable("METHOD", method)
    if method not in METHODS:
        what = f"unknown method '{method}'{did_you_mean(method, METHODS.names())}"
        raise UserError(what, where, f"Known: {', '.join(METHODS.names())}")
    if len(set(run_names)) == 1 and method != PLAIN_MEAN:
        fix = f"Name several: {variable('RUNS', 'a b')}, or leave {variable('METHOD')} out"
        raise UserError(f"method {method} cannot be used yet: there is a single run", where, fix)


def compare_methods(
    members: MemberPredictions, facts: CompetitionFacts, per_class: bool = False, only: str | None = None
) -> list[MethodCandidate]:
    """Scores every method against the plain mean.

    Methods that learn from labels are skipped while a single fold is trained. For a single member only the plain mean
    is tried.

    Args:
        members: OOF predictions of the members, with the labels.
        facts: facts of the competition (the metric to compare by).
        per_class: fit separate weights for each class or label. Defaults to False.
        only: the name of the one method to try beside the plain mean. Defaults to all methods.
    """
    metric = metric_of(facts)
    plain_mean = _score_plain_mean(members, metric)
    others = [method for method in METHODS.all() if method.name != PLAIN_MEAN and only in (None, method.name)]
    usable = [method for method in others if _can_be_used(method, members)]
    return [plain_mean, *(_score_method(method, members, metric, per_class, plain_mean) for method in usable)]


def choose_method(
    members: MemberPredictions, facts: CompetitionFacts, method: str | None = None, per_class: bool = False
) -> EnsembleChoice:
    """Chooses the method, and whether to apply post-processing.

    A method replaces the plain mean if its cross-fitted score is better and the 95 % interval of the paired difference
    lies above 0; of several such methods the best one is chosen. Post-processing is applied if it improves the
    cross-fitted score. Both are then fitted on all folds, for prediction.

    Args:
        members: OOF predictions of the members, with the labels.
        facts: facts of the competition (the metric to compare by, and `submission.layout`).
        method: the name of the method to use. Defaults to the one chosen by the scores.
        per_class: fit separate weights for each class or label. Defaults to False.

    Raises:
        UserError: the method is unknown, or cannot be used yet.
    """
    if method is not None:
        _check_can_be_used(method, members)
    candidates = compare_methods(members, facts, per_class, method)
    if method is None:
        chosen = _best_candidate(candidates, facts)
    else:
        chosen = next(candidate for candidate in candidates if candidate.method.name == method)
    post_processed = _post_process(members, facts, chosen, per_class) if members.can_be_cross_fitted else None
    return EnsembleChoice(candidates, chosen, post_processed)


def _can_be_used(method: EnsembleMethod, members: MemberPredictions) -> bool:
    """Returns True if a method can be used: all but the plain mean need several members, some also several folds."""
    if method.name == PLAIN_MEAN:
        return True
    return len(members.run_names) > 1 and (members.can_be_cross_fitted or not method.needs_labels)


def _check_can_be_used(name: str, members: MemberPredictions) -> None:
    """Checks the method that the user named; raises a UserError if it is unknown, or cannot be used yet."""
    check_method(name, members.run_names)
    if not _can_be_used(METHODS[name], members):
        what = f"method {name} cannot be used yet: it is fitted on labels, and only one fold is trained"
        raise UserError(what, variable("METHOD", name), f"Train more folds, or leave {variable('METHOD')} out")


def _score_plain_mean(members: MemberPredictions, metric: Metric) -> MethodCandidate:
    """Scores the plain mean, which is not fitted on labels."""
    method = METHODS[PLAIN_MEAN]
    fitted = method.fit(members.predictions, members.targets, metric)
    predictions = fitted.apply(members.predictions)
    score = metric(members.targets, predictions)
    return MethodCandidate(fitted, predictions, in_sample=score, cross_fitted=score, gain=None, method=method)


def _score_method(
    method: EnsembleMethod, members: MemberPredictions, metric: Metric, per_class: bool, plain_mean: MethodCandidate
) -> MethodCandidate:
    """Scores a method against the plain mean; cross-fitted if several folds are trained."""
    fit = _fit(method, metric, per_class)
    fitted = fit(members.predictions, members.targets)
    in_sample = fitted.apply(members.predictions)
    predictions = in_sample
    if members.can_be_cross_fitted:
        predictions = cross_fit(fit, members.predictions, members.targets, members.fold)
    return MethodCandidate(
        fitted=fitted,
        predictions=predictions,
        in_sample=metric(members.targets, in_sample),
        cross_fitted=metric(members.targets, predictions),
        gain=_gain(metric, members, predictions, plain_mean.predictions),
        method=method,
    )


def _fit(method: EnsembleMethod, metric: Metric, per_class: bool) -> Fit:
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
        return None
    step = post_processing.fit(chosen.fitted.apply(members.predictions), members.targets)
    fitted = chosen.fitted.followed_by(step)
    fit = chain_fits(_fit(chosen.method, metric, per_class), post_processing.fit)
    cross_fitted = cross_fit(fit, members.predictions, members.targets, members.fold)
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
    return paired_difference(metric, members.targets, candidate, reference, members.group, num_resamples)
