"""What several tests of training need."""

import pytest


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """A weights file of MobileNetV2 as one downloads it, but for what it knows."""
    import keras  # takes seconds

    keras.utils.set_random_seed(5)
    file = tmp_path_factory.mktemp("weights") / "net.weights.h5"
    keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(file)
    return file
