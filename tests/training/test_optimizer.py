"""The learning rate over the steps, and the average of the weights."""

import pytest

from medfold.competition.recipe import Recipe
from medfold.training.optimizer import build_optimizer


def test_learning_rate_warms_up_then_falls_to_zero():
    recipe = Recipe.model_validate({"training": {"learning_rate": 0.1, "warmup": 0.2}})
    optimizer = build_optimizer(recipe.training, 0.1, num_batches=100)
    for step, rate in ((0, 0), (10, 0.05), (20, 0.1), (60, 0.05), (100, 0)):
        optimizer.iterations.assign(step)
        assert float(optimizer.learning_rate) == pytest.approx(rate, abs=1e-6)
    assert (optimizer.ema_momentum, build_optimizer(recipe.training, 0.1, 20).ema_momentum) == (0.9, 0.5)
    assert optimizer.global_clipnorm == 1.0
