"""Batch statistics: those of the training images, whatever the momentum of the layers."""

import keras
import numpy as np
import pytest
from keras import layers

from medfold.models import build_net
from medfold.paths import FoldPaths
from medfold.training import FoldInputs
from medfold.training.fold.train_fold import train_fold
from medfold.training.loop.batch_statistics import BatchStatistics
from tests.support.small_tasks import task

IMAGES = np.random.default_rng(0).integers(0, 256, (130, 8, 8, 1), dtype=np.uint8)
IMAGES[::2] //= 4  # two kinds of images, so that batches differ


def net(dropout: float = 0.0) -> keras.Model:
    """Builds a net with two batch normalisations: over pixels, and over a vector."""
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1))
    features = layers.BatchNormalization(name="first", momentum=0.999)(layers.Conv2D(4, 3, name="conv")(image))
    features = layers.GlobalAveragePooling2D(name="pooled")(layers.Dropout(dropout)(layers.ReLU()(features)))
    return keras.Model(image, layers.Dense(1)(layers.BatchNormalization(name="second", momentum=0.999)(features)))


def statistics(model: keras.Model, rows: np.ndarray | None = None) -> BatchStatistics:
    rows = np.arange(len(IMAGES)) if rows is None else rows
    return BatchStatistics(model, IMAGES, rows, lambda batch: batch, seed=3)


def outputs_of(model: keras.Model, name: str, rows=slice(None)) -> np.ndarray:
    images = IMAGES[rows].astype(np.float32)
    return keras.Model(model.input, model.get_layer(name).output).predict(images, verbose=0)


def test_statistics_are_mean_and_variance_of_all_images():
    model = net()
    assert statistics(model).gather(1000) == 129  # three batches of 43
    seen, first = outputs_of(model, "conv"), model.get_layer("first")
    np.testing.assert_allclose(first.moving_mean, seen.mean(axis=(0, 1, 2)), rtol=0.02)
    np.testing.assert_allclose(first.moving_variance, seen.var(axis=(0, 1, 2)), rtol=0.02)
    # The variance is that of all images, not the mean of the batches' variances.
    pooled, second = outputs_of(model, "pooled"), model.get_layer("second")
    np.testing.assert_allclose(second.moving_variance, pooled.var(axis=0), rtol=0.1)
    assert first.momentum == 0.999
    assert "call" not in vars(first)


def test_statistics_do_not_depend_on_image_order():
    """Images sorted by class must be shuffled, so that every batch has images of each class."""
    sort = np.argsort(IMAGES.mean(axis=(1, 2, 3)))
    found = []
    for images in (IMAGES, IMAGES[sort]):
        model = net()
        BatchStatistics(model, images, np.arange(len(images)), lambda batch: batch, seed=3).gather(130)
        found.append(np.asarray(model.get_layer("second").moving_variance))
    np.testing.assert_allclose(*found, rtol=0.1)
    assert (found[0] != 1).all()  # 1 is the initial value


def test_gather_uses_requested_number_of_given_rows():
    model, rows = net(), np.arange(0, 130, 2)
    assert statistics(model, rows).gather(50) == 50
    seen = outputs_of(model, "conv", rows)
    np.testing.assert_allclose(model.get_layer("first").moving_mean, seen.mean(axis=(0, 1, 2)), rtol=0.1)
    again = net()
    statistics(again, rows).gather(50)
    assert (again.get_layer("first").moving_mean == model.get_layer("first").moving_mean).numpy().all()


def test_statistics_do_not_depend_on_dropout():
    found = []
    for dropout in (0.0, 0.8):
        model = net(dropout)
        statistics(model).gather(130)
        found.append(np.asarray(model.get_layer("second").moving_variance))
    np.testing.assert_array_equal(*found)
    assert (found[0] != 1).all()  # 1 is the initial value


def test_frozen_layers_keep_their_statistics():
    model = net()
    model.get_layer("first").trainable = False
    statistics(model).gather(130)
    assert (np.asarray(model.get_layer("first").moving_mean) == 0).all()
    assert (np.asarray(model.get_layer("second").moving_mean) != 0).any()
    model.get_layer("second").trainable = False
    assert statistics(model).gather(130) == 0


def test_overflowing_statistics_are_not_kept():
    model = net()
    model.get_layer("conv").set_weights([np.full((3, 3, 1, 4), np.inf), np.zeros(4)])
    statistics(model).gather(130)
    assert np.isfinite(np.asarray(model.get_layer("first").moving_mean)).all()


@pytest.mark.slow
@pytest.mark.parametrize("choices", [{}, {"keep": "best"}, {"ema_decay": 0}, {"accumulation_steps": 2}])
def test_fold_learns_with_momentum_near_one(tmp_path, monkeypatch, capsys, choices):
    """After 30 steps at a momentum of 0.9999, the moving averages of the layers are still near their initial values."""
    build = build_net

    def build_with_high_momentum(*words, **more):
        model = build(*words, **more)
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.momentum = 0.9999
        return model

    monkeypatch.setattr("medfold.training.fold.train_fold.build_net", build_with_high_momentum)
    assert train_fold(FoldInputs(task(epochs=6, **choices), 0, FoldPaths(tmp_path / "fold0"))) > 0.9
    assert "batch statistics computed on 40 images" in capsys.readouterr().out
