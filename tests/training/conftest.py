"""Fixtures of the training tests."""

import pytest


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """A weights file of MobileNetV2 with random weights, in the format of downloaded ones."""
    import keras  # the import takes seconds

    keras.utils.set_random_seed(5)
    file = tmp_path_factory.mktemp("weights") / "net.weights.h5"
    keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(file)
    return file
