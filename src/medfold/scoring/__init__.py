"""Metrics, scores with confidence intervals, and post-processing that is fitted on labels.

- `metric_registry`: the class of a metric, its decorator, and the metric of a competition;
- `metrics`: the built-in metrics;
- `chance`: the mean of the labels, and the score of a constant prediction;
- `out_of_fold`: the OOF score;
- `aggregation`: from samples to units;
- `bootstrap`: intervals and differences;
- `many_resamples`: metrics of all resamples at once;
- `score_text`: scores and intervals as text;
- `decisions`: from probabilities to classes and labels, and labels as columns;
- `confidence_bins`: bins of confidence, for the calibration error;
- `post_processing`: the post-processing that suits a metric;
- `thresholds`, `cut_points`, `class_factors`, `sharpening`, `calibration`: each fits one post-processing;
- `fitted_transform`: a fitted post-processing or ensemble, as data;
- `cross_fitting`: scores what is fitted on labels, by the other folds.
"""

from medfold.scoring import metrics as metrics  # registers them
from medfold.scoring.aggregation import aggregate, aggregate_predictions, targets_of_units
from medfold.scoring.bootstrap import Difference, bootstrap_interval, paired_difference, scores_of_resamples
from medfold.scoring.calibration import MIN_PROBABILITY, to_logits, to_probabilities
from medfold.scoring.chance import chance_score, label_means
from medfold.scoring.confidence_bins import NUM_BINS, bin_of_confidence
from medfold.scoring.cross_fitting import Fit, chain_fits, cross_fit
from medfold.scoring.decisions import decide, targets_as_columns, to_classes, to_labels
from medfold.scoring.fitted_transform import FittedTransform, transform_step
from medfold.scoring.metric_registry import (
    METRICS,
    Metric,
    metric,
    metric_input,
    metric_of,
    metric_title,
)
from medfold.scoring.metrics import auc
from medfold.scoring.out_of_fold import OofPredictions, OofScore, oof_by_unit, oof_score
from medfold.scoring.post_processing import MAX_CLASSES, post_processing_of, temperature_calibration
from medfold.scoring.score_text import (
    UNKNOWN_PATIENTS,
    describe_score,
    format_difference,
    format_interval,
    format_score,
    format_score_and_interval,
)

__all__ = [
    "MAX_CLASSES",
    "METRICS",
    "MIN_PROBABILITY",
    "NUM_BINS",
    "UNKNOWN_PATIENTS",
    "Difference",
    "Fit",
    "FittedTransform",
    "Metric",
    "OofPredictions",
    "OofScore",
    "aggregate",
    "aggregate_predictions",
    "auc",
    "bin_of_confidence",
    "bootstrap_interval",
    "chain_fits",
    "chance_score",
    "cross_fit",
    "decide",
    "describe_score",
    "format_difference",
    "format_interval",
    "format_score",
    "format_score_and_interval",
    "label_means",
    "metric",
    "metric_input",
    "metric_of",
    "metric_title",
    "oof_by_unit",
    "oof_score",
    "paired_difference",
    "post_processing_of",
    "scores_of_resamples",
    "targets_as_columns",
    "targets_of_units",
    "temperature_calibration",
    "to_classes",
    "to_labels",
    "to_logits",
    "to_probabilities",
    "transform_step",
]
