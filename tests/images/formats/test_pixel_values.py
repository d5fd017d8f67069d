"""Pixel values of any type as uint8: scaling, windows, frames, montages."""

import cv2
import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from medfold.errors import UserError
from medfold.images.formats import pixel_values
from medfold.images.formats.pixel_values import window_of
from tests.support.image_files import COLOUR, DEEP, FLOAT, GREY, RNG, images, read, scale_to_uint8
from tests.support.noise_images import COLOUR_NOISE, GREY_NOISE, NOISE, read_content


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


def test_windows_become_channels_and_need_signed_values(tmp_path):
    np.save(tmp_path / "a.npy", FLOAT)
    found = read(tmp_path / "a.npy", 2, windows=["brain", (0, 200)])
    assert (found == np.stack([scale_to_uint8(FLOAT, 0, 80), scale_to_uint8(FLOAT, -100, 100)], axis=-1)).all()
    np.save(tmp_path / "a.npy", GREY)
    with pytest.raises(UserError, match="'images.windows' need Hounsfield units"):
        read(tmp_path / "a.npy", 1, windows=["brain"])


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.h5"])
@pytest.mark.parametrize(("count", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (5, 2, 3), (9, 3, 3), (10, 3, 4)])
def test_montage_is_nearly_square(tmp_path, name, count, rows, columns):
    stack = RNG.integers(0, 256, (count, 7, 6), dtype=np.uint8)
    if name == "a.npy":
        np.save(tmp_path / name, stack)
    elif name == "a.tif":
        tifffile.imwrite(tmp_path / name, stack, photometric="minisblack")
    else:
        with h5py.File(tmp_path / name, "w") as file:
            file["x"] = stack
    found = read(tmp_path / name, member="#x" if name == "a.h5" else "", frame="montage")
    assert found.shape == (7 * rows, 6 * columns)
    for number in range(rows * columns):
        top, left = number // columns * 7, number % columns * 6
        expected = stack[number] if number < count else 0
        assert (found[top : top + 7, left : left + 6] == expected).all()


