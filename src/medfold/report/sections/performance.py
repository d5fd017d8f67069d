"""Report section about performance, from out-of-fold predictions."""

from dataclasses import dataclass

import numpy as np

from medfold.competition import CompetitionFacts
from medfold.report import curves, plots
from medfold.report.curves import OperatingPoint
from medfold.report.drawing import ConfusionTable, Drawing
from medfold.report.names import isolate
from medfold.report.page import Section, percentage
from medfold.scoring import METRICS, OofPredictions, auc, format_score, targets_as_columns, to_classes

MAX_CURVES = 8  # classes or labels in one figure


@dataclass(frozen=True)
class ClassRanking:
    """How well the predictions of one class or label put its samples before the others.

    Args:
        name: name of the class or label.
        truth: int (n,), 1 for its samples, else 0.
        predictions: float (n,), its probability.
        auc: area under the ROC curve.
        average_precision: area under the curve of precision and recall.
    """

    name: str
    truth: np.ndarray
    predictions: np.ndarray
    auc: float
    average_precision: float


def performance_section(facts: CompetitionFacts, oof: OofPredictions, probabilities: OofPredictions) -> Section:
    """Shows ROC, precision and recall, operating points, calibration and confusion.

    Args:
        facts: facts of the competition (task, classes and metric).
        oof: the scored predictions, which may be decisions.
        probabilities: the probabilities from which decisions were made.
    """
    section = Section("performance", "Performance")
    targets, predictions = probabilities.targets, probabilities.predictions
    section.text("All figures are of out-of-fold predictions: each by a net that was not trained on the image.")
    truth = targets_as_columns(targets, predictions.shape[1])
    rankings = [
        ClassRanking(name, of_class, values, auc(of_class, values), curves.average_precision(of_class, values))
        for name, of_class, values in zip(facts.prediction_columns, truth.T, predictions.T, strict=True)
        if 0 < of_class.sum() < len(of_class)
    ]
    points = curves.operating_points(truth[:, 0], predictions[:, 0]) if facts.task == "binary" and rankings else []
    drawings = _curves(rankings[:MAX_CURVES], points) if rankings else []
    drawings += [_reliability(facts, targets, predictions), *_confusion(facts, oof, probabilities)]
    section.figures([drawing for drawing in drawings if drawing])
    if len(rankings) > 1:
        _show_rankings(section, rankings)
    if points:
        _show_operating_points(section, points)
    return section


def _show_rankings(section: Section, rankings: list[ClassRanking]) -> None:
    section.table(
        "By class or label",
        ["", "positive", "share", "AUC", "average precision"],
        [
            [
                ranking.name,
                f"{ranking.truth.sum():,}",
                f"{ranking.truth.mean():.1%}",
                format_score(ranking.auc),
                format_score(ranking.average_precision),
            ]
            for ranking in rankings
        ],
    )


def _show_operating_points(section: Section, points: list[OperatingPoint]) -> None:
    section.heading("Operating points")
    section.text(
        "The thresholds were chosen on these predictions: on other patients, expect slightly lower values. "
        "A prediction at or above the threshold counts as positive."
    )
    section.table(
        "Operating points",
        [
            "criterion",
            "threshold",
            "sensitivity",
            "specificity",
            "positive predictive value",
            "negative predictive value",
        ],
        [
            [
                p.criterion,
                f"{p.threshold:.4f}",
                *(f"{v:.1%}" for v in (p.sensitivity, p.specificity)),
                percentage(p.precision),
                percentage(p.negative_predictive_value),
            ]
            for p in points
        ],
    )


def _curves(rankings: list[ClassRanking], points: list[OperatingPoint]) -> list[Drawing]:
    roc = {ranking.name: curves.roc(ranking.truth, ranking.predictions) for ranking in rankings}
    pr = {ranking.name: curves.precision_recall(ranking.truth, ranking.predictions) for ranking in rankings}
    areas = {ranking.name: format_score(ranking.auc) for ranking in rankings}
    precisions = {ranking.name: format_score(ranking.average_precision) for ranking in rankings}
    auc_text = "; ".join(f"{isolate(name)}: AUC {value}" for name, value in areas.items())
    marks_text = " Circles: 90 and 95 % sensitivity and specificity." if points else ""
    marks = [plots.roc_points(points)] if points else ()
    return [
        Drawing(
            "roc",
            "ROC curve",
            f"Sensitivity against the false positive rate. {auc_text}.{marks_text}",
            *plots.curves(roc, "1 - specificity", "sensitivity", "roc", True, marks, areas),
        ),
        Drawing(
            "pr",
            "Precision and recall",
            "Precision: the share of predicted positives that are correct. Recall: the share of positives found. "
            + "; ".join(f"{isolate(name)}: average precision {value}" for name, value in precisions.items())
            + ".",
            *plots.curves(pr, "recall (sensitivity)", "precision", "pr", notes=precisions),
        ),
    ]


def _reliability(facts: CompetitionFacts, targets: np.ndarray, predictions: np.ndarray) -> Drawing:
    if facts.has_exclusive_classes:
        correct = to_classes(predictions) == targets
        parts = {"decided class": curves.reliability(correct, predictions.max(axis=1))}
    else:
        truth = targets_as_columns(targets, predictions.shape[1]) == 1
        parts = {
            name: curves.reliability(truth[:, column], predictions[:, column])
            for column, name in enumerate(facts.prediction_columns[:MAX_CURVES])
        }
    error = METRICS["ece"](targets, predictions)
    text = (
        f"Observed frequency against predicted probability; on the dotted line, predictions are calibrated. "
        f"Expected calibration error {error:.4f} (15 bins)."
    )
    return Drawing("calibration", "Calibration", text, *plots.reliability(parts, "calibration"))


def _confusion(facts: CompetitionFacts, oof: OofPredictions, probabilities: OofPredictions) -> list[Drawing]:
    if facts.task == "multilabel":
        return []
    targets, predictions = probabilities.targets, probabilities.predictions
    post_processed = not np.array_equal(to_classes(_single(oof)), to_classes(_single(probabilities)))
    counts = curves.confusion(targets, oof.predictions)
    accuracy = np.trace(counts) / max(counts.sum(), 1)
    rule = "the most probable class" if facts.has_exclusive_classes else "positive above one half"
    rule = "after post-processing" if post_processed else rule
    text = (
        f"Truth by row, decision ({rule}) by column; shaded by the share of the row. "
        f"{accuracy:.1%} of the decisions are correct."
    )
    table = ConfusionTable(counts, facts.class_names)
    drawings = [Drawing("confusion", "Confusion matrix", text, confusion=table, is_wide=table.is_wide)]
    if facts.task == "binary":
        parts = {
            facts.class_names[label]: predictions[targets == label, 0] for label in (0, 1) if (targets == label).any()
        }
        drawings.append(
            Drawing(
                "spread",
                "Distribution of the predictions",
                "Predictions for negatives and for positives, as shares: the less they overlap, the better.",
                *plots.histogram(parts, "prediction", "spread"),
            )
        )
    return drawings


def _single(oof: OofPredictions) -> np.ndarray:
    """Returns a binary task's predictions as one column (n,)."""
    return oof.predictions[:, 0] if oof.predictions.shape[1] == 1 else oof.predictions
