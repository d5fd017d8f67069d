"""Predictions with test-time augmentation, in batches."""

import keras
import numpy as np
import pytest

from medfold.prediction.predictor import VIEWS, Predictor


@pytest.fixture(scope="module")
def model():
    """A net that reads only the top left pixel, so that its output differs for every view."""
    inputs = keras.Input((4, 4, 1))
    corner = keras.layers.Flatten()(keras.layers.Cropping2D(((0, 3), (0, 3)))(inputs))
    return keras.Model(inputs, keras.layers.Rescaling(1 / 255)(corner))


PIXELS = np.random.default_rng(0).integers(0, 256, (10, 4, 4, 1), dtype=np.uint8)


def corners(image, symmetry):
    y, x = image[..., 0], -1
    return {"none": [y[0, 0]], "horizontal": [y[0, 0], y[0, x]], "dihedral": [y[0, 0], y[0, x], y[x, 0], y[x, x]]}[
        symmetry
    ]


@pytest.mark.parametrize("symmetry", VIEWS)
def test_predictions_are_averaged_over_views(model, symmetry):
    rows = np.array([7, 0, 3])
    predicted = Predictor(model, symmetry, tta=True, batch_size=2)(PIXELS, rows)
    expected = [[np.mean(corners(PIXELS[row], symmetry)) / 255] for row in rows]
    np.testing.assert_allclose(predicted, expected, atol=1e-6)
    assert predicted.dtype == np.float32


def test_without_tta_only_the_original_view_is_predicted(model):
    predicted = Predictor(model, "dihedral", tta=False)(PIXELS, np.arange(10))
    np.testing.assert_allclose(predicted[:, 0], PIXELS[:, 0, 0, 0] / 255, atol=1e-6)


def test_fewer_views_are_averaged_over_those_used(model):
    predicted = Predictor(model, "dihedral", tta=True)(PIXELS, np.arange(10), num_views=2)
    corners_of_two_views = PIXELS[:, 0, [0, -1], 0]  # unchanged, and flipped horizontally
    np.testing.assert_allclose(predicted[:, 0], corners_of_two_views.mean(axis=1) / 255, atol=1e-6)


def test_predictions_do_not_depend_on_batch_size(model):
    seen = []
    one = Predictor(model, "dihedral", True, batch_size=3)(PIXELS, np.arange(10), seen.append)
    other = Predictor(model, "dihedral", True, batch_size=64)(PIXELS, np.arange(10))
    np.testing.assert_array_equal(one, other)
    assert seen == [3, 3, 3, 1]


def test_no_images_give_no_rows(model):
    assert Predictor(model, "none", True)(PIXELS, np.array([], int)).shape == (0, 1)


def test_dihedral_views_are_eight_distinct_ones():
    inputs = keras.Input((4, 4, 1))
    pixels_of_view = keras.Model(inputs, keras.layers.Flatten()(inputs))
    (views,) = Predictor(pixels_of_view, "dihedral", tta=True).outputs_of_views(PIXELS, np.array([0]))
    assert len({view.tobytes() for view in views}) == len(views) == 8
    assert {tuple(sorted(view[0])) for view in views} == {tuple(sorted(PIXELS[0].ravel()))}
