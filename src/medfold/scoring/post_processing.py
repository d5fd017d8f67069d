"""Post-processing: functions of predictions that are fitted on labels, and the choice of one for a metric."""

from functools import partial
from typing import NamedTuple

from medfold.competition import CompetitionFacts
from medfold.scoring.calibration import fit_temperature
from medfold.scoring.class_factors import fit_class_factors
from medfold.scoring.cross_fitting import Fit
from medfold.scoring.cut_points import fit_cut_points
from medfold.scoring.metric_registry import METRICS, Metric
from medfold.scoring.sharpening import fit_sharpening
from medfold.scoring.thresholds import fit_thresholds

MAX_CLASSES = 100  # with more, class factors take hours to fit, and overfit to the few samples of each class


class PostProcessing(NamedTuple):
    """A function of predictions that is fitted on labels.

    Args:
        title: display name.
        fit: (predictions, targets) -> FittedTransform.
        calibrates: True if its output is still probabilities; False if it is decisions. Defaults to False.
    """

    title: str
    fit: Fit
    calibrates: bool = False


def post_processing_of(facts: CompetitionFacts, metric: Metric) -> PostProcessing | None:
    """Returns the post-processing that suits a metric.

    None if the metric gains from none, like an AUC, or would need factors of more than 100 classes.
    """
    name = metric.post_processing
    if not name and metric.response_method == "predict":
        name = "class_factors" if facts.has_exclusive_classes else "thresholds"
    if name == "class_factors" and len(facts.prediction_columns) > MAX_CLASSES:
        name = ""
    return {
        "": lambda: None,
        "class_factors": lambda: PostProcessing("class factors", partial(fit_class_factors, metric=metric)),
        "thresholds": lambda: PostProcessing("thresholds", partial(fit_thresholds, metric=metric)),
        "cut_points": lambda: PostProcessing("cut points", fit_cut_points),
        "sharpening": lambda: PostProcessing("sharpening", partial(fit_sharpening, metric=metric)),
        "temperature": lambda: temperature_calibration(metric),
        "calibration": temperature_calibration,
    }[name]()


def temperature_calibration(loss: Metric | None = None) -> PostProcessing:
    """Returns temperature scaling as a post-processing, for any metric.

    Args:
        loss: the metric to minimise. Defaults to the log loss.
    """
    fit = partial(fit_temperature, loss=loss or METRICS["log_loss"])
    return PostProcessing("temperature", fit, calibrates=True)
