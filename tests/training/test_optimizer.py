"""The learning rate over the steps, and the average of the weights."""

import pytest

from medfold.competition.recipe import Recipe
from medfold.training.optimizer import build_optimizer

TRAINING = Recipe.model_validate({"training": {"learning_rate": 0.1, "warmup": 0.2}}).training


@pytest.mark.parametrize(("step", "rate"), [(0, 0), (10, 0.05), (20, 0.1), (60, 0.05), (100, 0)])
def test_learning_rate_warms_up_then_falls_to_zero(step, rate):
    optimizer = build_optimizer(TRAINING, 0.1, num_batches=100)
    optimizer.iterations.assign(step)
    assert float(optimizer.learning_rate) == pytest.approx(rate, abs=1e-6)


@pytest.mark.parametrize(("num_batches", "momentum"), [(100, 0.9), (20, 0.5)])
def test_short_trainings_average_fewer_steps(num_batches, momentum):
    assert build_optimizer(TRAINING, 0.1, num_batches).ema_momentum == momentum


def test_gradients_are_clipped_by_their_norm():
    assert build_optimizer(TRAINING, 0.1, num_batches=100).global_clipnorm == 1.0
