"""Thresholds, cut points, class factors and sharpening, compared with exhaustive searches."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import cohen_kappa_score, fbeta_score

from medfold.scoring import METRICS, metric_of, thresholds, to_classes
from tests.support.helpers import competition_facts


def rare_labels(n=600, seed=0, columns=1):
    rng = np.random.default_rng(seed)
    targets = (rng.random((n, columns)) < 0.1).astype(int)
    return expit(rng.normal(2 * targets - 3.5, 1)), targets


def grades(n=500, seed=0):
    rng = np.random.default_rng(seed)
    targets = rng.choice(5, n, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    centre = 0.6 * targets + rng.normal(0, 0.5, n)  # shrunk towards 0: 0.5, 1.5, ... are the wrong cuts
    return softmax(-((centre[:, None] - np.arange(5)) ** 2) / 0.5, axis=1), targets


@pytest.mark.parametrize("name", ["macro_f1", "accuracy", "balanced_accuracy"])
@pytest.mark.parametrize("seed", range(5))
def test_binary_threshold_is_optimal(name, seed):
    predictions, targets = rare_labels(200, seed)
    metric, targets = METRICS[name], targets[:, 0]
    found = thresholds.fit_thresholds(predictions, targets, metric)
    reached = metric(targets, found.apply(predictions)[:, 0])
    all_scores = [metric(targets, (predictions[:, 0] > cut).astype(float)) for cut in [0.5, *predictions[:, 0]]]
    assert reached == pytest.approx(max(all_scores), abs=1e-12)


@pytest.mark.slow
def test_each_label_threshold_maximises_its_f1():
    predictions, targets = rare_labels(300, columns=3)
    found = thresholds.fit_thresholds(predictions, targets, METRICS["macro_f1"])
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
    found = thresholds.fit_thresholds(predictions, targets, METRICS["macro_f1"])
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
        found[beta] = thresholds.fit_thresholds(predictions, targets, metric)
        decided = found[beta].apply(predictions) > 0.5
        for label in range(2):
            truth, label_predictions = targets[:, label], predictions[:, label]
            best = max(fbeta_score(truth, label_predictions > cut, beta=beta) for cut in label_predictions)
            assert fbeta_score(truth, decided[:, label], beta=beta) == pytest.approx(best, abs=1e-12)
    assert (np.array(found[2].parameters["thresholds"]) < found[0.5].parameters["thresholds"]).all()


def test_threshold_is_mapped_to_one_half_keeping_order():
    predictions, targets = rare_labels()
    found = thresholds.fit_thresholds(predictions, targets[:, 0], METRICS["macro_f1"])
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
    found = thresholds.fit_thresholds(np.array(predictions), np.array(targets), METRICS["accuracy"])
    assert found.parameters["thresholds"] == pytest.approx([threshold])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_cut_points_reach_kappa_of_grid_search(seed):
    predictions, targets = grades(120, seed)
    predictions = np.stack([predictions[:, 0], predictions[:, 1], predictions[:, 2:].sum(axis=1)], axis=1)
    targets = np.minimum(targets, 2)
    found = thresholds.fit_cut_points(predictions, targets)
    expected = predictions @ np.arange(3)
    cuts = np.quantile(expected, np.linspace(0.01, 0.99, 60))
    pairs = [[low, high] for low in cuts for high in cuts[cuts > low]]
    decisions = np.unique([np.digitize(expected, pair) for pair in pairs], axis=0)
    best = max(cohen_kappa_score(targets, each, weights="quadratic", labels=range(3)) for each in decisions)
    assert METRICS["qwk"](targets, found.apply(predictions)) >= best - 0.01


def test_cut_points_are_sorted_and_improve_kappa():
    predictions, targets = grades()
    found = thresholds.fit_cut_points(predictions, targets)
    cuts = found.parameters["cut points"]
    assert cuts == sorted(cuts)
    decided = found.apply(predictions)
    np.testing.assert_array_equal(to_classes(decided), np.digitize(predictions @ np.arange(5), cuts))
    kappa = METRICS["qwk"]
    plain = np.eye(5)[np.digitize(predictions @ np.arange(5), [0.5, 1.5, 2.5, 3.5])]
    assert kappa(targets, decided) > kappa(targets, plain) + 0.02


def test_cut_points_maximise_scikit_learn_kappa():
    predictions, targets = grades(60)
    reached = METRICS["qwk"](targets, thresholds.fit_cut_points(predictions, targets).apply(predictions))
    rng = np.random.default_rng(0)
    for _ in range(200):
        cuts = np.sort(rng.uniform(0, 4, 4))
        decided = np.digitize(predictions @ np.arange(5), cuts)
        assert cohen_kappa_score(targets, decided, weights="quadratic", labels=range(5)) <= reached + 0.03


def test_class_factors_improve_balanced_accuracy():
    predictions, targets = grades()
    prior = np.array([0.5, 0.2, 0.15, 0.1, 0.05])
    skewed = predictions * prior
    skewed = skewed / skewed.sum(axis=1, keepdims=True)
    metric = METRICS["balanced_accuracy"]
    found = thresholds.fit_class_factors(skewed, targets, metric)
    assert metric(targets, found.apply(skewed)) > metric(targets, skewed) + 0.02
    np.testing.assert_allclose(found.apply(skewed).sum(axis=1), 1)


def test_sharpening_improves_pf1():
    for seed in range(5):
        predictions, targets = rare_labels(400, seed)
        targets = targets[:, 0]
        found = thresholds.fit_sharpening(predictions, targets, METRICS["pf1"])
        before, after = (METRICS["pf1"](targets, each[:, 0]) for each in (predictions, found.apply(predictions)))
        assert after > before + 0.05
        hard = max(METRICS["pf1"](targets, (predictions[:, 0] > cut).astype(float)) for cut in predictions[:, 0])
        assert after > hard - 0.03


def test_classes_that_are_decided_rightly_keep_their_factors():
    targets = np.array([0, 1, 2])
    fitted = thresholds.fit_class_factors(0.1 + 0.7 * np.eye(3), targets, METRICS["accuracy"])
    assert fitted.parameters["factors"] == [1, 1, 1]


def test_expected_grade_at_a_cut_point_belongs_to_the_higher_grade():
    decided = thresholds.apply_cut_points(np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]), np.array([0.5, 1.5]))
    np.testing.assert_array_equal(decided, np.eye(3)[[1, 2]])
