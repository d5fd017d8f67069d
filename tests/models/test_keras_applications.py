"""Backbones of keras.applications: scaling, weights from a file, frozen batch normalisation."""

import inspect
import warnings

import keras
import numpy as np
import pytest

from medfold.competition.recipe_consistency import KERAS_NETS
from medfold.models import build_net
from medfold.models.backbones import BACKBONES
from medfold.training.loop.batch_trainer import BatchTrainer
from tests.support.helpers import refused
from tests.support.nets import batch, facts, recipe


@pytest.fixture
def small_mobilenet(monkeypatch):
    """A small net in place of MobileNetV2, which takes seconds to build; returns the function that builds it."""

    def build(include_top, weights, input_shape):
        images = keras.Input(input_shape)
        net = keras.Model(images, keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(images)))
        if weights:
            net.load_weights(weights)
        return net

    monkeypatch.setattr(keras.applications, "MobileNetV2", build)
    return build


def inner_net(net: keras.Model) -> keras.Model:
    return next(layer for layer in net.layers if isinstance(layer, keras.Model))


def test_weights_of_the_recipe_are_those_of_the_backbone(small_mobilenet, tmp_path):
    source = small_mobilenet(False, None, (32, 32, 3))
    source.save_weights(tmp_path / "net.weights.h5")
    net = inner_net(build_net(facts(), recipe("MobileNetV2", weights=str(tmp_path / "net.weights.h5"))))
    for found, expected in zip(net.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("freeze_norm", [True, False])
def test_batch_normalisation_is_trained_unless_it_is_frozen(small_mobilenet, freeze_norm):
    net = inner_net(build_net(facts(), recipe("MobileNetV2", freeze_norm=freeze_norm)))
    assert [layer.trainable for layer in net.layers[1:]] == [True, not freeze_norm]


@pytest.mark.slow
def test_pretrained_weights_are_read_from_file(tmp_path):
    keras.utils.set_random_seed(3)
    source = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    source.save_weights(tmp_path / "net.weights.h5")
    model = build_net(facts(), recipe("MobileNetV2", weights=str(tmp_path / "net.weights.h5")))
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    np.testing.assert_array_equal(inner.get_weights()[0], source.get_weights()[0])


def test_every_keras_application_has_its_own_scaling():
    nets = {name for name in dir(keras.applications) if name[0].isupper()}
    assert nets <= set(BACKBONES.names())
    expected = {
        "tf": "MobileNet MobileNetV2 ResNet50V2 ResNet152V2 InceptionV3 InceptionResNetV2 Xception NASNetMobile",
        "torch": "DenseNet121 DenseNet201",
        "caffe": "VGG16 ResNet50 ResNet101",
        "own": "ConvNeXtTiny EfficientNetB0 EfficientNetB7 EfficientNetV2B0 EfficientNetV2S MobileNetV3Small",
    }
    for scaling, names in expected.items():
        assert {BACKBONES[name].scaling for name in names.split()} == {scaling}


def test_self_scaling_backbone_rejects_input_scaling():
    with refused("EfficientNetB0 scales its input itself"):
        build_net(facts(), recipe("EfficientNetB0", input_scaling="torch"))


def test_failed_download_of_weights_is_one_error_without_warnings(monkeypatch, recwarn):
    def without_network(**arguments):
        warnings.warn("`input_shape` is undefined or non-square", stacklevel=2)
        raise Exception("URL fetch failure on https://storage.googleapis.com: None")

    monkeypatch.setattr(keras.applications, "MobileNetV2", without_network)
    with refused("backbone.weights: ImageNet weights cannot be downloaded .URL fetch failure"):
        build_net(facts(), recipe("MobileNetV2", weights="imagenet"))
    assert not recwarn.list


@pytest.mark.slow
def test_frozen_batch_normalisation_is_not_updated():
    free, frozen = (build_net(facts(), recipe("MobileNetV2", freeze_norm=choice)) for choice in (False, True))
    assert len(frozen.trainable_variables) < len(free.trainable_variables)
    step = BatchTrainer(frozen, keras.optimizers.AdamW(1e-3), keras.losses.BinaryCrossentropy())
    before = [variable.numpy() for variable in frozen.non_trainable_variables if "seed" not in variable.name]
    step(batch(1), np.array([[0], [1], [1]], np.float32), np.ones(3, np.float32))
    after = [variable.numpy() for variable in frozen.non_trainable_variables if "seed" not in variable.name]
    assert all((old == new).all() for old, new in zip(before, after, strict=True))


def test_nets_of_keras_are_known_by_their_names():
    functions = {name for name, value in vars(keras.applications).items() if inspect.isfunction(value)}
    assert {name for name in functions if not KERAS_NETS.match(name)} == set()
    assert not any(KERAS_NETS.match(name) for name in ("simple_cnn", "resnet9"))
