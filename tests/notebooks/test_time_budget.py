import pytest

from medfold.ensemble.predictor import PredictionLimit
from medfold.notebooks.time_budget import TimeBudget


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def cost(level):
    return level.max_folds * level.max_views


def work(seconds, images, reading, look, folds=5, views=8, batch=64, slower=lambda done: 1.0):
    """Predicts with nets that take `look` seconds for a look at an image, and gives the levels asked of each batch."""
    clock = Clock()
    budget, done, asked = TimeBudget(seconds, images, folds, views, cost, clock), 0, []
    while done < images:
        count = min(batch, images - done)
        clock.now += reading * count
        level = budget.next_limit()
        if level is None:
            break
        spent = look * cost(level) * count * slower(done)
        clock.now += spent
        budget.record(count, spent)
        done += count
        asked.append(level)
    return asked, done, clock.now - 100


def test_ample_time_uses_all_folds_and_views():
    asked, done, spent = work(seconds=2000, images=1000, reading=0.01, look=0.02)
    assert set(asked) == {PredictionLimit(5, 8)}
    assert (done, spent) == (1000, pytest.approx(810))


def test_views_are_reduced_before_folds():
    asked, done, spent = work(seconds=3000, images=10_000, reading=0.01, look=0.02)
    assert set(asked[1:]) == {PredictionLimit(5, 2)}
    assert done == 10_000
    assert spent < 3000


@pytest.mark.parametrize("seconds", [500, 700, 1000, 1500, 2500, 5000, 9000])
def test_budget_ends_in_time_and_is_well_used(seconds, capsys):
    asked, done, spent = work(seconds, images=10_000, reading=0.01, look=0.02)
    assert done == 10_000
    assert spent <= seconds
    costs = [cost(level) for level in asked]
    assert costs == sorted(costs, reverse=True)
    levels = [
        PredictionLimit(5, 8),
        PredictionLimit(5, 4),
        PredictionLimit(5, 2),
        PredictionLimit(5, 1),
        PredictionLimit(4, 1),
        PredictionLimit(3, 1),
        PredictionLimit(2, 1),
        PredictionLimit(1, 1),
    ]
    better = levels[max(0, levels.index(asked[-1]) - 1)]
    assert 10_000 * (0.01 + 0.02 * cost(better)) > 0.85 * seconds or asked[-1] == levels[0]
    told = capsys.readouterr().out
    assert (f"from here on {asked[-1].max_folds} folds" in told) == (len(set(asked)) > 1)


def test_slowdown_midway_lowers_the_limit():
    slower = lambda done: 1.0 if done < 5000 else 3.0  # noqa: E731
    asked, done, spent = work(1500, images=10_000, reading=0.01, look=0.0025, slower=slower)
    assert asked[70] == PredictionLimit(5, 8)
    assert asked[-1] != PredictionLimit(5, 8)
    assert (done, spent < 1500) == (10_000, True)


def test_impossible_budget_stops_when_time_is_up():
    asked, done, spent = work(60, images=10_000, reading=0.02, look=0.02)
    assert asked[-1] == PredictionLimit(1, 1)
    assert 0 < done < 10_000
    assert 60 <= spent < 62


def test_slow_reading_lowers_the_limit_to_the_least():
    asked, *_ = work(200, images=10_000, reading=0.03, look=0.0001)  # too slow by reading alone
    assert asked[-1] == PredictionLimit(1, 1)


def test_single_fold_and_view_are_never_reduced():
    asked, done, _ = work(1000, images=100, reading=0.01, look=0.01, folds=1, views=1)
    assert (set(asked), done) == ({PredictionLimit(1, 1)}, 100)
