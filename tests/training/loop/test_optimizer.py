"""The optimizer of a recipe: learning rate, weight decay, clipping, the average of the weights."""

import keras
import numpy as np
import pytest

from medfold.competition import TrainingSettings
from medfold.training.loop.optimizer import build_optimizer

TRAINING = TrainingSettings(learning_rate=0.1, warmup=0.2)


@pytest.mark.parametrize(("step", "rate"), [(0, 0), (10, 0.05), (20, 0.1), (60, 0.05), (100, 0)])
def test_learning_rate_warms_up_then_falls_to_zero(step, rate):
    optimizer = build_optimizer(TRAINING, 0.1, num_batches=100)
    optimizer.iterations.assign(step)
    assert float(optimizer.learning_rate) == pytest.approx(rate, abs=1e-6)


@pytest.mark.parametrize(("step", "rate"), [(0, 0.1), (50, 0.05), (100, 0)])
def test_learning_rate_falls_from_the_first_step_without_warmup(step, rate):
    optimizer = build_optimizer(TrainingSettings(warmup=0), 0.1, num_batches=100)
    optimizer.iterations.assign(step)
    assert float(optimizer.learning_rate) == pytest.approx(rate, abs=1e-6)


@pytest.mark.parametrize("step", [0, 10, 100])
def test_constant_learning_rate_has_no_warmup(step):
    optimizer = build_optimizer(TrainingSettings(schedule="constant", warmup=0.2), 0.1, num_batches=100)
    optimizer.iterations.assign(step)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)


@pytest.mark.parametrize(("num_batches", "momentum"), [(100, 0.9), (20, 0.5)])
def test_short_trainings_average_fewer_steps(num_batches, momentum):
    assert build_optimizer(TRAINING, 0.1, num_batches).ema_momentum == momentum


def trained(settings: dict, gradients: list[list[float]], num_batches: int = 1000) -> tuple[list, dict]:
    """Applies one gradient after the other to weights of 2 and a bias of 2, at a constant learning rate of 0.1.

    Args:
        settings: settings of the recipe.
        gradients: the gradient of each of the two weights and of the bias, of each batch.
        num_batches: number of batches in the whole training. Defaults to so many that the average is not shortened.

    Returns:
        The two weights and the bias; and the optimizer's moments and averages by their names.
    """
    training = TrainingSettings.model_validate({"schedule": "constant", "weight_decay": 0, **settings})
    optimizer = build_optimizer(training, 0.1, num_batches)
    kernel, bias = (keras.Variable(np.full(size, 2.0), name=name) for size, name in ((2, "kernel"), (1, "bias")))
    optimizer.build([kernel, bias])
    for first, second, of_bias in gradients:
        optimizer.apply([np.array([first, second], np.float32), np.array([of_bias], np.float32)])
    values = {variable.path.split("/")[-1]: np.array(variable).tolist() for variable in optimizer.variables}
    return [*np.array(kernel).tolist(), *np.array(bias).tolist()], values


def test_weights_without_a_gradient_shrink_by_the_weight_decay():
    weights, _ = trained({"weight_decay": 0.5}, [[0, 0, 0]])
    assert weights == pytest.approx([2 * (1 - 0.1 * 0.5)] * 2 + [2])  # the bias has no decay
    weights, _ = trained({"weight_decay": 0.25}, [[0, 0, 0]])
    assert weights == pytest.approx([2 * (1 - 0.1 * 0.25)] * 2 + [2])


@pytest.mark.parametrize("largest", [0.5, 2.0])
def test_gradients_are_clipped_by_their_norm(largest):
    """The first moment after a step is a tenth of the gradient that the optimizer sees."""
    for length in (10, 100):
        _, values = trained({"global_clipnorm": largest}, [[0.6 * length, 0.0, 0.8 * length]])
        assert values["kernel_momentum"] == pytest.approx([0.06 * largest, 0])
        assert values["bias_momentum"] == pytest.approx([0.08 * largest])
    _, values = trained({"global_clipnorm": largest}, [[0.06, 0.0, 0.08]])  # shorter than both
    assert values["kernel_momentum"] == pytest.approx([0.006, 0])


@pytest.mark.parametrize("decay", [0.5, 0.75])
def test_average_of_the_weights_decays_per_step(decay):
    """The average begins with the weights after the first step; each step of Adam is as long as the learning rate."""
    weights, values = trained({"ema_decay": decay}, [[1.0, -1.0, 0]] * 2)
    assert weights == pytest.approx([1.8, 2.2, 2], rel=1e-4)
    assert values["kernel_average"] == pytest.approx(
        [decay * 1.9 + (1 - decay) * 1.8, decay * 2.1 + (1 - decay) * 2.2], rel=1e-4
    )


def test_average_decays_equally_per_step_of_several_batches():
    training = TrainingSettings(ema_decay=0.81, accumulation_steps=2)
    assert build_optimizer(training, 0.1, num_batches=1000).ema_momentum == pytest.approx(0.9)


def test_no_average_is_kept_without_a_decay():
    _, values = trained({"ema_decay": 0}, [[1.0, -1.0, 0]])
    assert list(values) == [
        "iteration",
        "learning_rate",
        "kernel_momentum",
        "kernel_velocity",
        "bias_momentum",
        "bias_velocity",
    ]


def test_step_is_taken_by_the_mean_gradient_of_the_accumulated_batches():
    unclipped = {"global_clipnorm": 100.0, "accumulation_steps": 3}
    weights, _ = trained(unclipped, [[1.0, 0, 0], [1.0, 0, 0]])
    assert weights == [2, 2, 2]
    weights, values = trained(unclipped, [[1.0, 0, 0], [1.0, 0, 0], [4.0, 0, 0]])
    assert weights == pytest.approx([1.9, 2, 2])
    assert values["kernel_momentum"] == pytest.approx([0.1 * 2, 0])
