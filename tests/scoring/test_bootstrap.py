"""Bootstrap intervals of a score, and of the difference of two scores, compared with SciPy."""

import numpy as np
import pytest
from scipy import stats

from medfold.scoring import METRICS, Metric
from medfold.scoring.bootstrap import bootstrap_interval, paired_difference


def scores(n=300, seed=0):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, n)
    return targets, rng.normal(targets, 1.2)


@pytest.mark.parametrize("name", ["auc", "accuracy"])
def test_ungrouped_intervals_agree_with_scipy(name):
    targets, predictions = scores()
    metric = METRICS[name]
    low, high = bootstrap_interval(metric, targets, predictions, np.arange(300), num_resamples=10_000)
    reference = stats.bootstrap(
        (targets, predictions),
        lambda resampled_targets, resampled: metric(resampled_targets, resampled),
        paired=True,
        vectorized=False,
        n_resamples=10_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert (low, high) == pytest.approx((reference.low, reference.high), abs=0.01)


def test_interval_holds_the_middle_95_percent_of_the_resamples():
    values = np.random.default_rng(0).permutation(1001) + 0.0
    scored = iter(values)
    metric = Metric("x", "x", lambda targets, predictions: next(scored))
    rows = np.arange(20)
    assert bootstrap_interval(metric, rows % 2, rows + 0.0, rows, num_resamples=1001) == pytest.approx((25, 975))


def test_resampling_draws_whole_groups():
    targets, _ = scores()
    seen = []

    def record_groups(targets, groups):
        seen.append(np.unique(groups, return_counts=True)[1])
        return 0.0

    groups = np.repeat(np.arange(100), 3)
    predictions = np.repeat(np.arange(100), 3) + 0.0
    bootstrap_interval(Metric("x", "x", record_groups), targets, predictions, groups, num_resamples=20)
    assert all((counts % 3 == 0).all() and counts.sum() == 300 for counts in seen)


def test_repeated_images_do_not_narrow_the_interval():
    targets, predictions = scores(100)
    plain = bootstrap_interval(METRICS["auc"], targets, predictions, np.arange(100))
    tripled = bootstrap_interval(
        METRICS["auc"], np.repeat(targets, 3), np.repeat(predictions, 3), np.repeat(np.arange(100), 3)
    )
    assert tripled == pytest.approx(plain, abs=1e-12)


def test_interval_depends_on_the_seed():
    targets, predictions = scores()
    one, same, other = (
        bootstrap_interval(METRICS["auc"], targets, predictions, np.arange(300), 50, seed=chosen_seed)
        for chosen_seed in (1, 1, 2)
    )
    assert one == same != other


def test_interval_of_undefined_metric_is_nan():
    low, high = bootstrap_interval(METRICS["auc"], np.ones(10, int), np.linspace(0, 1, 10), np.arange(10), 50)
    assert np.isnan(low)
    assert np.isnan(high)


def two_predictions(n=300, seed=0):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, n)
    return targets, rng.normal(2 * targets, 1.2), rng.normal(targets, 1.2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["auc", "accuracy"])
def test_paired_difference_agrees_with_scipy(name):
    targets, ours, theirs = two_predictions()
    metric = METRICS[name]
    found = paired_difference(metric, targets, ours, theirs, np.arange(300), num_resamples=10_000)
    reference = stats.bootstrap(
        (targets, ours, theirs),
        lambda t, a, b: metric(t, a) - metric(t, b),
        paired=True,
        vectorized=False,
        n_resamples=10_000,
        method="percentile",
        rng=np.random.default_rng(1),
    )
    interval = reference.confidence_interval
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.01)
    above = np.mean(reference.bootstrap_distribution > 0) + 0.5 * np.mean(reference.bootstrap_distribution == 0)
    assert found.probability == pytest.approx(above, abs=0.02)
    assert found.value == pytest.approx(metric(targets, ours) - metric(targets, theirs), abs=1e-12)


def test_paired_difference_is_narrower_than_single_interval():
    targets, ours, _ = two_predictions()
    found = paired_difference(METRICS["auc"], targets, ours, ours + 1e-3 * np.arange(300), np.arange(300))
    alone = bootstrap_interval(METRICS["auc"], targets, ours, np.arange(300))
    assert found.high - found.low < 0.2 * (alone[1] - alone[0])


def test_paired_difference_is_positive_for_lower_loss():
    targets, ours, theirs = two_predictions()
    ours, theirs = (1 / (1 + np.exp(-each)) for each in (ours - 1, theirs * 0 + 0.5))
    found = paired_difference(METRICS["log_loss"], targets, ours, theirs, np.arange(300), num_resamples=200)
    assert 0 < found.low < found.value < found.high
    assert found.probability == 1


def test_repeated_images_do_not_narrow_the_paired_difference():
    targets, ours, theirs = two_predictions(100)
    rows = np.arange(100)
    plain = paired_difference(METRICS["auc"], targets, ours, theirs, rows)
    tripled = paired_difference(METRICS["auc"], *(np.repeat(each, 3) for each in (targets, ours, theirs, rows)))
    assert (tripled.low, tripled.high) == pytest.approx((plain.low, plain.high), abs=1e-12)


def test_undefined_paired_difference_is_nan():
    found = paired_difference(
        METRICS["auc"], np.ones(10, int), np.arange(10.0), np.arange(10.0)[::-1], np.arange(10), num_resamples=50
    )
    assert np.isnan([found.value, found.low, found.high, found.probability]).all()


@pytest.mark.parametrize(("num_defined", "is_defined"), [(5, False), (6, True)])
def test_interval_needs_a_defined_score_in_more_than_a_tenth_of_the_resamples(num_defined, is_defined):
    scores = iter([0.5] * num_defined + [float("nan")] * (50 - num_defined))
    ten = np.arange(10)
    low, high = bootstrap_interval(lambda targets, predictions: next(scores), ten, ten, ten, num_resamples=50)
    assert (low == high == 0.5) is is_defined
    assert np.isnan([low, high]).tolist() == [not is_defined] * 2
