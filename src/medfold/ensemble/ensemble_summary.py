"""Summary of an ensemble: its members, the methods with their scores, and the choice; without predictions."""

from dataclasses import dataclass
from typing import Any

from medfold.competition import CompetitionFacts
from medfold.ensemble.calibration import Calibration
from medfold.ensemble.ensemble import Ensemble
from medfold.ensemble.members import error_correlation
from medfold.scoring import Difference, OofScore, bootstrap_interval, metric_of


@dataclass(frozen=True)
class MemberSummary:
    """A member of an ensemble.

    Args:
        name: name of the run.
        value: OOF score of the run.
        low: lower end of its 95 % interval; nan if there is none.
        high: upper end of its 95 % interval; nan if there is none.
        weight: its weight in the chosen method, the mean over classes or labels; None if the method has no weights.
        error_correlation: correlation of its errors with each member's errors, in order; 1 means the same errors.
    """

    name: str
    value: float
    low: float
    high: float
    weight: float | None
    error_correlation: list[float]


@dataclass(frozen=True)
class MethodSummary:
    """A method that was tried.

    Args:
        name: the name that `METHOD=` takes.
        title: display name.
        cross_fitted: score on labels that the method was not fitted on: the one to trust.
        in_sample: score on the labels that it was fitted on; too high.
        gain: advantage over the arithmetic mean, cross-fitted; None for the mean itself.
        is_chosen: True for the method that a submission uses.
    """

    name: str
    title: str
    cross_fitted: float
    in_sample: float
    gain: Difference | None
    is_chosen: bool


@dataclass(frozen=True)
class PostProcessingSummary:
    """Post-processing after the chosen method.

    Args:
        title: display name.
        parameters: the fitted parameters.
        before: cross-fitted score without it.
        cross_fitted: score with it on labels that it was not fitted on: the one to trust.
        in_sample: score with it on the labels that it was fitted on; too high.
        is_used: True if a submission uses it, as it improves the cross-fitted score.
    """

    title: str
    parameters: dict[str, Any]
    before: float
    cross_fitted: float
    in_sample: float
    is_used: bool


@dataclass(frozen=True)
class EnsembleSummary:
    """An ensemble in numbers.

    Args:
        metric: name of the metric.
        score: OOF score of the ensemble.
        members: the members; empty for an ensemble of one run.
        methods: the methods that were tried.
        post_processing: the effect of post-processing; None if the metric has none, or only one fold is trained.
        calibration: the effect of temperature scaling; None while a single fold is trained.
    """

    metric: str
    score: OofScore
    members: list[MemberSummary]
    methods: list[MethodSummary]
    post_processing: PostProcessingSummary | None
    calibration: Calibration | None

    @property
    def chosen(self) -> MethodSummary:
        """The method that a submission uses."""
        return next(method for method in self.methods if method.is_chosen)


def summarise_ensemble(facts: CompetitionFacts, ensemble: Ensemble) -> EnsembleSummary:
    """Summarises members, methods and post-processing of an ensemble."""
    methods = [
        MethodSummary(
            candidate.method.name,
            candidate.method.title,
            candidate.cross_fitted,
            candidate.in_sample,
            candidate.gain,
            candidate is ensemble.method_choice.chosen,
        )
        for candidate in ensemble.method_choice.candidates
    ]
    members = _members(facts, ensemble)
    post_processing = _post_processing(ensemble)
    metric = facts.score.metric
    return EnsembleSummary(metric, ensemble.score, members, methods, post_processing, ensemble.calibration)


def _members(facts: CompetitionFacts, ensemble: Ensemble) -> list[MemberSummary]:
    metric = metric_of(facts)
    members = ensemble.members
    if len(members.run_names) == 1:
        return []
    weights = ensemble.method_choice.chosen.fitted.parameters.get("weights")
    if weights is not None and weights.ndim == 2:
        weights = weights.mean(axis=1)
    correlation = error_correlation(members)
    summaries = []
    for number, (name, predictions) in enumerate(zip(members.run_names, members.predictions, strict=True)):
        low, high = bootstrap_interval(metric, members.targets, predictions, members.groups)
        weight = None if weights is None else float(weights[number])
        value = metric(members.targets, predictions)
        summaries.append(MemberSummary(name, value, low, high, weight, correlation[number].tolist()))
    return summaries


def _post_processing(ensemble: Ensemble) -> PostProcessingSummary | None:
    result = ensemble.method_choice.post_processed
    if result is None:
        return None
    parameters = {key: value for key, value in result.fitted.parameters.items() if key != "weights"}
    before = ensemble.method_choice.chosen.cross_fitted
    return PostProcessingSummary(
        result.title, parameters, before, result.cross_fitted, result.in_sample, is_used=result.helps
    )
