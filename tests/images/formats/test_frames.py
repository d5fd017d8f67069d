"""Frames of an image: limits, choice and montage."""

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from medfold.images.formats.failures import ImageError
from medfold.images.formats.frames import check_size, chosen_frames
from tests.support.helpers import refused
from tests.support.image_files import DEEP, GREY, images, noise, read, scale_to_uint8


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.h5"])
@pytest.mark.parametrize(("count", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (5, 2, 3), (9, 3, 3), (10, 3, 4)])
def test_montage_is_nearly_square(tmp_path, name, count, rows, columns):
    stack = noise((count, 7, 6))
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


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
def test_single_image_has_one_frame(tmp_path, name):
    np.save(tmp_path / name, GREY) if name == "a.npy" else Image.fromarray(GREY).save(tmp_path / name)
    for frame in ("first", "middle", "last", "montage", 0):
        assert (read(tmp_path / name, frame=frame) == GREY).all()
    with refused("no frame 2, only 1 .0 to 0."):
        read(tmp_path / name, frame=2)


def test_check_size_rejects_oversized_images():
    with pytest.raises(ImageError, match="declares 32769x32768 pixels, more than 2\\*\\*30"):
        check_size(32769, 32768, images())
    expected = "declares 257 frames of 1000x1000 pixels, 257 MB decoded; 'images.max_megabytes' allows 256"
    with pytest.raises(ImageError, match=expected):
        check_size(1000, 1000, images(), 257)
    with pytest.raises(ImageError, match="declares 8000x8000 pixels, 384 MB decoded"):
        check_size(8000, 8000, images(), bytes_per_pixel=6)
    check_size(1000, 1000, images(), 256)
    check_size(32768, 32768, images(max_megabytes=1074))
    assert chosen_frames(10**12, images(frame="montage")) == range(10**12)
