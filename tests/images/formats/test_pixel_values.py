"""Pixel values of any type as uint8."""

import cv2
import numpy as np
import pytest

from tests.support.image_files import COLOUR, DEEP, GREY, read, scale_to_uint8


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
@pytest.mark.parametrize("range", [None, (1000, 30000)])
def test_16_bit_pixels_are_scaled_to_8_bits(tmp_path, name, range):
    np.save(tmp_path / name, DEEP) if name == "a.npy" else cv2.imwrite(str(tmp_path / name), DEEP)
    assert (read(tmp_path / name, range=range) == scale_to_uint8(DEEP, *(range or (DEEP.min(), DEEP.max())))).all()


def test_16_bit_colours_share_one_scale(tmp_path):
    deep = COLOUR.astype(np.uint16) * 100 + 7
    cv2.imwrite(str(tmp_path / "a.png"), deep[..., ::-1])
    assert (read(tmp_path / "a.png", 3) == scale_to_uint8(deep, deep.min(), deep.max())).all()


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "uint32", "int64", "float16", "float32", "float64", "bool", ">u2"]
)
def test_every_dtype_is_scaled(tmp_path, dtype):
    values = GREY > 100 if dtype == "bool" else (GREY.astype(np.float64) - 100).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    low, high = values.min().item(), values.max().item()
    assert (read(tmp_path / "a.npy") == scale_to_uint8(values, low, high)).all()


def test_constant_images_are_black(tmp_path):
    for value in (np.uint16(700), np.float32(-3)):
        np.save(tmp_path / "a.npy", np.full((3, 4), value))
        assert read(tmp_path / "a.npy").max() == 0
