"""The score that a constant prediction reaches by chance."""

import numpy as np
import pytest

from medfold.scoring.chance import chance_score, label_means
from tests.support.helpers import competition_facts


@pytest.mark.parametrize(
    ("task", "score", "targets", "prior", "expected"),
    [
        ("binary", {"metric": "auc"}, [0, 1, 1, 0], [0.5], 0.5),
        ("binary", {"metric": "accuracy"}, [0, 1, 1, 1], [0.2], 0.75),  # always class 1
        ("binary", {"metric": "fbeta", "beta": 2}, [0, 1, 0, 0], [0.25], 5 / 8),  # always class 1
        ("binary", {"metric": "log_loss"}, [0, 1, 0, 0], [0.25], -(np.log(0.25) + 3 * np.log(0.75)) / 4),
        ("multiclass", {"metric": "accuracy"}, [2, 2, 1, 0], [0.5, 0.3, 0.2], 0.5),
        ("ordinal", {"metric": "qwk"}, [2, 2, 1, 0], [0.2, 0.3, 0.5], 0.0),
        ("multilabel", {"metric": "macro_f1"}, [[1, 0], [1, 1]], [0.6, 0.4], (1 + 2 / 3) / 2),
    ],
)
def test_chance_score_is_best_constant_prediction(task, score, targets, prior, expected):
    found = chance_score(competition_facts(task, score=score), np.array(targets), np.array(prior))
    assert found == pytest.approx(expected)


def test_label_means_have_a_value_per_column():
    assert label_means(competition_facts(), np.array([0, 1, 1, 1])).tolist() == [0.75]
    assert label_means(competition_facts("multiclass"), np.array([0, 2, 2, 1])).tolist() == [0.25, 0.25, 0.5]


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "macro_f1", "log_loss"])
def test_of_many_classes_only_frequent_ones_can_be_best(metric, monkeypatch):
    facts = competition_facts("multiclass", score={"metric": metric}, classes=[f"c{k}" for k in range(40)])
    targets = np.random.default_rng(0).binomial(39, 0.7, 500)
    prior = label_means(facts, targets)
    found = chance_score(facts, targets, prior)
    monkeypatch.setattr("medfold.scoring.chance.MAX_CONSTANT_CLASSES", 40)
    assert found == chance_score(facts, targets, prior)
