"""Which way to put members together, and whether to adjust what comes of it: told by cross-fitted scores."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from medfold.competition import Competition
from medfold.ensemble.methods import METHODS, Method
from medfold.errors import UserError, did_you_mean
from medfold.scoring import (
    METRICS,
    Difference,
    Fit,
    FittedTransform,
    Metric,
    chain_fits,
    cross_fit,
    metric_of,
    paired_difference,
    post_processing_of,
    temperature_calibration,
)

DRAWS, FEWEST = 400, 100  # of the intervals that decide; of large tables fewer, which then tell as much
ROWS_DRAWN = 4_000_000


@dataclass(frozen=True)
class Members:
    """What runs predicted for the same units.

    Args:
        names: of the runs.
        predictions: float64 (members, units, columns), out of fold.
        targets: int (units,) or (units, labels).
        fold, group: int (units,).
    """

    names: list[str]
    predictions: np.ndarray
    targets: np.ndarray
    fold: np.ndarray
    group: np.ndarray

    @property
    def can_be_cross_fitted(self) -> bool:
        """False while a single fold is trained."""
        return len(np.unique(self.fold)) > 1


@dataclass(frozen=True)
class Candidate:
    """One method.

    Args:
        method: how.
        fitted: on all folds.
        predictions: float64 (units, columns), cross-fitted.
        in_sample: the score of the method fitted on what it is scored on.
        cross_fitted: the score that is to be believed.
        gain: over the plain mean, cross-fitted; None for the mean itself.
    """

    method: Method
    fitted: FittedTransform
    predictions: np.ndarray
    in_sample: float
    cross_fitted: float
    gain: Difference | None


@dataclass(frozen=True)
class PostProcessed:
    """Predictions adjusted after they were put together.

    Args:
        title: of the adjustment.
        calibrates: True if what comes of it are probabilities still.
        fitted: on all folds.
        predictions: float64 (units, columns), cross-fitted together with the method.
        in_sample, cross_fitted: scores.
        gain: over the same without adjustment, cross-fitted.
    """

    title: str
    calibrates: bool
    fitted: FittedTransform
    predictions: np.ndarray
    in_sample: float
    cross_fitted: float
    gain: Difference

    @property
    def helps(self) -> bool:
        """True if the metric gains from it."""
        return self.gain.value > 0


@dataclass(frozen=True)
class Calibration:
    """What temperature scaling does to the expected calibration error.

    Args:
        temperature: fitted on all folds.
        before, after: expected calibration error, the latter cross-fitted.
    """

    temperature: float
    before: float
    after: float


@dataclass(frozen=True)
class EnsembleChoice:
    """What is done with members.

    Args:
        contenders: all methods that were tried, the plain mean first.
        chosen: one of them.
        adjusted: what an adjustment gives; None if the metric knows none, or one fold only is trained.
        fitted: predictions float64 (members, n, columns) -> float64 (n, columns), with the adjustment if it helps.
        predictions: float64 (units, columns), out of fold and cross-fitted, by the same.
    """

    contenders: list[Candidate]
    chosen: Candidate
    adjusted: PostProcessed | None
    fitted: FittedTransform
    predictions: np.ndarray

    @property
    def probable(self) -> tuple[FittedTransform, np.ndarray]:
        """What gives the probabilities behind what is scored, and those out of fold.

        They are what is scored, unless that is ranks, or an adjustment has made decisions or the like of them.
        """
        if self.chosen.method.gives_ranks:
            return self.contenders[0].fitted, self.contenders[0].predictions
        if self.adjusted and self.adjusted.helps and self.adjusted.calibrates:
            return self.fitted, self.predictions
        return self.chosen.fitted, self.chosen.predictions

    def without_image(self, prior: np.ndarray) -> np.ndarray:
        """The prediction for a unit without an image: the prior, turned into a decision where the others are.

        It is no member's prediction, so it is not put together or calibrated as those are. A rank mean has no place
        for it: there it stands in the middle of the ranks.

        Args:
            prior: float64 (columns,), the mean of the units' labels.
        """
        found = prior[None]
        if self.chosen.method.gives_ranks:
            _, arguments = self.chosen.fitted.steps[0]
            found = self.chosen.fitted.apply(np.median(arguments["ordered"], axis=1)[:, None, :])
        if self.adjusted and self.adjusted.helps and not self.adjusted.calibrates:
            found = FittedTransform(self.fitted.steps[len(self.chosen.fitted.steps) :]).apply(found)
        return found[0]


def compare_methods(
    members: Members, competition: Competition, per_class: bool = False, only: str | None = None
) -> list[Candidate]:
    """Scores every method; those that learn are left out while a single fold is trained, and for a single member.

    Args:
        only: the name of a method that is tried beside the plain mean, and no other.
        per_class: weights are fitted for each class or label on its own. Defaults to False.
    """
    metric, found = metric_of(competition), []
    for method in METHODS.all():
        if found and only in METHODS and method.name != only:
            continue
        if found and (len(members.names) == 1 or (method.learns and not members.can_be_cross_fitted)):
            continue
        fit = _fit(method, metric, per_class)
        fitted = fit(members.predictions, members.targets)
        inside = fitted.apply(members.predictions)
        outside = inside
        if found and members.can_be_cross_fitted:
            outside = cross_fit(fit, members.predictions, members.targets, members.fold)
        gain = _gain(metric, members, outside, found[0].predictions) if found else None
        scores = (metric(members.targets, each) for each in (inside, outside))
        found.append(Candidate(method, fitted, outside, *scores, gain))
    return found


def choose_method(
    members: Members, competition: Competition, method: str | None = None, per_class: bool = False
) -> EnsembleChoice:
    """Chooses a method and says whether to adjust what it gives.

    A method takes the place of the plain mean if its cross-fitted score is better and the 95 % interval of the paired
    difference lies above 0; among several such the best. An adjustment is made if the cross-fitted score gains from it.
    Both are fitted once more on all folds, for what is predicted.

    Args:
        method: the name of the one to take. Defaults to the one that the scores choose.

    Raises:
        UserError: an unknown method, or one that cannot be tried yet.
    """
    contenders = compare_methods(members, competition, per_class, method)
    chosen = _named(members, contenders, method) if method else _best(contenders, competition)
    adjusted = _adjusted(members, competition, chosen, per_class) if members.can_be_cross_fitted else None
    fitted, predictions = chosen.fitted, chosen.predictions
    if adjusted and adjusted.helps:
        fitted, predictions = adjusted.fitted, adjusted.predictions
    return EnsembleChoice(contenders, chosen, adjusted, fitted, predictions)


def calibration_gain(
    members: Members, competition: Competition, decision: EnsembleChoice, per_class: bool = False
) -> Calibration:
    """The calibration error of an ensemble before and after temperature scaling, cross-fitted.

    Ranks are no probabilities: where they are averaged, this is of the plain mean.
    """
    chosen = decision.contenders[0] if decision.chosen.method.gives_ranks else decision.chosen
    scaling, ece = temperature_calibration().fit, METRICS["ece"]
    fit = chain_fits(_fit(chosen.method, metric_of(competition), per_class), scaling)
    after = cross_fit(fit, members.predictions, members.targets, members.fold)
    temperature = fit(members.predictions, members.targets).parameters["temperature"]
    return Calibration(temperature, ece(members.targets, chosen.predictions), ece(members.targets, after))


def error_correlation(members: Members) -> np.ndarray:
    """The correlation of what members predict too much or too little: float64 (members, members), 1 on the diagonal."""
    columns = members.predictions.shape[2]
    if members.targets.ndim == 1 and columns > 1:
        truth = np.eye(columns)[members.targets]
    else:
        truth = members.targets.reshape(len(members.targets), -1)
    return np.corrcoef((members.predictions - truth).reshape(len(members.names), -1)).reshape(len(members.names), -1)


def _fit(method: Method, metric: Metric, per_class: bool) -> Fit:
    return partial(method.fit, metric=metric, per_class=per_class)


def _best(contenders: list[Candidate], competition: Competition) -> Candidate:
    plain, *others = contenders
    better = [one for one in others if one.gain.low > 0]
    return max(better, key=lambda one: metric_of(competition).sign * one.cross_fitted, default=plain)


def _named(members: Members, contenders: list[Candidate], name: str) -> Candidate:
    for one in contenders:
        if one.method.name == name:
            return one
    if name in METHODS:
        why = (
            "there is a single run"
            if len(members.names) == 1
            else "it is fitted on labels, and one fold only is trained"
        )
        raise UserError(f"method {name} cannot be used yet: {why}", f"METHOD={name}")
    known = f"Known: {', '.join(METHODS)}"
    raise UserError(f"unknown method '{name}'{did_you_mean(name, METHODS)}", f"METHOD={name}", known)


def _adjusted(members: Members, competition: Competition, chosen: Candidate, per_class: bool) -> PostProcessed | None:
    metric = metric_of(competition)
    suited = post_processing_of(competition, metric)
    if suited is None:
        return None
    fit = chain_fits(_fit(chosen.method, metric, per_class), suited.fit)
    fitted = fit(members.predictions, members.targets)
    outside = cross_fit(fit, members.predictions, members.targets, members.fold)
    in_sample = metric(members.targets, fitted.apply(members.predictions))
    gain = _gain(metric, members, outside, chosen.predictions)
    return PostProcessed(
        suited.title, suited.calibrates, fitted, outside, in_sample, metric(members.targets, outside), gain
    )


def _gain(metric: Metric, members: Members, ours: np.ndarray, theirs: np.ndarray) -> Difference:
    draws = int(np.clip(ROWS_DRAWN // len(ours), FEWEST, DRAWS))
    return paired_difference(metric, members.targets, ours, theirs, members.group, draws)
