"""A metric with the settings of a competition."""

import pickle

import numpy as np
import pytest

from medfold.scoring.metric_registry import metric_input, metric_of, metric_title
from tests.support.helpers import competition_facts, refused

EXACT = {"abs": 1e-9, "rel": 0, "nan_ok": True}


def weighted(weights, metric="weighted_log_loss", **more):
    return {"metric": metric, "weights": weights, **more}


def test_competition_weights_are_assigned_by_label():
    names = ["patient_overall", *(f"C{n}" for n in range(1, 8))]
    weights = {"patient_overall": (7, 14)} | {f"C{n}": (1, 2) for n in range(1, 8)}
    facts = competition_facts("multilabel", labels={"targets": names}, score=weighted(weights))
    targets, p = np.zeros((1, 8), int), np.full((1, 8), 0.5)
    targets[0, 0], p[0, 0] = 1, 0.25
    expected = (14 * np.log(4) + 7 * np.log(2)) / (14 + 7)
    assert metric_of(facts)(targets, p) == pytest.approx(expected, **EXACT)
    assert metric_of(facts).sign == -1
    assert pickle.loads(pickle.dumps(metric_of(facts)))(targets, p) == pytest.approx(expected, **EXACT)


def test_labels_without_weight_default_to_one():
    facts = competition_facts(
        "multilabel", score=weighted({"b": 3}, metric="mean_auc", more_metrics=["weighted_log_loss"])
    )
    p = np.array([[0.5, 0.25]])
    loss = metric_of(facts, "weighted_log_loss")(np.array([[1, 1]]), p)
    assert loss == pytest.approx((np.log(2) + 3 * np.log(4)) / 4, **EXACT)
    assert metric_of(facts).name == "mean_auc"


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ({"metric": "mean_auc", "weights": {"a": 2}}, "score.weights: metric mean_auc takes no weights"),
        ({"metric": "weighted_log_loss"}, "score.weights: metric weighted_log_loss needs weights"),
        (weighted({"b": 0}), "received 0.0 for 'b'"),
        (weighted({"a": [1, -1]}), "received .1.0, -1.0. for 'a'"),
        ({"metric": "auc"}, "auc is not defined for task multilabel"),
        ({"metric": "mean_acu"}, "unknown metric 'mean_acu' .did you mean 'mean_auc'"),
    ],
)
def test_metric_unfit_for_competition_is_refused(score, message):
    with refused(message):
        metric_of(competition_facts("multilabel", score=score))


def test_metric_has_sign_and_rejects_other_tasks():
    assert metric_of(competition_facts("binary")).sign == 1
    assert metric_of(competition_facts("multilabel"), "log_loss").sign == -1
    with refused("unknown metric 'acuracy' .did you mean 'accuracy'"):
        metric_of(competition_facts("binary"), "acuracy")
    with refused("auc is not defined for task ordinal"):
        metric_of(competition_facts("ordinal"), "auc")


@pytest.mark.parametrize(
    ("main", "metrics_of_decisions"),
    [
        ("qwk", {"qwk", "accuracy", "macro_f1"}),
        ("mean_auc", {"mean_auc"}),
        ("log_loss", {"log_loss"}),
    ],
)
def test_metric_input_is_decisions_or_probabilities_as_needed(main, metrics_of_decisions):
    """Cut points turn probabilities into one-hot decisions, from which AUC and log loss cannot be computed."""
    facts = competition_facts("ordinal", score={"metric": main})
    probable = np.array([[0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    written = np.eye(3)[[1, 1]]
    for name in ("qwk", "accuracy", "macro_f1", "mean_auc", "log_loss", "ece"):
        seen = metric_input(facts, name, written, probable)
        assert (seen is written) == (name in metrics_of_decisions)


def test_metric_title_contains_beta():
    assert metric_title(competition_facts(score={"metric": "fbeta", "beta": 2}), "fbeta") == "F2"
    assert metric_title(competition_facts(), "auc") == "AUC"
