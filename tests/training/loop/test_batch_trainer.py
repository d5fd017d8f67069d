"""Training batch by batch: accumulation of batches, overflow, half precision."""

from inspect import signature

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from medfold.competition import Recipe, TrainingSettings
from medfold.models import build_net
from medfold.paths import FoldPaths
from medfold.prediction import Predictor, load_net
from medfold.runs import read_predictions
from medfold.training import FoldInputs
from medfold.training.fold.train_fold import train_fold
from medfold.training.loop import losses
from medfold.training.loop.batch_trainer import BatchTrainer
from medfold.training.loop.optimizer import build_optimizer
from tests.support.fake_trainings import FakeBatchTrainer
from tests.support.helpers import competition_facts, refused, slow_but_first
from tests.support.small_tasks import task


@pytest.mark.slow
def test_accumulated_batches_equal_one_large_batch():
    rng = np.random.default_rng(0)
    images, targets = rng.random((8, 16, 16, 1)).astype(np.float32) * 255, rng.integers(0, 2, (8, 1)).astype(np.float32)

    def weights(accumulate, size):
        keras.utils.set_random_seed(0)
        recipe = Recipe.model_validate(
            {
                "preparation": {"size": 16},
                "backbone": {"name": "simple_cnn"},
                "training": {"accumulation_steps": accumulate, "warmup": 0, "dropout": 0, "learning_rate": 0.01},
            }
        )
        model = build_net(competition_facts(), recipe)
        step = BatchTrainer(
            model, build_optimizer(recipe.training, 0.01, 1000), losses.build_loss(competition_facts(), recipe.training)
        )
        for start in range(0, 8, size):
            step(images[start : start + size], targets[start : start + size], np.ones(size, np.float32))
        return model.get_weights()

    for one, many in zip(weights(1, 8), weights(4, 2), strict=True):
        np.testing.assert_allclose(one, many, atol=2e-4)
    assert any((one != before).any() for one, before in zip(weights(4, 2), weights(9, 2), strict=True))


# Of three accumulated batches: the state is saved between two steps of the optimizer.
@pytest.mark.parametrize("accumulation_steps", slow_but_first(3, 1))
def test_restored_trainer_continues_as_if_uninterrupted(accumulation_steps):
    rng = np.random.default_rng(0)
    batches = [(rng.random((8, 3)), rng.integers(0, 2, (8, 1)), rng.random(8)) for _ in range(5)]
    batches = [tuple(part.astype(np.float32) for part in batch) for batch in batches]
    settings = TrainingSettings(ema_decay=0.9, accumulation_steps=accumulation_steps)

    def new_trainer() -> BatchTrainer:
        net = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5, seed=1), keras.layers.Dense(1, "sigmoid")])
        return BatchTrainer(net, build_optimizer(settings, 0.1, 1000), keras.losses.BinaryCrossentropy())

    whole, restored = new_trainer(), new_trainer()
    for number, batch in enumerate(batches):
        if number == 2:
            saved = whole.values()
        whole(*batch)
    restored.restore(saved, num_batches=2, updates_before=0)
    for batch in batches[2:]:
        restored(*batch)
    assert restored.loss() == whole.loss()
    for name, found, expected in zip(whole.variable_specs, restored.values(), whole.values(), strict=True):
        np.testing.assert_array_equal(found, expected, err_msg=name)


def overflow_at(monkeypatch, steps):
    """Makes images infinite at these steps, so that the forward pass overflows."""
    step, count = BatchTrainer.__call__, [0]

    def step_with_infinite_images(self, images, targets, weights):
        count[0] += 1
        images = tf.cast(images, tf.float32) * (np.inf if count[0] in steps else 1)
        return step(self, images, targets, weights)

    monkeypatch.setattr(BatchTrainer, "__call__", step_with_infinite_images)


def test_overflowing_step_changes_nothing_and_is_counted():
    recipe = Recipe.model_validate({"preparation": {"size": 16}, "backbone": {"name": "simple_cnn"}})
    model = build_net(competition_facts(), recipe, precision="float16")
    optimizer = keras.optimizers.LossScaleOptimizer(build_optimizer(recipe.training, 0.01, 100), initial_scale=64)
    step = BatchTrainer(model, optimizer, losses.build_loss(competition_facts(), recipe.training))
    rng = np.random.default_rng(0)
    images, targets = tf.constant(rng.random((8, 16, 16, 1)) * 255, tf.float32), tf.constant(rng.random((8, 1)) > 0.5)
    batch = [images, tf.cast(targets, tf.float32), tf.ones(8)]
    step(*batch)
    assert np.isfinite(step.loss())
    before = [np.array(each) for each in (*model.trainable_variables, *optimizer.inner_optimizer.variables)]
    loss = step.loss()
    step(images * np.inf, *batch[1:])
    assert (step.num_overflowed(), step.loss()) == (1, loss)
    after = [np.array(each) for each in (*model.trainable_variables, *optimizer.inner_optimizer.variables)]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    step(*batch)
    assert np.isfinite(step.loss())
    assert step.num_overflowed() == 1


@pytest.mark.slow
def test_overflows_are_skipped_until_ten_in_a_row(tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        overflow_at(patch, {7, 8, 9})
        assert train_fold(FoldInputs(task(precision="float16"), 0, FoldPaths(tmp_path / "a"))) > 0.9
    assert "steps of epoch 2 overflowed and were left out" in capsys.readouterr().out
    assert np.isfinite(pd.read_csv(tmp_path / "a" / "history.csv")["loss"]).all()
    overflow_at(monkeypatch, set(range(6, 99)))
    with refused("the loss is not a number at epoch 2, step 5"):
        train_fold(FoldInputs(task(precision="float16"), 0, FoldPaths(tmp_path / "b")))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_learns_and_predicts_in_float32(tmp_path, precision):
    made, paths = task(precision=precision), FoldPaths(tmp_path / "fold0")
    assert train_fold(FoldInputs(made, 0, paths)) > 0.9
    oof = read_predictions(made.facts, paths.oof)
    model = load_net(made.facts, made.recipe, paths.weights)
    predictor = Predictor(model, "horizontal", tta=made.recipe.tta)
    predicted = predictor(made.store.pixels, made.store.rows_of(oof["id"]))[:, 0]
    np.testing.assert_allclose(predicted, oof["target"], rtol=0, atol=1e-8)


def test_trainer_that_imitates_it_in_other_tests_has_its_methods():
    methods = {name: value for name, value in vars(FakeBatchTrainer).items() if callable(value) and name[0] != "_"}
    assert methods.keys() >= {"begin_epoch", "has_diverged", "loss", "restore", "values"}
    for name, method in methods.items():
        assert [*signature(method).parameters] == [*signature(getattr(BatchTrainer, name)).parameters], name
