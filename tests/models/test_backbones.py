"""Backbones: every one is registered with its scaling, trains and is loaded again."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from medfold.models import build_net, split_backbone_and_head
from medfold.prediction import load_net, save_weights
from medfold.training.loop.batch_trainer import BatchTrainer
from tests.support.nets import batch, facts, recipe


@pytest.mark.parametrize(("name", "width"), [("resnet9", 2 * (32 + 32)), ("simple_cnn", 128)])
def test_own_backbones_support_pyramid_pooling(name, width):
    seen, _ = split_backbone_and_head(build_net(facts(), recipe(name, size=28, pooling="pyramid")))
    assert seen.output_shape == (None, width)


@pytest.mark.parametrize("width", [4, 6])
def test_width_sets_the_channels_of_resnet9(width):
    backbone, _ = split_backbone_and_head(build_net(facts(), recipe("resnet9", width=width)))
    assert backbone.output_shape == (None, 8 * width)


FAMILIES = [
    *[("ConvNeXtTiny", 32), ("DenseNet121", 32), ("EfficientNetB0", 32), ("EfficientNetV2B0", 32), ("MobileNet", 32)],
    *[("InceptionResNetV2", 75), ("InceptionV3", 75), ("MobileNetV3Small", 32), ("NASNetMobile", 32)],
    *[("ResNet50", 32), ("ResNet50V2", 32), ("VGG16", 32), ("Xception", 71)],
]


@pytest.fixture
def eagerly():
    """Steps are computed operation by operation: compiling the large nets would take minutes."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), FAMILIES)
def test_every_backbone_family_trains_and_reloads(tmp_path, eagerly, name, size):
    keras.utils.set_random_seed(0)
    model = build_net(facts(channels=3), recipe(name, size))
    step = BatchTrainer(model, keras.optimizers.AdamW(1e-3), keras.losses.BinaryCrossentropy())
    before = [weight.copy() for weight in model.get_weights()]
    step(batch(3, size), np.array([[0], [1], [1]], np.float32), np.ones(3, np.float32))
    assert np.isfinite(step.loss())
    assert any((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
    save_weights(model, tmp_path / "weights.h5")
    keras.utils.set_random_seed(1)
    again = load_net(facts(channels=3), recipe(name, size), tmp_path / "weights.h5")
    np.testing.assert_array_equal(model(batch(3, size)), again(batch(3, size)))
    pyramid = build_net(facts(channels=3), recipe(name, size, pooling="pyramid"))
    assert split_backbone_and_head(pyramid)[0].output_shape[1] >= 2 * split_backbone_and_head(model)[0].output_shape[1]
