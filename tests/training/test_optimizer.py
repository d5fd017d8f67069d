"""The learning rate over the steps, and the average of the weights."""

import pytest

from medfold.competition.recipe import Recipe
from medfold.training.optimizer import build_optimizer


def test_learning_rate_warms_up_then_falls_to_zero():
    recipe = Recipe.model_validate({"training": {"learning_rate": 0.1, "warmup": 0.2}})
    optimizer = build_optimizer(recipe.training, 0.1, num_batches=100)
    rates = [float(optimizer._learning_rate(step)) for step in (0, 10, 20, 60, 100)]
    assert rates == pytest.approx([0, 0.05, 0.1, 0.05, 0], abs=1e-6)
    assert (optimizer.ema_momentum, build_optimizer(recipe.training, 0.1, 20).ema_momentum) == (0.9, 0.5)
    assert optimizer.global_clipnorm == 1.0
