"""Heat maps laid over images of any number of channels."""

import numpy as np
import pytest

from medfold.images.heat_map import overlay, to_displayable


@pytest.mark.parametrize("channels", range(1, 9))
def test_to_displayable_makes_rgb_from_any_channel_count(channels):
    pixels = np.random.default_rng(channels).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    picture = to_displayable(pixels)
    assert (picture.shape, picture.dtype) == ((5, 7, 3), np.uint8)
    if channels >= 3:
        np.testing.assert_array_equal(picture, pixels[..., :3])
    else:
        np.testing.assert_allclose(picture, np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2), atol=0.5)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_overlay_changes_only_pixels_with_heat(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 4, channels), dtype=np.uint8)
    heat = np.zeros((6, 4), np.float32)
    np.testing.assert_array_equal(overlay(pixels, heat), to_displayable(pixels))
    heat[2, 3] = 1
    changed = (overlay(pixels, heat) != to_displayable(pixels)).any(axis=2)
    assert np.argwhere(changed).tolist() == [[2, 3]]


def test_colours_get_lighter_with_heat_and_are_warm():
    heat = np.linspace(0, 1, 101, dtype=np.float32)[None]
    black = overlay(np.zeros((1, 101, 1), np.uint8), heat)[0].astype(int)
    light = black @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) >= 0).all()
    assert light[-1] > 100
    warm = black[50:80]
    assert (warm[:, 0] > warm[:, 2]).all()


def test_heat_is_clipped_to_0_and_1():
    pixels = np.full((1, 3, 1), 90, np.uint8)
    heat = np.array([[-0.2, 1.0, 1.3]], np.float32)
    result = overlay(pixels, heat)
    assert result[0, 0].tolist() == [90, 90, 90]
    assert result[0, 1].tolist() == result[0, 2].tolist()
