"""The post-processing that suits a metric."""

import numpy as np
import pytest

from medfold.scoring import metric_of
from medfold.scoring.post_processing import post_processing_of, temperature_calibration
from tests.support.helpers import competition_facts


@pytest.mark.parametrize(
    ("task", "metric", "title"),
    [
        ("binary", "auc", None),
        ("binary", "accuracy", "thresholds"),
        ("multiclass", "accuracy", "class factors"),
        ("multilabel", "macro_f1", "thresholds"),
        ("ordinal", "qwk", "cut points"),
        ("binary", "pf1", "sharpening"),
        ("binary", "log_loss", "temperature"),
        ("binary", "ece", "temperature"),
    ],
)
def test_post_processing_follows_from_the_metric(task, metric, title):
    facts = competition_facts(task, score={"metric": metric})
    found = post_processing_of(facts, metric_of(facts))
    assert (found.title if found else None) == title


def test_only_temperature_leaves_probabilities():
    metrics = {"binary": ["pf1", "log_loss"], "ordinal": ["qwk"]}
    calibrating = []
    for task, names in metrics.items():
        for name in names:
            facts = competition_facts(task, score={"metric": name})
            if post_processing_of(facts, metric_of(facts)).calibrates:
                calibrating.append(name)
    assert calibrating == ["log_loss"]


def test_temperature_lowers_the_log_loss_of_overconfident_predictions():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 200)
    overconfident = np.where(rng.random(200) < 0.8, targets, 1 - targets)[:, None] * 0.98 + 0.01
    loss = metric_of(competition_facts(score={"metric": "log_loss"}))
    scaled = temperature_calibration().fit(overconfident, targets).apply(overconfident)
    assert loss(targets, scaled) < loss(targets, overconfident) - 0.1
