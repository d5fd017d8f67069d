"""Prediction without images: the mean of the labels, and the best score that a constant reaches by chance."""

import numpy as np

from medfold.competition import CompetitionFacts
from medfold.scoring.decisions import targets_as_columns
from medfold.scoring.metric_registry import metric_of

MAX_CONSTANT_CLASSES = 20  # with more classes, only the most frequent ones are tried as constant decisions


def label_means(facts: CompetitionFacts, targets: np.ndarray) -> np.ndarray:
    """Returns the mean of the training labels, float64 (columns,): the prediction for a unit without an image.

    Args:
        facts: facts of the competition (the prediction columns).
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
    """
    return targets_as_columns(targets, len(facts.prediction_columns)).mean(axis=0)


def chance_score(facts: CompetitionFacts, targets: np.ndarray, prior: np.ndarray) -> float:
    """Returns the best score of a predictor that uses no image; nan if it is undefined.

    It predicts the mean of the labels, or decides the same for all: one of the classes, of which the 20 most frequent
    ones are tried; else no label, or every label.

    Args:
        facts: facts of the competition (the metric and the task).
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        prior: float (columns,), the mean of the training labels.
    """
    metric = metric_of(facts)
    constants = [prior, *_constant_decisions(facts, targets)]
    scores = [metric(targets, np.tile(row, (len(targets), 1))) for row in constants]
    defined = [metric.sign * score for score in scores if np.isfinite(score)]
    return metric.sign * max(defined) if defined else float("nan")


def _constant_decisions(facts: CompetitionFacts, targets: np.ndarray) -> np.ndarray:
    """Returns decisions that need no image, float64 (decisions, columns): frequent classes; else no or every label."""
    num_columns = len(facts.prediction_columns)
    if facts.has_exclusive_classes:
        by_frequency = np.argsort(-np.bincount(targets, minlength=num_columns), kind="stable")
        return targets_as_columns(by_frequency[:MAX_CONSTANT_CLASSES], num_columns).astype(np.float64)
    return np.array([np.zeros(num_columns), np.ones(num_columns)])
