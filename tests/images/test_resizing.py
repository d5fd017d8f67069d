"""Resizing of images with any number of channels."""

import cv2
import numpy as np
import pytest

from medfold.images.resizing import fit_within, resize


@pytest.mark.parametrize("channels", [1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("method", [cv2.INTER_AREA, cv2.INTER_LINEAR])
def test_resize_gives_requested_size_and_keeps_channels(channels, method):
    values = np.arange(channels, dtype=np.uint8) * 20
    resized = resize(np.broadcast_to(values, (12, 10, channels)).copy(), 5, 7, method)
    assert (resized.shape, resized.dtype) == ((5, 7, channels), np.uint8)
    assert (resized == values).all()


def test_default_method_averages_areas():
    pixels = np.array([[0, 100, 10, 10], [100, 200, 10, 50]], np.uint8)[..., None]
    assert resize(pixels, 1, 2)[..., 0].tolist() == [[100, 20]]


@pytest.mark.parametrize(
    ("size", "side", "expected"),
    [
        ((100, 50), 10, (10, 5)),
        ((100, 200), 320, (160, 320)),
        ((640, 10), 320, (320, 5)),
        ((320, 320), 320, (320, 320)),
        ((2000, 1), 320, (320, 1)),
    ],
)
def test_longer_side_fits(size, side, expected):
    assert fit_within(*size, side) == expected
