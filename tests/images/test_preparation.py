"""Preparation of images: resizing, and the preparation steps of preparation_steps.py."""

import numpy as np
import pytest

from medfold.competition import PreparationSettings
from medfold.images import preparation
from medfold.images.preparation import prepare_image, steps_of
from medfold.registry import set_plugin_loader
from tests.support.helpers import refused


@pytest.mark.parametrize("fit", ["stretch", "pad", "crop"])
@pytest.mark.parametrize(
    "shape", [(20, 30, 1), (64, 10, 3), (7, 7, 1), (16, 16, 3), (50, 40, 5), (1, 90, 8), (9, 9, 2)]
)
def test_prepared_image_has_requested_size(fit, shape):
    pixels = np.full(shape, 200, np.uint8)
    result = prepare_image(pixels, PreparationSettings(size=16, fit=fit))
    assert result.shape == (16, 16, shape[2])
    assert result.dtype == np.uint8
    assert result.max() == 200


@pytest.mark.parametrize("size", [8, 13, 60])
def test_channels_are_resized_independently(size):
    """OpenCV averages areas of up to four channels at once, and its rounding depends on the number of channels."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 8), dtype=np.uint8)
    together = prepare_image(pixels, PreparationSettings(size=size)).astype(int)
    for channel in range(8):
        alone = prepare_image(pixels[..., [channel]], PreparationSettings(size=size))[..., 0]
        assert np.abs(together[..., channel] - alone).max() <= 1


def test_padding_keeps_proportions_and_is_black():
    result = prepare_image(np.full((10, 20, 1), 255, np.uint8), PreparationSettings(size=20, fit="pad"))[..., 0]
    assert (result[5:15] == 255).all()
    assert result[:5].max() == result[15:].max() == 0


@pytest.mark.parametrize("turned", [False, True])
def test_cropping_keeps_the_centre_square(turned):
    pixels = np.zeros((10, 30, 1), np.uint8)
    pixels[:, 10:20] = np.random.default_rng(0).integers(1, 256, (10, 10, 1))
    given = pixels.transpose(1, 0, 2) if turned else pixels
    square = given[10:20] if turned else given[:, 10:20]
    assert (prepare_image(given, PreparationSettings(size=10, fit="crop")) == square).all()
    assert (
        prepare_image(given, PreparationSettings(size=20, fit="crop"))
        == prepare_image(square, PreparationSettings(size=20))
    ).all()


def test_shrinking_averages_areas():
    pixels = np.zeros((16, 16, 1), np.uint8)
    pixels[3, 3] = 160
    assert prepare_image(pixels, PreparationSettings(size=8))[1, 1, 0] == 40


def test_image_of_requested_size_is_unchanged():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert (prepare_image(pixels, PreparationSettings(size=16)) == pixels).all()


def test_steps_are_applied_in_order():
    def double(pixels):
        return pixels * 2

    def more(pixels, by: int = 1):
        return pixels + np.uint8(by)

    def register():
        for function in (double, more):
            preparation.STEPS.register(function.__name__, function, "plugins")

    set_plugin_loader(register)  # until another one is set, after the test
    pixels = np.full((8, 8, 1), 5, np.uint8)
    assert prepare_image(pixels, PreparationSettings(size=8, steps=["double", "more"])).max() == 11
    assert prepare_image(pixels, PreparationSettings(size=8, steps=[{"more": {"by": 3}}, "double"])).max() == 16


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (["circle_corp"], "preparation.steps: unknown step 'circle_corp' .did you mean 'circle_crop'"),
        ([{"clahe": {"clp": 2}}], "preparation.steps, clahe: unknown key 'clp' .did you mean 'clip'"),
        ([{"clahe": {"clip": -1}}], "preparation.steps, clahe: 'clip': expected more than 0, received -1"),
        ([{"clahe": {"tiles": "many"}}], "preparation.steps, clahe: 'tiles': expected a whole number, received 'many'"),
        ([{"breast_crop": {"margin": 1}}], "preparation.steps, breast_crop: unknown key 'margin'"),
        ([{"clahe": {}, "circle_crop": {}}], "expected one step per list item"),
    ],
)
def test_invalid_step_raises_with_its_key(steps, message):
    with refused(message):
        steps_of(PreparationSettings(steps=steps))
