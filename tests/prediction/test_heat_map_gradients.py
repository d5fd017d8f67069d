"""Gradients for heat maps: Grad-CAM of known maps, the input's gradient without maps, and the backends."""

import keras
import numpy as np
import pytest
from keras import layers

from medfold.prediction import heat_map_gradients
from medfold.prediction.heat_map_gradients import weighted_maps
from tests.support.helpers import refused

KERNEL = np.array([[2.0, -1.0], [0.5, 3.0]], np.float32)  # (features, columns)


@pytest.fixture(scope="module")
def parts():
    """A net whose feature maps are the two channels of the image, and whose features are their means."""
    image = keras.Input((4, 4, 2))
    maps = layers.Activation("linear")(image)
    features = layers.GlobalAveragePooling2D()(maps)
    return keras.Model(image, [maps, features]), keras.Model(image, features)


def images(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).random((count, 4, 4, 2)).astype(np.float32)


def test_maps_are_weighted_by_the_kernel_of_the_chosen_column(parts):
    pixels, columns = images(), np.array([0, 1, 1], np.int32)
    (heat,) = weighted_maps(parts[0], keras.Variable(KERNEL), 3)(
        keras.ops.convert_to_tensor(pixels), keras.ops.convert_to_tensor(columns)
    )
    # The gradient of a mean over 16 positions is 1/16 at each of them.
    expected = np.einsum("nhwc,nc->nhw", pixels, KERNEL[:, columns].T) / 16
    np.testing.assert_allclose(heat, expected, rtol=1e-5)
    assert np.asarray(heat).dtype == np.float32


def test_single_column_is_taken_for_every_image(parts):
    pixels = images(2)
    (heat,) = weighted_maps(parts[0], keras.Variable(KERNEL[:, :1]), 2)(
        keras.ops.convert_to_tensor(pixels), keras.ops.convert_to_tensor(np.array([0, 1], np.int32))
    )
    np.testing.assert_allclose(heat, pixels @ KERNEL[:, 0] / 16, rtol=1e-5)


def test_largest_gradient_at_the_input_is_taken_without_maps(parts):
    columns = np.array([0, 1, 1], np.int32)
    (heat,) = weighted_maps(parts[1], keras.Variable(KERNEL), 3)(
        keras.ops.convert_to_tensor(images()), keras.ops.convert_to_tensor(columns)
    )
    expected = np.broadcast_to(np.abs(KERNEL).max(axis=0)[columns, None, None] / 16, (3, 4, 4))
    np.testing.assert_allclose(heat, expected, rtol=1e-5)


def test_zeros_behind_a_map_do_not_change_the_net(parts):
    """JAX takes the gradient at zeros that are added to each map."""
    copy, zeros = heat_map_gradients.with_shifts(parts[0], 3)
    assert [tuple(variable.shape) for variable in zeros] == [(3, 4, 4, 2)]
    for found, expected in zip(copy(images()), parts[0](images()), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_other_backends_are_refused_with_the_one_that_works(parts, monkeypatch):
    monkeypatch.setattr(heat_map_gradients.keras.backend, "backend", lambda: "torch")
    with refused(r"^torch: heat maps need TensorFlow or JAX\. .*run this command with KERAS_BACKEND=tensorflow$"):
        weighted_maps(parts[0], keras.Variable(KERNEL), 3)
