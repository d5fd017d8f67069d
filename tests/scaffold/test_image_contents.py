"""Channels and pages of a draft, from reading some of the images."""

import numpy as np
import pytest
import tifffile

from medfold.images import DECODER_CRASHED
from medfold.images.examination import ExaminedImage
from medfold.scaffold import Draft, image_contents
from medfold.scaffold.image_contents import guess_channels
from tests.support.helpers import picture

GREY, COLOURED = ExaminedImage("", 12, True), ExaminedImage("", 12, False)


def grey_and_coloured(folder, num_grey: int, num_coloured: int) -> list[str]:
    """Writes grey images, then coloured ones, and returns their names in this order."""
    names = []
    for number in range(num_grey + num_coloured):
        names.append(f"{number:03}.png")
        picture(folder / names[-1], seed=number, shape=(12, 10) if number < num_grey else (12, 10, 3))
    return names


def guessed(folder, names: list[str]) -> tuple[int, Draft]:
    draft = Draft()
    return guess_channels(draft, folder, names), draft


@pytest.mark.parametrize(
    ("num_grey", "num_coloured", "channels"), [(5, 0, 1), (0, 5, 3), (4, 1, 3)], ids=["grey", "coloured", "mixed"]
)
def test_images_have_one_channel_if_all_are_grey(tmp_path, num_grey, num_coloured, channels):
    found, draft = guessed(tmp_path, grey_and_coloured(tmp_path, num_grey, num_coloured))
    reason = f"{num_grey} of the 5 images examined are grey" if num_grey else "5 of the 5 images examined are in colour"
    assert found == channels
    assert draft.reasons == [("images.channels", str(channels), reason)]
    is_mixed = 0 < num_grey < 5
    doubt = f"images.channels: {reason}: do the colours of the others mean anything?"
    assert list(map(str, draft.doubts)) == ([doubt] if is_mixed else [])


def test_largest_side_is_that_of_the_images_examined(tmp_path):
    names = grey_and_coloured(tmp_path, 2, 0)
    picture(tmp_path / "wide.png", shape=(9, 31))
    assert guessed(tmp_path, [*names, "wide.png"])[1].largest_side == 31
    assert guessed(tmp_path, names)[1].largest_side == 12


def test_unreadable_images_are_left_out(tmp_path):
    names = grey_and_coloured(tmp_path, 2, 0)
    (tmp_path / "000.png").write_bytes(b"no picture")
    found, draft = guessed(tmp_path, names)
    assert found == 1
    assert draft.reasons == [("images.channels", "1", "1 of the 1 images examined are grey")]


def test_image_that_crashes_its_decoder_is_named(tmp_path, monkeypatch):
    crashed = ExaminedImage(DECODER_CRASHED)
    monkeypatch.setattr(image_contents, "examine_images", lambda _, images: [crashed, *[GREY] * (len(images) - 1)])
    found, draft = guessed(tmp_path, grey_and_coloured(tmp_path, 3, 0))
    assert found == 1
    assert draft.reasons[0].why == "2 of the 2 images examined are grey"
    assert list(map(str, draft.doubts)) == [
        f"images.train: 000.png: {DECODER_CRASHED}; replace or remove the file",
    ]


def test_three_channels_are_guessed_if_no_image_can_be_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    found, draft = guessed(tmp_path, ["a.png"])
    assert found == 3
    assert draft.reasons == []
    assert list(map(str, draft.doubts)) == ["images.channels: none of the 1 images examined can be read"]


def test_fewer_of_large_images_are_read(tmp_path, monkeypatch):
    names = grey_and_coloured(tmp_path, 9, 0)
    monkeypatch.setattr(image_contents, "MAX_IMAGES_READ", 6)
    monkeypatch.setattr(image_contents, "DEFAULT_IMAGES_READ", 3)
    assert guessed(tmp_path, names)[1].reasons[0][2] == "6 of the 6 images examined are grey"
    size = (tmp_path / names[0]).stat().st_size
    monkeypatch.setattr(image_contents, "CHEAP_BYTES", 3 * size)
    assert guessed(tmp_path, names)[1].reasons[0][2] == "3 of the 3 images examined are grey"


@pytest.mark.parametrize(
    ("num_images", "max_images", "expected"), [(9, 3, [0, 4, 8]), (9, 20, [*range(9)]), (1, 3, [0])]
)
def test_images_examined_are_spread_evenly(tmp_path, monkeypatch, num_images, max_images, expected):
    names = grey_and_coloured(tmp_path, num_images, 0)
    examined = []

    def examine_images(raw, images):
        examined.extend(images)
        return [GREY] * len(images)

    monkeypatch.setattr(image_contents, "MAX_IMAGES_READ", max_images)
    monkeypatch.setattr(image_contents, "examine_images", examine_images)
    guessed(tmp_path, names)
    assert examined == [names[number] for number in expected]


def write_pages(path, num_pages: int, coloured: bool = False) -> str:
    rng = np.random.default_rng(num_pages)
    shape = (num_pages, 8, 8, 3) if coloured else (num_pages, 8, 8)
    photometric = "rgb" if coloured else "minisblack"
    tifffile.imwrite(path, rng.integers(0, 256, shape, dtype=np.uint8), photometric=photometric)
    return path.name


@pytest.mark.parametrize(
    ("pages", "doubt"),
    [
        ((1, 1), None),
        ((4, 4), "files have 4 pages or frames, and the first is used; middle, last or montage?"),
        ((1, 5), "files have up to 5 pages or frames, and the first is used; middle, last or montage?"),
    ],
)
def test_several_pages_are_a_doubt(tmp_path, pages, doubt):
    names = [write_pages(tmp_path / f"{number}.tif", count) for number, count in enumerate(pages)]
    doubts = [what for key, what in guessed(tmp_path, names)[1].doubts if key == "images.frame"]
    assert doubts == ([] if doubt is None else [doubt])


@pytest.mark.parametrize(
    ("image", "pages", "handling"),
    [
        (COLOURED, (3, 3), "they are used as the three channels of one image"),
        (GREY, (3, 3), "the first is used; middle, last or montage?"),
        (COLOURED, (1, 3), "the first is used; middle, last or montage?"),
    ],
)
def test_three_pages_that_differ_are_the_channels_of_one_image(tmp_path, monkeypatch, image, pages, handling):
    examined = [image._replace(num_frames=count) for count in pages]
    monkeypatch.setattr(image_contents, "examine_images", lambda raw, images: examined)
    (doubt,) = guessed(tmp_path, grey_and_coloured(tmp_path, 2, 0))[1].doubts
    assert doubt.what.endswith(f" pages or frames, and {handling}")
