"""Weights files: equal to those of Keras, and written atomically."""

import errno
from pathlib import Path

import keras
import pytest
from keras import layers

from medfold.prediction.weights import read_weights, save_weights


@pytest.fixture
def net():
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1))
    features = layers.BatchNormalization()(layers.Conv2D(3, 3)(image))
    net = keras.Model(image, layers.Dense(2)(layers.GlobalAveragePooling2D()(features)))
    net.compile("adam", "mse")
    return net


def test_weights_file_equals_that_of_keras_without_optimizer(net, tmp_path):
    save_weights(net, tmp_path / "weights.h5")
    keras.Model(net.inputs, net.outputs, name=net.name).save_weights(tmp_path / "net.weights.h5")
    assert (tmp_path / "weights.h5").read_bytes() == (tmp_path / "net.weights.h5").read_bytes()
    other = keras.models.clone_model(net)
    read_weights(other, tmp_path / "weights.h5")
    assert all((mine == theirs).all() for mine, theirs in zip(other.get_weights(), net.get_weights(), strict=True))


def test_full_disk_raises_and_keeps_previous_file(net, tmp_path, monkeypatch):
    save_weights(net, tmp_path / "weights.h5")
    before = (tmp_path / "weights.h5").read_bytes()

    def write_partly_and_fail(path, data):
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_partly_and_fail)
    with pytest.raises(OSError, match="No space left on device") as raised:
        save_weights(net, tmp_path / "weights.h5")
    assert raised.value.filename == str(tmp_path / "weights.h5")
    monkeypatch.undo()
    assert (tmp_path / "weights.h5").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["weights.h5"]
