"""Scaling of pixel values, as the weights of a net expect it."""

import keras
import numpy as np
import pytest

from medfold.models import build_net
from medfold.models.backbones import BACKBONES
from medfold.models.input_scaling import TORCH_MEAN, TORCH_STD, scale_input
from tests.support.nets import batch, facts, recipe


def scaled(scaling, channels=3, value=255.0):
    model = build_net(facts(channels=channels), recipe("simple_cnn", input_scaling=scaling))
    convolution = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    inputs = keras.Model(model.inputs, convolution.input)
    return np.asarray(inputs(np.full((1, 32, 32, channels), value, np.float32)))[0, 0, 0]


def test_input_scalings_match_their_definitions():
    assert scaled("unit").tolist() == [1, 1, 1]
    assert scaled("tf").tolist() == [1, 1, 1]
    assert scaled("tf", value=0).tolist() == [-1, -1, -1]
    expected = [(1 - mean) / std for mean, std in zip(TORCH_MEAN, TORCH_STD, strict=True)]
    assert scaled("torch").tolist() == pytest.approx(expected, abs=1e-5)
    reference = keras.applications.imagenet_utils.preprocess_input(np.full((1, 1, 1, 3), 255.0), mode="caffe")
    assert scaled("caffe").tolist() == pytest.approx(reference[0, 0, 0].tolist(), abs=1e-4)
    assert scaled("torch", channels=1).shape == (1,)
    assert scaled("caffe", channels=1).shape == (1,)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("VGG16", 32), ("DenseNet121", 32), ("ResNet50V2", 32), ("Xception", 71)])
def test_scaling_matches_keras_preprocess_input(name, size):
    """keras.applications scales the same image to the same values."""
    package = {"VGG16": "vgg16", "DenseNet121": "densenet", "ResNet50V2": "resnet_v2", "Xception": "xception"}[name]
    reference = getattr(keras.applications, package).preprocess_input(batch(3, size).copy())
    ours = scale_input(keras.ops.convert_to_tensor(batch(3, size)), BACKBONES[name].scaling)
    np.testing.assert_allclose(np.asarray(ours), np.asarray(reference), atol=1e-3)
