"""Scores of all resamples at once, compared with the metrics on the drawn rows."""

import numpy as np
import pytest

from medfold.scoring import bootstrap
from medfold.scoring.many_resamples import MIN_COLUMNS, SCORES_OF_RESAMPLES
from medfold.scoring.metric import METRICS


def drawn(task, num_rows=300, num_columns=MIN_COLUMNS, share=0.1):
    """Returns targets and predictions with ties; each label or class has several rows."""
    rng = np.random.default_rng(0)
    predictions = rng.integers(1, 20, (num_rows, num_columns)) / 20
    if task == "multilabel":
        return (rng.random((num_rows, num_columns)) < share).astype(int), predictions
    return np.arange(num_rows) % num_columns, predictions / predictions.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
@pytest.mark.parametrize("name", SCORES_OF_RESAMPLES)
def test_scores_are_those_of_the_metric_on_the_drawn_rows(name, task):
    targets, predictions = drawn(task)
    groups = np.arange(len(targets)) // 2
    rows = list(bootstrap._resampled_rows(groups, 30))
    counts = np.array([np.bincount(each, minlength=len(targets)) for each in rows], np.float64)
    values = SCORES_OF_RESAMPLES[name](targets, predictions, counts)
    expected = np.array([METRICS[name](targets[each], predictions[each]) for each in rows])
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    assert not np.isnan(values).all()
    assert np.isnan(values).any() == (name == "mean_auc" and task == "multiclass")  # a class may not be drawn


@pytest.mark.parametrize("name", SCORES_OF_RESAMPLES)
def test_interval_is_the_one_of_resample_by_resample(name, monkeypatch):
    targets, predictions = drawn("multilabel")
    groups = np.arange(len(targets))
    at_once = bootstrap.bootstrap_interval(METRICS[name], targets, predictions, groups, 30)
    monkeypatch.setattr(bootstrap, "MIN_COLUMNS", 10**6)
    assert bootstrap.bootstrap_interval(METRICS[name], targets, predictions, groups, 30) == pytest.approx(
        at_once, rel=1e-12
    )
    assert not np.isnan(at_once).any()
