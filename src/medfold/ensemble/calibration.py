"""How well an ensemble is calibrated, before and after temperature scaling."""

from dataclasses import dataclass
from functools import partial

from medfold.competition import CompetitionFacts
from medfold.ensemble.choice import EnsembleChoice
from medfold.ensemble.members import MemberPredictions
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


def calibration_gain(
    members: MemberPredictions, facts: CompetitionFacts, choice: EnsembleChoice, per_class: bool = False
) -> Calibration:
    """Measures the calibration error of an ensemble before and after temperature scaling, cross-fitted.

    Ranks are not probabilities: for a rank mean, the plain mean is measured instead.
    """
    chosen = choice.candidates[0] if choice.chosen.method.gives_ranks else choice.chosen
    scaling = temperature_calibration().fit
    ece = METRICS["ece"]
    combination = partial(chosen.method.fit, metric=metric_of(facts), per_class=per_class)
    fit = chain_fits(combination, scaling)
    after = cross_fit(fit, members.predictions, members.targets, members.fold)
    temperature = fit(members.predictions, members.targets).parameters["temperature"]
    return Calibration(temperature, ece(members.targets, chosen.predictions), ece(members.targets, after))
