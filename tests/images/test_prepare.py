import numpy as np
import pytest

from medfold.images.prepare import prepare
from medfold.recipe import Images


@pytest.mark.parametrize("fit", ["stretch", "pad"])
@pytest.mark.parametrize("shape", [(20, 30, 1), (64, 10, 3), (7, 7, 1), (16, 16, 3)])
def test_any_image_gets_the_size(fit, shape):
    pixels = np.full(shape, 200, np.uint8)
    result = prepare(pixels, Images(size=16, fit=fit))
    assert result.shape == (16, 16, shape[2])
    assert result.dtype == np.uint8
    assert result.max() == 200


def test_padding_keeps_proportions_and_stays_black():
    result = prepare(np.full((10, 20, 1), 255, np.uint8), Images(size=20, fit="pad"))[..., 0]
    assert (result[5:15] == 255).all()
    assert result[:5].max() == result[15:].max() == 0


def test_shrinking_averages_areas():
    pixels = np.zeros((16, 16, 1), np.uint8)
    pixels[3, 3] = 160
    assert prepare(pixels, Images(size=8))[1, 1, 0] == 40


def test_an_image_of_the_size_is_left_alone():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert (prepare(pixels, Images(size=16)) == pixels).all()
