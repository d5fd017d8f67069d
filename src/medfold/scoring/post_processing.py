"""Which adjustment of the predictions a metric may gain from: one for each kind of metric, or none."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from medfold.competition.facts import Competition
from medfold.scoring.calibration import temperature_scaling
from medfold.scoring.cross_fitting import Fit
from medfold.scoring.metric import METRICS, Metric
from medfold.scoring.thresholds import class_factors, column_thresholds, cut_points, sharpening

LOG_LOSSES = ("log_loss", "weighted_log_loss")


class Adjustment(NamedTuple):
    """A map of predictions that is fitted on labels.

    Args:
        title: for people.
        fit: (predictions, targets) -> Fitted.
        calibrates: True if what comes of it are probabilities still, False for decisions and the like.
    """

    title: str
    fit: Fit
    calibrates: bool = False


def of(competition: Competition, metric: Metric) -> Adjustment | None:
    """The adjustment that suits a metric of a competition; None if it gains from none, as an AUC."""
    if metric.needs == "class":
        title, fit = _decisions(competition, metric)
        return Adjustment(title, partial(fit, metric=metric))
    if metric.name == "pf1":
        return Adjustment("sharpening", partial(sharpening, metric=metric))
    if metric.name in (*LOG_LOSSES, "ece"):
        return calibration(metric if metric.name in LOG_LOSSES else METRICS["log_loss"])
    return None


def calibration(loss: Metric = METRICS["log_loss"]) -> Adjustment:
    """Temperature scaling, whatever the metric is.

    Args:
        loss: what to make small. Defaults to the log loss.
    """
    return Adjustment("temperature", partial(temperature_scaling, loss=loss), calibrates=True)


def _decisions(competition: Competition, metric: Metric) -> tuple[str, Callable]:
    if metric.name == "qwk":
        return "cut points", cut_points
    if competition.one_of_many:
        return "class factors", class_factors
    return "thresholds", column_thresholds
