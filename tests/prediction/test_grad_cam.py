"""Grad-CAM compared with its formula, for all kinds of nets and heads; randomised weights; the pointing game."""

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from medfold.prediction import grad_cam, hits_finding, randomise_weights
from medfold.prediction.grad_cam import GradCam
from tests.support.heat_maps import build, noise


def scaled(maps: np.ndarray, size: int) -> np.ndarray:
    """Scales coarse maps (n, height, width) as GradCam does."""
    positive = np.maximum([cv2.resize(each, (size, size), interpolation=cv2.INTER_LINEAR) for each in maps], 0)
    return positive / np.maximum(positive.max(axis=(1, 2), keepdims=True), 1e-12)


def test_pooled_linear_net_gives_class_activation_map():
    """Zhou et al. 2016: the channels before the pooling, each times its weight in the head."""
    keras.utils.set_random_seed(0)
    image = keras.Input((24, 24, 2))
    features = layers.Conv2D(5, 3, strides=4, padding="same")(image)
    net = keras.Model(image, layers.Dense(3, "softmax", name="head")(layers.GlobalAveragePooling2D()(features)))
    pixels, columns = np.repeat(noise(4, 24, 2), 3, axis=0), np.tile(np.arange(3), 4)
    channels = keras.Model(image, features).predict(pixels.astype(np.float32), verbose=0)
    weights = net.get_layer("head").kernel.numpy()[:, columns]
    expected = scaled(np.einsum("nhwk,kn->nhw", channels, weights), 24)
    explainer = GradCam(net)
    found = explainer(pixels, columns)
    assert expected.any(axis=(1, 2)).sum() >= 4
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (found.shape, found.dtype) == ((12, 24, 24), np.float32)
    assert (explainer.method, explainer.cell) == ("Grad-CAM", (4, 4))


def test_maps_weight_channels_by_mean_gradients():
    """The net has two resolutions, pooled by mean and by maximum, and a hidden layer before the head."""
    keras.utils.set_random_seed(3)
    first, second = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"), layers.Conv2D(6, 3, strides=2)
    hidden, head = layers.Dense(7, "tanh"), layers.Dense(1, "sigmoid", name="head")
    image = keras.Input((20, 20, 1))
    fine = layers.Rescaling(1 / 255)(image)
    fine = first(fine)
    coarse = second(fine)
    pooled = [layers.GlobalAveragePooling2D()(fine), layers.GlobalMaxPooling2D()(coarse)]
    net = keras.Model(image, head(hidden(layers.Concatenate()(pooled))))
    pixels, size = noise(3, 20), (20, 20)

    expected = []
    for one in pixels[:, None]:
        with tf.GradientTape(persistent=True) as tape:
            a = first(tf.constant(one / 255, tf.float32))
            tape.watch(a)
            b = second(a)
            x = hidden(tf.concat([tf.reduce_mean(a, (1, 2)), tf.reduce_max(b, (1, 2))], axis=1))
            logit = (x @ head.kernel + head.bias)[0, 0]
        heat = np.zeros(size)
        for channels in (a, b):
            gradient = tape.gradient(logit, channels).numpy()[0]
            here = sum(gradient[..., k].mean() * channels.numpy()[0, ..., k] for k in range(channels.shape[-1]))
            heat += cv2.resize(here, size, interpolation=cv2.INTER_LINEAR)
        expected.append(np.maximum(heat, 0) / heat.max())
    np.testing.assert_allclose(GradCam(net)(pixels, np.zeros(3, int)), expected, atol=1e-5)


