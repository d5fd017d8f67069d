"""Images in arrays: the axes of frames and channels."""

import numpy as np
import pytest

from tests.support.helpers import refused
from tests.support.image_files import noise, read
from tests.support.noise_images import COLOUR_NOISE, GREY_NOISE, NOISE, read_content


@pytest.mark.parametrize("frame", ["first", "middle", "last", 0, 2])
def test_arrays_are_read_as_image_or_stack(tmp_path, frame):
    for shape, channels in (((5, 8, 6), 1), ((5, 8, 6, 3), 3)):
        stack = noise(shape)
        np.save(tmp_path / "a.npy", stack)
        number = {"first": 0, "middle": 2, "last": 4}.get(frame, frame)
        assert (read(tmp_path / "a.npy", channels, frame=frame) == stack[number]).all()
        np.save(tmp_path / "a.npy", stack[0])
        assert (read(tmp_path / "a.npy", channels) == stack[0]).all()


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
    with refused("two ways: which axis .*channels.*frames"):
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
