"""Cut points, compared with searches on a grid."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from medfold.scoring import METRICS, to_classes
from medfold.scoring.cut_points import apply_cut_points, fit_cut_points
from tests.support.fitted_tasks import grades


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_cut_points_reach_kappa_of_grid_search(seed):
    predictions, targets = grades(120, seed)
    predictions = np.stack([predictions[:, 0], predictions[:, 1], predictions[:, 2:].sum(axis=1)], axis=1)
    targets = np.minimum(targets, 2)
    found = fit_cut_points(predictions, targets)
    expected = predictions @ np.arange(3)
    cuts = np.quantile(expected, np.linspace(0.01, 0.99, 60))
    pairs = [[low, high] for low in cuts for high in cuts[cuts > low]]
    decisions = np.unique([np.digitize(expected, pair) for pair in pairs], axis=0)
    best = max(cohen_kappa_score(targets, each, weights="quadratic", labels=range(3)) for each in decisions)
    assert METRICS["qwk"](targets, found.apply(predictions)) >= best - 0.01


def test_cut_points_are_sorted_and_improve_kappa():
    predictions, targets = grades()
    found = fit_cut_points(predictions, targets)
    cuts = found.parameters["cut points"]
    assert cuts == sorted(cuts)
    decided = found.apply(predictions)
    np.testing.assert_array_equal(to_classes(decided), np.digitize(predictions @ np.arange(5), cuts))
    kappa = METRICS["qwk"]
    plain = np.eye(5)[np.digitize(predictions @ np.arange(5), [0.5, 1.5, 2.5, 3.5])]
    assert kappa(targets, decided) > kappa(targets, plain) + 0.02


def test_cut_points_maximise_scikit_learn_kappa():
    predictions, targets = grades(60)
    reached = METRICS["qwk"](targets, fit_cut_points(predictions, targets).apply(predictions))
    rng = np.random.default_rng(0)
    for _ in range(200):
        cuts = np.sort(rng.uniform(0, 4, 4))
        decided = np.digitize(predictions @ np.arange(5), cuts)
        assert cohen_kappa_score(targets, decided, weights="quadratic", labels=range(5)) <= reached + 0.03


def test_expected_grade_at_a_cut_point_belongs_to_the_higher_grade():
    decided = apply_cut_points(np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]), np.array([0.5, 1.5]))
    np.testing.assert_array_equal(decided, np.eye(3)[[1, 2]])
