"""Cross-fitting of transforms, chained fits, and fitted transforms in files."""

import numpy as np
import pytest

from medfold.scoring.cross_fitting import FittedTransform, chain_fits, cross_fit, transform_step
from tests.support.helpers import refused


@transform_step
def plus(predictions, number):
    return predictions + number


@transform_step
def times(predictions, number):
    return predictions * number


@transform_step
def summed(predictions):
    return predictions.sum(axis=0)


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


def test_fitted_transform_round_trips_through_file(tmp_path):
    fitted = FittedTransform([("summed", {}), ("times", {"number": np.array([0.1, 1 / 3])}), ("plus", {"number": 7})])
    fitted.save(tmp_path / "a.npz")
    fitted.save(tmp_path / "b.npz")
    given = np.random.default_rng(0).random((3, 5, 2))
    np.testing.assert_array_equal(
        FittedTransform.load(tmp_path / "a.npz").apply(given), given.sum(axis=0) * [0.1, 1 / 3] + 7
    )
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"steps": np.array("no JSON")},
        {"steps": np.array('{"a": 1}')},
        {"steps": np.array("[1]")},
        {"steps": np.array('["a"]'), "1 b": np.array(0)},
        {"steps": np.array('["a"]'), "x b": np.array(0)},
        {"steps": np.array('["a"]'), "0 b": np.array([None])},
    ],
)
def test_file_of_another_form_is_refused(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    with refused("a.npz: damaged, or not what medfold wrote. Restore it from a backup, or remove it"):
        FittedTransform.load(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"", b"PK", b"text", b"\x93NUMPY"])
def test_file_that_is_no_archive_of_arrays_is_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with refused("a.npz: damaged, or not what medfold wrote"):
        FittedTransform.load(tmp_path / "a.npz")
