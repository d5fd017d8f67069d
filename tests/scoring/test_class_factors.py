"""Class factors."""

import numpy as np

from medfold.scoring import METRICS
from medfold.scoring.class_factors import fit_class_factors
from tests.support.fitted_tasks import grades


def test_class_factors_improve_balanced_accuracy():
    predictions, targets = grades()
    prior = np.array([0.5, 0.2, 0.15, 0.1, 0.05])
    skewed = predictions * prior
    skewed = skewed / skewed.sum(axis=1, keepdims=True)
    metric = METRICS["balanced_accuracy"]
    found = fit_class_factors(skewed, targets, metric)
    assert metric(targets, found.apply(skewed)) > metric(targets, skewed) + 0.02
    np.testing.assert_allclose(found.apply(skewed).sum(axis=1), 1)


def test_classes_that_are_decided_rightly_keep_their_factors():
    targets = np.array([0, 1, 2])
    fitted = fit_class_factors(0.1 + 0.7 * np.eye(3), targets, METRICS["accuracy"])
    assert fitted.parameters["factors"] == [1, 1, 1]
