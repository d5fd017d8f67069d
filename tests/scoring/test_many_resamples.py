"""Scores of all resamples at once, compared with the metrics on the drawn rows."""

import numpy as np
import pytest

from medfold.scoring import METRICS, bootstrap, many_resamples
from medfold.scoring.bootstrap import MIN_COLUMNS, scores_of_resamples

TASKS = ("multiclass", "multilabel")
CASES = [
    (metric.name, task) for task in TASKS for metric in METRICS.all() if metric.of_resamples and task in metric.tasks
]


def drawn(task, num_rows=300, num_columns=MIN_COLUMNS, share=0.1):
    """Returns targets and predictions with ties; each label or class has several rows, some labels most rows."""
    rng = np.random.default_rng(0)
    predictions = rng.integers(1, 20, (num_rows, num_columns)) / 20
    if task == "multilabel":
        shares = np.where(np.arange(num_columns) % 10 == 0, 0.9, share)
        return (rng.random((num_rows, num_columns)) < shares).astype(int), predictions
    targets = np.arange(num_rows) % num_columns
    predictions[np.arange(num_rows), targets] += rng.integers(0, 2, num_rows)
    return targets, predictions / predictions.sum(axis=1, keepdims=True)


def metric_with_settings(name):
    """Returns a metric, with weights and beta as `metric_of` adds them."""
    found = METRICS[name]
    if found.uses_weights:
        return found.with_settings(weights=np.array([[1, 2], [3, 1]] * (MIN_COLUMNS // 2)))
    return found.with_settings(beta=2.0) if found.uses_beta else found


@pytest.mark.parametrize(("name", "task"), CASES)
def test_scores_are_those_of_the_metric_on_the_drawn_rows(name, task, monkeypatch):
    monkeypatch.setattr(many_resamples, "COLUMNS_AT_ONCE", 33)
    monkeypatch.setattr(bootstrap, "MAX_COUNTS", 300 * 7)  # seven resamples at once
    targets, predictions = drawn(task)
    metric, groups = metric_with_settings(name), np.arange(len(targets)) // 2
    rows = list(bootstrap.resampled_rows(groups, 30))
    values = scores_of_resamples(metric, targets, predictions, rows, len(rows))
    expected = np.array([metric(targets[each], predictions[each]) for each in rows])
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    assert not np.isnan(values).all()
    assert np.isnan(values).any() == (name == "mean_auc" and task == "multiclass")  # a class may not be drawn


def test_every_metric_of_many_columns_is_scored_at_once():
    assert not [metric.name for metric in METRICS.all() if {*TASKS} & {*metric.tasks} and not metric.of_resamples]


@pytest.mark.parametrize(("name", "task"), CASES)
def test_interval_and_difference_are_those_of_resample_by_resample(name, task, monkeypatch):
    targets, predictions = drawn(task)
    others = np.roll(predictions, 1, axis=1) + predictions
    metric, groups = metric_with_settings(name), np.arange(len(targets))
    others /= others.sum(axis=1, keepdims=True) if task == "multiclass" else 2

    def results():
        interval = bootstrap.bootstrap_interval(metric, targets, predictions, groups, 30)
        difference = bootstrap.paired_difference(metric, targets, predictions, others, groups, 30)
        return [*interval, difference.value, difference.low, difference.high, difference.probability]

    at_once = results()
    monkeypatch.setattr(bootstrap, "MIN_COLUMNS", 10**6)
    assert results() == pytest.approx(at_once, rel=1e-11, nan_ok=True)
    assert np.isnan(at_once).any() == (name == "mean_auc" and task == "multiclass")


def test_equal_predictions_are_ties():
    targets, predictions = drawn("multilabel")
    found = bootstrap.paired_difference(
        METRICS["ece"], targets, predictions, predictions.copy(), np.arange(len(targets)), 30
    )
    assert (found.value, found.low, found.high, found.probability) == (0, 0, 0, 0.5)