def test_montage_frames_share_one_scale(tmp_path):
    stack = np.stack([DEEP // 4, DEEP])
    np.save(tmp_path / "a.npy", stack)
    expected = scale_to_uint8(stack, stack.min(), stack.max())
    assert (read(tmp_path / "a.npy", frame="montage") == np.hstack(list(expected))).all()


@pytest.mark.parametrize("frame", ["first", "middle", "last", 0, 2])
def test_arrays_are_read_as_image_or_stack(tmp_path, frame):
    for shape, channels in (((5, 8, 6), 1), ((5, 8, 6, 3), 3)):
        stack = RNG.integers(0, 256, shape, dtype=np.uint8)
        np.save(tmp_path / "a.npy", stack)
        number = {"first": 0, "middle": 2, "last": 4}.get(frame, frame)
        assert (read(tmp_path / "a.npy", channels, frame=frame) == stack[number]).all()
        np.save(tmp_path / "a.npy", stack[0])
        assert (read(tmp_path / "a.npy", channels) == stack[0]).all()


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
def test_single_image_has_one_frame(tmp_path, name):
    np.save(tmp_path / name, GREY) if name == "a.npy" else Image.fromarray(GREY).save(tmp_path / name)
    for frame in ("first", "middle", "last", "montage", 0):
        assert (read(tmp_path / name, frame=frame) == GREY).all()
    with pytest.raises(UserError, match="no frame 2, only 1 .0 to 0."):
        read(tmp_path / name, frame=2)


def test_check_size_rejects_oversized_images():
    with pytest.raises(pixel_values.ImageError, match="declares 32769x32768 pixels, more than 2\\*\\*30"):
        pixel_values.check_size(32769, 32768)
    with pytest.raises(pixel_values.ImageError, match="declares 9,000 frames of 1000x1000, more than 8 GB"):
        pixel_values.check_size(1000, 1000, 9000)
    pixel_values.check_size(32768, 32768)
    assert pixel_values.chosen_frames(10**12, images(frame="montage")) == range(10**12)


@pytest.mark.parametrize("name", ["a.npy", "a.npz#images/1", "a.h5#images/1"])
@pytest.mark.parametrize(
    ("axes", "channels"),
    [("hwc", 3), ("chw", 3), ("hwa", 3), ("hwa", 4), ("hw1", 1), ("1hw", 1), ("hw1", 3), ("hw", 3)],
)
def test_channel_axis_of_arrays_is_found(tmp_path, name, axes, channels):
    alpha = np.dstack([COLOUR_NOISE, GREY_NOISE])
    made = {
        "hwc": COLOUR_NOISE,
        "chw": COLOUR_NOISE.transpose(2, 0, 1),
        "hwa": alpha,
        "hw1": GREY_NOISE[..., None],
        "1hw": GREY_NOISE[None],
        "hw": GREY_NOISE,
    }[axes]
    expected = {
        3: COLOUR_NOISE if axes[0] == "c" or axes[-1] in "ca" else np.dstack([GREY_NOISE] * 3),
        4: alpha,
        1: GREY_NOISE[..., None],
    }
    stacked = np.stack([np.zeros_like(made), made])
    path = tmp_path / name.partition("#")[0]
    if path.suffix == ".npy":
        np.save(path, made)
    elif path.suffix == ".npz":
        np.savez(path, images=stacked)
    else:
        import h5py

        with h5py.File(path, "w") as file:
            file["images"] = stacked
    np.testing.assert_array_equal(read_content(tmp_path, name, channels=channels), expected[channels])


@pytest.mark.parametrize(
    ("shape", "channels"), [((3, 20, 3), 3), ((3, 20, 20), 1), ((4, 20, 20), 3), ((2, 3, 20, 3), 3)]
)
def test_ambiguous_array_shapes_raise(tmp_path, shape, channels):
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint8))
    with pytest.raises(UserError, match="two ways: which axis .*channels.*frames"):
        read_content(tmp_path, "a.npy", channels=channels)


def test_explicit_frame_resolves_ambiguous_axis(tmp_path):
    stack = NOISE.integers(0, 256, (3, 20, 20), np.uint8)
    np.save(tmp_path / "a.npy", stack)
    np.testing.assert_array_equal(read_content(tmp_path, "a.npy", channels=1, frame="middle")[..., 0], stack[1])
    np.save(tmp_path / "b.npy", stack.transpose(1, 2, 0)[None].repeat(9, axis=0))
    np.testing.assert_array_equal(read_content(tmp_path, "b.npy", channels=3, frame=4), stack.transpose(1, 2, 0))


def test_8_bit_values_in_wide_integers_are_not_scaled(tmp_path):
    for dtype in (np.int32, np.int64, np.uint32):
        np.save(tmp_path / "a.npy", np.minimum(GREY_NOISE, 200).astype(dtype))
        np.testing.assert_array_equal(read_content(tmp_path, "a.npy", channels=1)[..., 0], np.minimum(GREY_NOISE, 200))
        np.savez(tmp_path / "a.npz", images=np.stack([GREY_NOISE // 2, GREY_NOISE]).astype(dtype))
        np.testing.assert_array_equal(read_content(tmp_path, "a.npz#images/0", channels=1)[..., 0], GREY_NOISE // 2)
    np.save(tmp_path / "a.npy", GREY_NOISE.astype(np.int32) * 100)  # the image's own range
    assert read_content(tmp_path, "a.npy", channels=1).max() == 255


def test_window_of_accepts_names_and_rejects_invalid_windows():
    assert window_of("lung") == (-600, 1500)
    assert window_of((12, 34.5)) == (12, 34.5)
    with pytest.raises(UserError, match="unknown window 'brian' \\(did you mean 'brain'\\?\\).*subdural"):
        window_of("brian")
    with pytest.raises(UserError, match=r"the window \[40, 0\] has no width above 0"):
        window_of((40, 0))