NETS = {
    "resnet9": ({}, 1, 32, 8),
    "resnet9 in colour, with a stem": ({}, 3, 64, 16),
    "resnet9 pyramid": ({"pooling": "pyramid"}, 1, 32, 8),
    "MobileNetV2": ({"name": "MobileNetV2"}, 3, 64, 32),
    "MobileNetV2 pyramid": ({"name": "MobileNetV2", "pooling": "pyramid"}, 1, 64, 32),
    "VGG16": ({"name": "VGG16"}, 3, 32, 32),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_every_backbone_has_maps_and_can_be_randomised(name):
    backbone, channels, size, cell = NETS[name]
    net = build("multiclass", channels, size=size, **backbone)
    explainer = GradCam(net)
    pixels, columns = np.repeat(noise(3, size, channels), 3, axis=0), np.tile(np.arange(3), 3)
    maps = explainer(pixels, columns)
    assert explainer.method == "Grad-CAM"
    assert explainer.cell == (cell, cell)
    assert maps.shape == (9, size, size)
    assert np.isfinite(maps).all()
    assert maps.min() >= 0
    # Maps of an untrained net may be empty for a class, but not for all three: their weights differ in sign.
    assert set(maps.max(axis=(1, 2)).tolist()) <= {0, 1}
    assert maps.reshape(3, -1).any(axis=1).all()
    other = randomise_weights(net)
    assert [each.shape for each in other.get_weights()] == [each.shape for each in net.get_weights()]
    assert np.isfinite(GradCam(other)(pixels, columns)).all()


def test_maps_of_several_resolutions_have_the_cell_of_the_coarsest():
    image = keras.Input((24, 24, 1))
    fine = layers.Conv2D(2, 3, strides=2, padding="same")(image)
    coarse = layers.Conv2D(2, 3, strides=4, padding="same")(fine)
    pooled = layers.Concatenate()([layers.GlobalAveragePooling2D()(each) for each in (fine, coarse)])
    explainer = GradCam(keras.Model(image, layers.Dense(1, "sigmoid", name="head")(pooled)))
    assert explainer.cell == (8, 8)


HEADS = [
    ("multiclass", "classification", 3),
    pytest.param("ordinal", "ordinal", 3, marks=pytest.mark.slow),
    pytest.param("binary", "classification", 1, marks=pytest.mark.slow),
    pytest.param("multilabel", "classification", 2, marks=pytest.mark.slow),
    pytest.param("ordinal", "classification", 3, marks=pytest.mark.slow),
    pytest.param("ordinal", "both", 3, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("task", "head", "columns"), HEADS)
def test_every_head_has_a_map_per_column(task, head, columns):
    net = build(task, head=head)
    explainer = GradCam(net)
    pixels = np.repeat(noise(1), columns, axis=0)
    maps = explainer(pixels, np.arange(columns))
    assert np.isfinite(maps).all()
    assert maps.any()
    is_equal = [np.allclose(maps[0], each, atol=1e-3) for each in maps[1:]]
    assert is_equal == [head == "ordinal"] * (columns - 1)
    other = GradCam(randomise_weights(net))(pixels, np.arange(columns))
    assert np.isfinite(other).all()


def test_flattening_net_uses_input_gradient():
    net = build(name="simple_cnn")
    explainer = GradCam(net)
    assert (explainer.method, explainer.cell) == ("input gradient", (1, 1))
    pixels = noise(2)
    maps = explainer(pixels, np.zeros(2, int))
    images = tf.constant(pixels, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        chances = net(images, training=False)
        logit = tf.math.log(chances / (1 - chances))
    size = np.abs(tape.gradient(logit, images).numpy()[..., 0])
    smooth = np.stack([cv2.GaussianBlur(each, (0, 0), 1) for each in size])
    np.testing.assert_allclose(maps, smooth / smooth.max(axis=(1, 2), keepdims=True), atol=1e-4)


def test_map_peaks_at_what_the_net_detects():
    """The net detects bright spots of 5 x 5 pixels."""
    image = keras.Input((32, 32, 1))
    features = layers.Conv2D(1, 5, strides=2, padding="same", use_bias=False)(image)
    net = keras.Model(image, layers.Dense(1, "sigmoid", name="head")(layers.GlobalAveragePooling2D()(features)))
    net.set_weights([np.full((5, 5, 1, 1), 1 / 25), np.full((1, 1), 1e-3), np.zeros(1)])
    pixels, x, y = np.zeros((2, 32, 32, 1), np.uint8), np.array([8, 25]), np.array([20, 6])
    for number in range(2):
        pixels[number, y[number] - 2 : y[number] + 3, x[number] - 2 : x[number] + 3] = 200
    explainer = GradCam(net)
    maps = explainer(pixels, np.zeros(2, int))
    assert hits_finding(maps, x, y, np.ones(2), explainer.cell).all()
    assert not hits_finding(maps, x[::-1], y[::-1], np.ones(2), explainer.cell).any()
    # The map is empty if the spot is evidence against the finding.
    net.get_layer("head").kernel.assign([[-1e-3]])
    negative_maps = explainer(pixels, np.zeros(2, int))
    assert not negative_maps.any()
    assert not hits_finding(negative_maps, x, y, np.full(2, 50.0), explainer.cell).any()


@pytest.mark.parametrize(
    "count", [0, 5, *(pytest.param(grad_cam.BATCH_SIZE + more, marks=pytest.mark.slow) for more in (0, 1))]
)
def test_maps_do_not_depend_on_batch_size(count):
    explainer = GradCam(build("multiclass"))
    pixels, columns = noise(count) if count else np.zeros((0, 32, 32, 1), np.uint8), np.arange(count) % 3
    maps = explainer(pixels, columns)
    assert maps.shape == (count, 32, 32)
    for number in range(count):
        alone = explainer(pixels[number : number + 1], columns[number : number + 1])
        np.testing.assert_allclose(maps[number], alone[0], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_saturated_prediction_still_has_a_map(task):
    net = build(task)
    pixels, columns = noise(2), np.zeros(2, int)
    before = GradCam(net)(pixels, columns)
    head = net.get_layer("head")
    head.bias.assign([1000.0] + [0.0] * (head.bias.shape[0] - 1))
    assert (net.predict(pixels.astype(np.float32), verbose=0)[:, 0] == 1).all()
    after = GradCam(net)(pixels, columns)
    assert after.any()
    np.testing.assert_allclose(after, before, atol=1e-4)


@pytest.mark.slow
def test_signed_maps_contain_negative_evidence():
    net = build("multiclass")
    explainer = GradCam(net)
    pixels, columns = np.repeat(noise(2), 3, axis=0), np.tile(np.arange(3), 2)
    signed, maps = explainer(pixels, columns, signed=True), explainer(pixels, columns)
    assert (signed < 0).any()
    np.testing.assert_array_equal(signed > 0, maps > 0)
    for one, scaled_one in zip(signed, maps, strict=True):
        np.testing.assert_allclose(np.maximum(one, 0), scaled_one * max(one.max(), 0), atol=1e-6)
    net.get_layer("head").kernel.assign(-net.get_layer("head").kernel)
    np.testing.assert_allclose(GradCam(net)(pixels, columns, signed=True), -signed, atol=1e-6)
