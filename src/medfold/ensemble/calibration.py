"""How well an ensemble is calibrated, before and after temperature scaling."""

from dataclasses import dataclass
from functools import partial

from medfold.competition import CompetitionFacts
from medfold.ensemble.members import MemberPredictions
from medfold.ensemble.scored_methods import MethodChoice
from medfold.scoring import METRICS, chain_fits, cross_fit, metric_of, temperature_calibration


@dataclass(frozen=True)
class Calibration:
    """Effect of temperature scaling on the expected calibration error.

    Args:
        temperature: the temperature, fitted on all folds.
        before: expected calibration error without scaling.
        after: expected calibration error with scaling, cross-fitted.
    """

    temperature: float
    before: float
    after: float


def measure_calibration(
    members: MemberPredictions, facts: CompetitionFacts, method_choice: MethodChoice, per_class: bool = False
) -> Calibration:
    """Measures the calibration error of an ensemble before and after temperature scaling, cross-fitted.

    Ranks are not probabilities: for a rank mean, the arithmetic mean is measured instead.

    Args:
        members: OOF predictions of the members.
        facts: facts of the competition.
        method_choice: the methods that were tried; the chosen one is measured.
        per_class: whether the method fitted weights for each class or label. Defaults to False.
    """
    chosen = method_choice.candidates[0] if method_choice.chosen.method.gives_ranks else method_choice.chosen
    scaling = temperature_calibration().fit
    ece = METRICS["ece"]
    combination = partial(chosen.method.fit, metric=metric_of(facts), per_class=per_class)
    fit = chain_fits(combination, scaling)
    after = cross_fit(fit, members.predictions, members.targets, members.folds)
    temperature = fit(members.predictions, members.targets).parameters["temperature"]
    return Calibration(temperature, ece(members.targets, chosen.predictions), ece(members.targets, after))
