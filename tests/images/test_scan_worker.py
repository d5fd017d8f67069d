"""The scan of one image, in a worker."""

import json

import cv2
import numpy as np
import pytest

from medfold.competition import ImageFacts, PreparationSettings
from medfold.images import prepare_image, read_image, read_measurements
from medfold.images.perceptual_hash import THUMBNAIL_SIZE, hash_and_thumbnail
from medfold.images.scan_worker import (
    ONE_VALUE_PREFIX,
    Appearance,
    ImageScan,
    ScanSettings,
    appearance_statistics,
    hash_pixels,
    scan_image,
)
from medfold.system import array_files
from tests.support.helpers import picture
from tests.support.scans import run_scan


def test_hashes_are_of_pixels_not_files(small, table):
    run_scan(small, table)
    hashes = read_measurements(small).set_index("id")["pixel_hash"]
    same = {}
    for id, image in zip(table["id"], table["image"], strict=True):
        same.setdefault(read_image(small.paths.raw, image, small.facts.images).tobytes(), []).append(id)
    for ids in same.values():
        assert hashes[ids].nunique() == 1
    assert hashes.nunique() == len(same) < len(table)


def noise(shape=(32, 48, 1)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_hash_is_that_of_shape_and_pixels():
    pixels = noise()
    assert hash_pixels(pixels, "a.png") == hash_pixels(pixels[:, ::-1][:, ::-1], "b.png")
    assert hash_pixels(pixels, "a.png") != hash_pixels(pixels.reshape(48, 32, 1), "a.png")
    changed = pixels.copy()
    changed[5, 7] ^= 1
    assert hash_pixels(changed, "a.png") != hash_pixels(pixels, "a.png")
    assert not hash_pixels(pixels, "a.png").startswith(ONE_VALUE_PREFIX)


def test_hash_of_an_image_of_one_value_is_that_of_its_path():
    air = np.full((40, 40, 3), 7, np.uint8)
    assert hash_pixels(air, "a.png").startswith(ONE_VALUE_PREFIX)
    assert hash_pixels(air, "a.png") == hash_pixels(air.copy(), "a.png")
    assert hash_pixels(air, "a.png") != hash_pixels(air, "b.png")
    air[33, 39, 2] = 8  # not among the pixels that are looked at first
    assert not hash_pixels(air, "a.png").startswith(ONE_VALUE_PREFIX)


def test_statistics_of_grey_pixels_are_those_of_numpy():
    pixels = noise()
    mean, deviation, dark, bright, sharpness, *colours = appearance_statistics(pixels)
    assert mean == pytest.approx(pixels.mean(), abs=1e-4)
    assert deviation == pytest.approx(pixels.std(), abs=1e-4)
    assert (dark, bright) == pytest.approx(np.percentile(pixels, [5, 95]), abs=2)
    assert sharpness == pytest.approx(np.abs(cv2.Laplacian(pixels[..., 0], cv2.CV_64F)).mean(), abs=1e-3)
    assert colours == [mean] * 3


@pytest.mark.parametrize(("channels", "expected"), [(3, [10, 20, 30]), (2, [10, 20, 20]), (5, [10, 20, 30])])
def test_colours_are_the_means_of_the_first_three_channels(channels, expected):
    pixels = np.broadcast_to(np.arange(10, 60, 10, dtype=np.uint8)[:channels], (8, 8, channels))
    assert appearance_statistics(pixels)[5:] == expected
    assert appearance_statistics(pixels)[0] == np.rint(np.mean(pixels[0, 0]))


RESULTS = [
    ImageScan(3, "unreadable image (cut off)"),
    ImageScan(4, "", 12, 10, "abc", None, {"images.npy": "1"}),
    ImageScan(5, "", 12, 10, "abc", Appearance("0f", [1.0, 2.5], {"Modality": "CT"}), {}),
]


@pytest.mark.parametrize("result", RESULTS, ids=["unreadable", "measured", "with appearance"])
def test_result_is_read_back_from_the_journal(result):
    assert ImageScan.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_scan_writes_prepared_pixels_and_thumbnail_to_their_row(tmp_path):
    pixels = picture(tmp_path / "a.png", shape=(40, 30))
    facts = ImageFacts(train="x", channels=1)
    for name, size in (("images.npy", 8), ("thumbnails.npy", THUMBNAIL_SIZE)):
        shape = (3, size, size, 1) if name == "images.npy" else (3, size, size)
        array_files.create_array(tmp_path / name, shape, np.uint8)
    settings = PreparationSettings(size=8)
    scan_settings = ScanSettings(tmp_path, facts, settings, tmp_path / "images.npy", tmp_path / "thumbnails.npy")
    result = scan_image((1, "a.png"), scan_settings)
    stored, thumbnails = np.load(tmp_path / "images.npy"), np.load(tmp_path / "thumbnails.npy")
    assert (stored[1] == prepare_image(pixels[..., None], settings)).all()
    assert (thumbnails[1] == hash_and_thumbnail(pixels[..., None])[1]).all()
    assert not stored[[0, 2]].any()
    assert result[:4] == (1, "", 40, 30)
    assert result.written == {
        "images.npy": array_files.row_hash(stored[1]),
        "thumbnails.npy": array_files.row_hash(thumbnails[1]),
    }


def test_scan_without_files_only_measures(tmp_path):
    picture(tmp_path / "a.png", shape=(40, 30))
    (tmp_path / "b.png").write_bytes(b"no picture")
    scan_settings = ScanSettings(tmp_path, ImageFacts(train="x", channels=1))
    measured = scan_image((0, "a.png"), scan_settings)
    assert (measured.appearance, measured.written) == (None, {})
    unreadable = scan_image((1, "b.png"), scan_settings)
    assert unreadable == ImageScan(1, unreadable.unreadable_reason)
    assert unreadable.unreadable_reason.startswith("unreadable image (")
