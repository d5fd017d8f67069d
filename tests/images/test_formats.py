import cv2
import numpy as np
import pytest

from medfold.errors import UserError
from medfold.images import formats
from tests.helpers import picture


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "b.PNG"])
def test_lossless_pictures_come_back(tmp_path, name):
    pixels = picture(tmp_path / name)
    read = formats.read(tmp_path, name, channels=1)
    assert read.dtype == np.uint8
    assert (read[..., 0] == pixels).all()


def test_colour_is_red_green_blue(tmp_path):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes blue first
    cv2.imwrite(str(tmp_path / "a.png"), red)
    assert formats.read(tmp_path, "a.png", channels=3)[0, 0].tolist() == [255, 0, 0]
    assert formats.read(tmp_path, "a.png", channels=1)[0, 0].tolist() == [76]


def test_grey_is_repeated_and_alpha_dropped(tmp_path):
    pixels = picture(tmp_path / "a.png")
    assert (formats.read(tmp_path, "a.png", channels=3) == pixels[..., None]).all()
    picture(tmp_path / "b.png", shape=(5, 5, 4))
    assert formats.read(tmp_path, "b.png", channels=3).shape == (5, 5, 3)


def test_arrays_are_read_by_member(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", test_images=images)
    assert (formats.read(tmp_path, "x.npz#test_images/2", channels=3) == images[2]).all()


def broken(tmp_path, name):
    path = tmp_path / name
    if name == "cut.png":
        picture(path, shape=(64, 64))
        path.write_bytes(path.read_bytes()[:100])
    elif name == "deep.png":
        cv2.imwrite(str(path), np.zeros((4, 4), np.uint16))
    elif name.startswith("float.npz"):
        np.savez(tmp_path / "float.npz", a=np.zeros((2, 4, 4)))
    else:
        path.write_bytes({"empty.png": b"", "text.jpg": b"not a picture"}.get(name, b""))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty.png", "the file is empty"),
        ("text.jpg", "not a picture"),
        ("cut.png", "not a picture, or cut off"),
        ("deep.png", "uint16 pixels"),
        ("float.npz#a/0", "is float64"),
        ("a.xyz", "unknown image format"),
    ],
)
def test_unreadable_images_name_the_file(tmp_path, name, message):
    broken(tmp_path, name)
    with pytest.raises(UserError, match=message) as caught:
        formats.read(tmp_path, name, channels=1)
    assert name.split("#")[0] in str(caught.value)


def test_a_missing_image_names_the_file(tmp_path):
    with pytest.raises(UserError, match="gone.png"):
        formats.read(tmp_path, "gone.png", channels=1)
