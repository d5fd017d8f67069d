"""Weights files: equal to those of Keras, and written atomically."""

import errno
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from medfold.models import build_net
from medfold.paths import FoldPaths
from medfold.prediction.weights import load_net, read_weights, save_weights
from tests.support.helpers import refused
from tests.support.nets import batch, facts, recipe


@pytest.fixture
def net():
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1))
    features = layers.BatchNormalization()(layers.Conv2D(3, 3)(image))
    net = keras.Model(image, layers.Dense(2)(layers.GlobalAveragePooling2D()(features)))
    net.compile("adam", "mse")
    return net


def test_weights_file_equals_that_of_keras_without_optimizer(net, tmp_path):
    save_weights(net, tmp_path / "net.weights.h5")
    keras.Model(net.inputs, net.outputs, name=net.name).save_weights(tmp_path / "keras.weights.h5")
    assert (tmp_path / "net.weights.h5").read_bytes() == (tmp_path / "keras.weights.h5").read_bytes()
    other = keras.models.clone_model(net)
    read_weights(other, tmp_path / "net.weights.h5")
    assert all((mine == theirs).all() for mine, theirs in zip(other.get_weights(), net.get_weights(), strict=True))


@pytest.mark.parametrize("name", ["weights.h5", "baseline-fold0.h5"])
def test_weights_are_read_from_a_name_that_keras_does_not_take(net, tmp_path, name):
    save_weights(net, tmp_path / name)
    other = keras.models.clone_model(net)
    read_weights(other, tmp_path / name)
    assert all((mine == theirs).all() for mine, theirs in zip(other.get_weights(), net.get_weights(), strict=True))


def test_weights_file_of_a_fold_is_loaded_by_keras_itself(net, tmp_path):
    save_weights(net, FoldPaths(tmp_path).weights)
    other = keras.models.clone_model(net)
    other.load_weights(FoldPaths(tmp_path).weights)
    assert all((mine == theirs).all() for mine, theirs in zip(other.get_weights(), net.get_weights(), strict=True))


def test_full_disk_raises_and_keeps_previous_file(net, tmp_path, monkeypatch):
    save_weights(net, tmp_path / "net.weights.h5")
    before = (tmp_path / "net.weights.h5").read_bytes()

    def write_partly_and_fail(path, data):
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_partly_and_fail)
    with pytest.raises(OSError, match="No space left on device") as raised:
        save_weights(net, tmp_path / "net.weights.h5")
    assert raised.value.filename == str(tmp_path / "net.weights.h5")
    monkeypatch.undo()
    assert (tmp_path / "net.weights.h5").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["net.weights.h5"]


MOBILE = pytest.param("MobileNetV2", marks=pytest.mark.slow)  # a net of keras.applications takes seconds to build


@pytest.mark.parametrize("name", ["simple_cnn", "resnet9", MOBILE])
@pytest.mark.parametrize("channels", [1, 3])
def test_reloaded_weights_give_equal_predictions(tmp_path, name, channels):
    keras.utils.set_random_seed(0)
    model = build_net(facts("multiclass", channels), recipe(name))
    save_weights(model, tmp_path / "net.weights.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["net.weights.h5"]
    keras.utils.set_random_seed(1)
    again = load_net(facts("multiclass", channels), recipe(name), tmp_path / "net.weights.h5")
    images = batch(channels)
    np.testing.assert_array_equal(model(images), again(images))
    np.testing.assert_allclose(np.sum(model(images), axis=1), 1, atol=1e-5)


def test_weights_of_another_net_raise_with_the_layer(tmp_path):
    save_weights(build_net(facts(), recipe()), tmp_path / "net.weights.h5")
    expected = r"the file has other weights than layer 'conv2d\w*' needs"
    with refused(rf"net.weights.h5: weights do not fit the recipe \({expected}\)\. Restore it from a backup"):
        load_net(facts(), recipe("simple_cnn"), tmp_path / "net.weights.h5")
    expected = r"layer 'head' needs weights of shape \(\d+, 3\), and the file has \(\d+, 1\)"
    with refused(rf"net.weights.h5: weights do not fit the recipe \({expected}\)\. Restore it from a backup"):
        load_net(facts("multiclass"), recipe(), tmp_path / "net.weights.h5")


def test_damaged_weights_raise(net, tmp_path):
    path = tmp_path / "net.weights.h5"
    save_weights(net, path)
    whole = path.read_bytes()
    for signature in (b"TREE", b"HEAP", b"SNOD", b"OHDR"):
        path.write_bytes(whole.replace(signature, b"oops"))
        if signature in whole:
            with refused(r"net.weights.h5: weights do not fit the recipe \("):
                read_weights(net, path)


def test_file_that_holds_no_weights_raises(tmp_path):
    (tmp_path / "net.weights.h5").write_text("<html>Not found</html>")
    with refused(
        r"net.weights.h5: weights do not fit the recipe \(not a readable weights file: .*\)\. Restore it from a backup"
    ):
        load_net(facts(), recipe("simple_cnn"), tmp_path / "net.weights.h5")
