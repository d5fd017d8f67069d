"""Cross-fitting of transforms, chained fits, and fitted transforms in files."""

import numpy as np
import pytest

from medfold.scoring.cross_fitting import chain_fits, cross_fit
from medfold.scoring.fitted_transform import FittedTransform
from tests.support.transform_steps import plus, summed, times


def test_labels_of_a_fold_do_not_affect_its_predictions():
    rng = np.random.default_rng(0)
    predictions, targets, fold = rng.random((60, 1)), rng.integers(0, 2, 60), np.repeat(np.arange(3), 20)

    def fit(known, labels):
        mean = labels.mean()
        return FittedTransform.from_function(plus, number=mean)

    before = cross_fit(fit, predictions, targets, fold)
    flipped = np.where(fold == 1, 7, targets)
    after = cross_fit(fit, predictions, flipped, fold)
    np.testing.assert_array_equal(before[fold == 1], after[fold == 1])
    assert (before[fold != 1] != after[fold != 1]).all()


def test_each_fold_is_transformed_by_fit_on_others():
    fold = np.array([2, 0, 1, 0, 2])
    targets = np.array([1, 10, 100, 1000, 10000])

    def fit(known, labels):
        return FittedTransform([("times", {"number": 0}), ("plus", {"number": labels.sum()})])

    result = cross_fit(fit, np.ones((5, 1)), targets, fold)[:, 0]
    np.testing.assert_array_equal(result, [1110, 10101, 11011, 10101, 1110])


def test_cross_fit_accepts_stacked_members():
    stack = np.arange(24.0).reshape(3, 4, 2)
    result = cross_fit(
        lambda given, labels: FittedTransform.from_function(summed), stack, np.zeros(4), np.array([0, 1, 0, 1])
    )
    np.testing.assert_array_equal(result, stack.sum(axis=0))


def test_chained_fit_uses_output_of_the_first():
    seen = []

    def first(given, labels):
        return FittedTransform.from_function(plus, {"a": 1}, number=1)

    def second(given, labels):
        seen.append(given.copy())
        return FittedTransform.from_function(times, {"b": 2}, number=10)

    fitted = chain_fits(first, second)(np.zeros((2, 1)), np.zeros(2))
    np.testing.assert_array_equal(seen[0], np.ones((2, 1)))
    np.testing.assert_array_equal(fitted.apply(np.zeros((2, 1))), np.full((2, 1), 10))
    assert fitted.parameters == {"a": 1, "b": 2}


def test_cross_fit_of_one_fold_is_refused():
    with pytest.raises(ValueError, match="two folds"):
        cross_fit(lambda given, labels: FittedTransform([]), np.ones((3, 1)), np.zeros(3), np.zeros(3))
