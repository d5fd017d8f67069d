"""Curves, operating points, calibration bins and confusion, compared with scikit-learn and slow searches."""

import numpy as np
import pytest
from sklearn import metrics as sklearn

from medfold.report import curves
from medfold.scoring import METRICS


def drawn(seed: int, count: int = 150, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Draws labels, a third of them positive, and informative predictions; with ties, rounded to one decimal."""
    rng = np.random.default_rng(seed)
    truth = (np.arange(count) % 3 == 0).astype(np.int64)
    predictions = 1 / (1 + np.exp(-1.5 * truth - rng.standard_normal(count)))
    return truth, predictions.round(1) if ties else predictions


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_short_curves_match_scikit_learn(seed, ties):
    truth, predictions = drawn(seed, ties=ties)
    x, y, _ = sklearn.roc_curve(truth, predictions)
    ours = curves.roc(truth, predictions)
    np.testing.assert_allclose(ours.x, x, atol=1e-9)
    np.testing.assert_allclose(ours.y, y, atol=1e-9)
    precision, recall, _ = sklearn.precision_recall_curve(truth, predictions)
    ours = curves.precision_recall(truth, predictions)
    assert (ours.x[0], ours.x[-1]) == (0, 1)
    np.testing.assert_allclose(ours.x, recall[::-1], atol=1e-9)
    np.testing.assert_allclose(ours.y, precision[::-1], atol=1e-9)


@pytest.mark.parametrize("ties", [False, True])
def test_average_precision_is_the_sum_over_steps(ties):
    truth, predictions = drawn(4, ties=ties)
    precision, recall, _ = sklearn.precision_recall_curve(truth, predictions)
    steps = sum((recall[k] - recall[k + 1]) * precision[k] for k in range(len(recall) - 1))
    assert curves.average_precision(truth, predictions) == pytest.approx(steps, abs=1e-9)


@pytest.mark.parametrize("kind", ["roc", "precision_recall"])
@pytest.mark.parametrize("seed", range(3))
def test_long_curves_are_thinned_within_tolerance(kind, seed):
    truth, predictions = drawn(seed, 5000)
    if kind == "roc":
        x, y, _ = sklearn.roc_curve(truth, predictions)
    else:
        y, x, _ = (each[::-1] for each in sklearn.precision_recall_curve(truth, predictions))
    ours = getattr(curves, kind)(truth, predictions)
    assert len(x) > curves.MAX_POINTS >= len(ours.x) - 2
    assert len(ours.x) > curves.MAX_POINTS / 4
    points, kept = list(zip(x, y, strict=True)), list(zip(*ours, strict=True))
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert set(kept) <= set(points)
    assert (np.diff(ours.x) >= 0).all()
    assert np.trapezoid(ours.y, ours.x) == pytest.approx(np.trapezoid(y, x), abs=0.005)


def slow_operating_points(truth: np.ndarray, predictions: np.ndarray) -> dict[str, tuple[float, ...]]:
    """Searches all thresholds: criterion -> threshold, sensitivity, specificity, and both predictive values."""
    rows = []
    for threshold in np.unique(predictions):
        predicted_positive, positive = predictions >= threshold, truth == 1
        true_positives, false_positives = (predicted_positive & positive).sum(), (predicted_positive & ~positive).sum()
        false_negatives, true_negatives = (
            (~predicted_positive & positive).sum(),
            (~predicted_positive & ~positive).sum(),
        )
        negative = (
            true_negatives / (true_negatives + false_negatives) if true_negatives + false_negatives else float("nan")
        )
        rows.append(
            (
                threshold,
                true_positives / positive.sum(),
                true_negatives / (~positive).sum(),
                true_positives / (true_positives + false_positives),
                negative,
            )
        )
    found = {}
    for level in (0.90, 0.95):
        found[f"sensitivity {round(100 * level)}%"] = max(row for row in rows if row[1] >= level)
    for level in (0.90, 0.95):
        if reached := [row for row in rows if row[2] >= level]:
            found[f"specificity {round(100 * level)}%"] = min(reached)
    return found


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_operating_points_match_exhaustive_search(seed, ties):
    truth, predictions = drawn(seed, 97, ties)
    expected = slow_operating_points(truth, predictions)
    found = curves.operating_points(truth, predictions)
    assert [point.criterion for point in found] == list(expected)
    for point in found:
        np.testing.assert_allclose(point[1:], expected[point.criterion], atol=1e-9)


def test_unreachable_specificity_is_left_out():
    truth, predictions = np.array([0, 0, 0, 1, 1]), np.array([0.1, 0.2, 0.9, 0.5, 0.9])
    found = curves.operating_points(truth, predictions)
    assert [point.criterion for point in found] == ["sensitivity 90%", "sensitivity 95%"]
    assert {point.threshold for point in found} == {0.5}
    assert (found[0].specificity, found[0].precision, found[0].negative_predictive_value) == pytest.approx(
        (2 / 3, 2 / 3, 1)
    )


def test_negative_predictive_value_is_nan_without_predicted_negatives():
    found = curves.operating_points(np.array([0, 1]), np.array([0.5, 0.5]))
    assert [(point.sensitivity, point.specificity, point.precision) for point in found] == [(1, 0, 0.5)] * 2
    assert all(np.isnan(point.negative_predictive_value) for point in found)


@pytest.mark.parametrize("ties", [False, True])
def test_reliability_bins_give_calibration_error(ties):
    truth, predictions = drawn(6, 300, ties)
    predictions[:2] = 0, 1
    (x, y), count = curves.reliability(truth == 1, predictions)
    assert count.sum() == 300
    assert (count > 0).all()
    assert (np.diff(x) > 0).all()
    error = (count * np.abs(x - y)).sum() / count.sum()
    assert error == pytest.approx(METRICS["ece"](truth, predictions), abs=1e-9)


def test_multiclass_reliability_bins_give_calibration_error():
    rng = np.random.default_rng(0)
    targets, predictions = rng.integers(0, 4, 200), rng.dirichlet([0.5] * 4, 200)
    (x, y), count = curves.reliability(predictions.argmax(axis=1) == targets, predictions.max(axis=1))
    error = (count * np.abs(x - y)).sum() / count.sum()
    assert error == pytest.approx(METRICS["ece"](targets, predictions), abs=1e-9)


def test_confusion_matches_scikit_learn():
    truth, predictions = drawn(7, ties=True)
    assert (predictions == 0.5).any()
    expected = sklearn.confusion_matrix(truth, predictions > 0.5)
    np.testing.assert_array_equal(curves.confusion(truth, predictions[:, None]), expected)
    rng = np.random.default_rng(1)
    targets, predictions = rng.integers(0, 3, 200), rng.dirichlet([1] * 5, 200)
    expected = sklearn.confusion_matrix(targets, predictions.argmax(axis=1), labels=range(5))
    np.testing.assert_array_equal(curves.confusion(targets, predictions), expected)


def test_level_that_is_reached_exactly_counts():
    positives, negatives = np.arange(1, 11) / 10, np.arange(20) / 20
    truth = np.repeat([1, 0], [10, 20])
    by_name = {point.criterion: point for point in curves.operating_points(truth, np.append(positives, negatives))}
    assert (by_name["sensitivity 90%"].threshold, by_name["sensitivity 90%"].sensitivity) == (0.2, 0.9)
    assert (by_name["specificity 90%"].threshold, by_name["specificity 90%"].specificity) == (0.9, 0.9)
    assert (by_name["specificity 95%"].threshold, by_name["specificity 95%"].specificity) == (0.95, 0.95)
