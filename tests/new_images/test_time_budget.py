"""The time budget of a notebook: fewer views and folds if time is short."""

import pytest

from medfold.new_images.ensemble_predictor import PredictionLimit
from medfold.new_images.time_budget import TimeBudget


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def cost(limit):
    return limit.max_folds * limit.max_views


def predict_with_budget(
    seconds, images, reading, seconds_per_view, folds=5, views=8, batch=64, slowdown=lambda done: 1.0
):
    """Simulates predictions; returns the limits of the batches, and how many images and seconds they took."""
    clock = Clock()
    budget, done, limits = TimeBudget(seconds, images, PredictionLimit(folds, views), cost, clock), 0, []
    while done < images:
        count = min(batch, images - done)
        clock.now += reading * count
        limit = budget.next_limit()
        if limit is None:
            break
        spent = seconds_per_view * cost(limit) * count * slowdown(done)
        clock.now += spent
        budget.record(count, spent, limit)
        done += count
        limits.append(limit)
    return limits, done, clock.now - 100


def test_ample_time_uses_all_folds_and_views():
    limits, done, spent = predict_with_budget(seconds=2000, images=1000, reading=0.01, seconds_per_view=0.02)
    assert set(limits) == {PredictionLimit(5, 8)}
    assert (done, spent) == (1000, pytest.approx(810))


def test_views_are_reduced_before_folds():
    limits, done, spent = predict_with_budget(seconds=3000, images=10_000, reading=0.01, seconds_per_view=0.02)
    assert set(limits[1:]) == {PredictionLimit(5, 2)}
    assert done == 10_000
    assert spent < 3000


@pytest.mark.parametrize("seconds", [500, 700, 1000, 1500, 2500, 5000, 9000])
def test_budget_ends_in_time_and_is_well_used(seconds, capsys):
    limits, done, spent = predict_with_budget(seconds, images=10_000, reading=0.01, seconds_per_view=0.02)
    assert done == 10_000
    assert spent <= seconds
    costs = [cost(limit) for limit in limits]
    assert costs == sorted(costs, reverse=True)
    all_limits = [
        PredictionLimit(5, 8),
        PredictionLimit(5, 4),
        PredictionLimit(5, 2),
        PredictionLimit(5, 1),
        PredictionLimit(4, 1),
        PredictionLimit(3, 1),
        PredictionLimit(2, 1),
        PredictionLimit(1, 1),
    ]
    better = all_limits[max(0, all_limits.index(limits[-1]) - 1)]
    assert 10_000 * (0.01 + 0.02 * cost(better)) > 0.85 * seconds or limits[-1] == all_limits[0]
    output = capsys.readouterr().out
    assert (f"from here on {limits[-1].max_folds} fold" in output) == (len(set(limits)) > 1)


def test_batch_that_began_before_the_limit_was_lowered_does_not_count_for_the_new_pace(capsys):
    clock = Clock()
    budget = TimeBudget(100, 1000, PredictionLimit(1, 8), cost, clock)
    first = budget.next_limit()
    second = budget.next_limit()  # for another GPU
    clock.now += 5
    budget.record(50, 5, first)
    lowered = budget.next_limit()
    assert lowered == PredictionLimit(1, 4)  # 950 images would take 95 s, and 90 % of 95 s are left
    clock.now += 20
    budget.record(50, 20, second)
    assert budget.next_limit() == lowered
    clock.now += 5
    budget.record(100, 5, lowered)
    assert budget.next_limit() == lowered  # 800 images in 40 of 70 s
    assert capsys.readouterr().out.count("would take") == 1


def test_slowdown_midway_lowers_the_limit():
    slowdown = lambda done: 1.0 if done < 5000 else 3.0  # noqa: E731
    limits, done, spent = predict_with_budget(
        1500, images=10_000, reading=0.01, seconds_per_view=0.0025, slowdown=slowdown
    )
    assert limits[70] == PredictionLimit(5, 8)
    assert limits[-1] != PredictionLimit(5, 8)
    assert (done, spent < 1500) == (10_000, True)


def test_impossible_budget_stops_when_time_is_up():
    limits, done, spent = predict_with_budget(60, images=10_000, reading=0.02, seconds_per_view=0.02)
    assert limits[-1] == PredictionLimit(1, 1)
    assert 0 < done < 10_000
    assert 60 <= spent < 62


def test_slow_reading_lowers_the_limit_to_the_least():
    # Reading alone takes longer than the budget.
    limits, *_ = predict_with_budget(200, images=10_000, reading=0.03, seconds_per_view=0.0001)
    assert limits[-1] == PredictionLimit(1, 1)


def test_single_fold_and_view_are_never_reduced():
    limits, done, _ = predict_with_budget(1000, images=100, reading=0.01, seconds_per_view=0.01, folds=1, views=1)
    assert (set(limits), done) == ({PredictionLimit(1, 1)}, 100)
