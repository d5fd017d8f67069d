"""Thresholds, compared with exhaustive searches."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import fbeta_score

from medfold.scoring import METRICS, metric_of
from medfold.scoring.thresholds import fit_thresholds
from tests.support.fitted_tasks import rare_labels
from tests.support.helpers import competition_facts


@pytest.mark.parametrize("name", ["macro_f1", "accuracy", "balanced_accuracy"])
@pytest.mark.parametrize("seed", range(5))
def test_binary_threshold_is_optimal(name, seed):
    predictions, targets = rare_labels(200, seed)
    metric, targets = METRICS[name], targets[:, 0]
    found = fit_thresholds(predictions, targets, metric)
    reached = metric(targets, found.apply(predictions)[:, 0])
    all_scores = [metric(targets, (predictions[:, 0] > cut).astype(float)) for cut in [0.5, *predictions[:, 0]]]
    assert reached == pytest.approx(max(all_scores), abs=1e-12)


@pytest.mark.slow
def test_each_label_threshold_maximises_its_f1():
    predictions, targets = rare_labels(300, columns=3)
    found = fit_thresholds(predictions, targets, METRICS["macro_f1"])
    decided = found.apply(predictions) > 0.5
    for label in range(3):
        reached = fbeta_score(targets[:, label], decided[:, label], beta=1)
        all_scores = [
            fbeta_score(targets[:, label], predictions[:, label] > cut, beta=1) for cut in predictions[:, label]
        ]
        assert reached == pytest.approx(max(all_scores), abs=1e-12)
    assert METRICS["macro_f1"](targets, found.apply(predictions)) > METRICS["macro_f1"](targets, predictions) + 0.1


def test_rare_class_threshold_is_optimal():
    rng = np.random.default_rng(0)
    targets = (np.arange(20_000) < 15).astype(int)
    predictions = expit(rng.normal(8 * targets - 6, 1))[:, None]
    found = fit_thresholds(predictions, targets, METRICS["macro_f1"])
    reached = METRICS["macro_f1"](targets, found.apply(predictions)[:, 0])
    top = np.sort(predictions[:, 0])[-200:]
    assert reached == pytest.approx(
        max(METRICS["macro_f1"](targets, (predictions[:, 0] > cut).astype(float)) for cut in top), abs=1e-12
    )


@pytest.mark.slow
def test_thresholds_fall_with_beta():
    predictions, targets = rare_labels(300, columns=2)
    found = {}
    for beta in (0.5, 2):
        metric = metric_of(competition_facts("multilabel", score={"metric": "fbeta", "beta": beta}))
        found[beta] = fit_thresholds(predictions, targets, metric)
        decided = found[beta].apply(predictions) > 0.5
        for label in range(2):
            truth, label_predictions = targets[:, label], predictions[:, label]
            best = max(fbeta_score(truth, label_predictions > cut, beta=beta) for cut in label_predictions)
            assert fbeta_score(truth, decided[:, label], beta=beta) == pytest.approx(best, abs=1e-12)
    assert (np.array(found[2].parameters["thresholds"]) < found[0.5].parameters["thresholds"]).all()


def test_threshold_is_mapped_to_one_half_keeping_order():
    predictions, targets = rare_labels()
    found = fit_thresholds(predictions, targets[:, 0], METRICS["macro_f1"])
    (threshold,) = found.parameters["thresholds"]
    moved = found.apply(np.array([[0.0], [threshold], [1.0]]))
    np.testing.assert_allclose(moved[:, 0], [0, 0.5, 1])
    order = np.argsort(predictions[:, 0], kind="stable")
    assert (np.diff(found.apply(predictions)[order, 0]) >= 0).all()
    np.testing.assert_array_equal(found.apply(predictions) > 0.5, predictions > threshold)


@pytest.mark.parametrize(
    ("predictions", "targets", "threshold"),
    [
        ([[0.1], [0.2], [0.8], [0.9]], [0, 0, 1, 1], 0.5),
        ([[0.1], [0.2], [0.3], [0.4]], [0, 1, 0, 1], 0.35),  # 0.15 decides as many rightly
    ],
)
def test_tied_threshold_nearest_one_half_is_chosen(predictions, targets, threshold):
    found = fit_thresholds(np.array(predictions), np.array(targets), METRICS["accuracy"])
    assert found.parameters["thresholds"] == pytest.approx([threshold])
