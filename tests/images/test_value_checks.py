"""Warnings about pixel values: CT without air, and a value range that outliers waste."""

import cv2
import numpy as np
import pytest
import tifffile

from medfold.competition import ImageFacts
from medfold.images.value_checks import value_warnings
from tests.support.dicom_files import dataset, save

FACTS = ImageFacts(train="x", channels=1)


def write_slices(folder, intercept, minimum, modality="CT", **more):
    for number in range(6):
        values = np.random.default_rng(number).integers(minimum, 3000, (20, 20)).astype(np.uint16)
        values[0, 0] = minimum
        made = dataset(values, 12, RescaleSlope=1, RescaleIntercept=intercept, Modality=modality, **more)
        save(folder / f"{number}.dcm", made)
    return [f"{number}.dcm" for number in range(6)]


def test_ct_without_air_is_suspicious(tmp_path):
    (suspicion,) = value_warnings(tmp_path, write_slices(tmp_path, 0, 0), FACTS)
    assert "6 of 6 CT slices lies at 0" in suspicion
    assert "-1000 HU" in suspicion
    assert not value_warnings(tmp_path, write_slices(tmp_path, -1024, 24), FACTS)
    assert not value_warnings(tmp_path, write_slices(tmp_path, 0, 0, modality="MR"), FACTS)


def test_padding_values_do_not_count_as_air(tmp_path):
    names = write_slices(tmp_path, -1024, 924)
    assert "lies at -100" in value_warnings(tmp_path, names, FACTS)[0]
    values = np.full((20, 20), 1000, np.uint16)
    values[:5] = 0
    for name in names:
        save(
            tmp_path / name,
            dataset(values, 12, RescaleSlope=1, RescaleIntercept=-1024, Modality="CT", PixelPaddingValue=0),
        )
    assert "lies at -24" in value_warnings(tmp_path, names, FACTS)[0]


@pytest.mark.parametrize("kind", ["png", "tif", "npy", "pgm", "dcm"])
def test_outliers_that_waste_the_range_suggest_images_range(tmp_path, kind):
    for number in range(6):
        values = np.random.default_rng(number).integers(0, 4000, (80, 80)).astype(np.uint16)
        if number < 3:
            values[0, 0] = 65535
        path = tmp_path / f"{number}.{kind}"
        if kind == "npy":
            np.save(path, values[..., None])
        elif kind == "dcm":
            save(path, dataset(values, 16))
        elif kind == "tif":
            tifffile.imwrite(path, values)
        else:
            cv2.imwrite(str(path), values)
    names = [f"{number}.{kind}" for number in range(6)]
    (suspicion,) = value_warnings(tmp_path, names, FACTS)
    assert suspicion.startswith("in 3 of 6 images 99.9% of the pixels ")
    assert "images.range: [0, 4095]" in suspicion
    assert not value_warnings(tmp_path, names, ImageFacts(train="x", channels=1, range=(0, 4095)))
    assert not value_warnings(tmp_path, names[3:], FACTS)


def test_8_bit_and_unreadable_images_are_not_suspicious(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.random.default_rng(0).integers(0, 256, (20, 20), np.uint8))
    (tmp_path / "b.png").write_bytes(b"nothing")
    (tmp_path / "c.dcm").write_bytes(b"nothing")
    assert not value_warnings(tmp_path, ["a.png", "b.png", "c.dcm", "gone.tif"], FACTS)
    assert not value_warnings(tmp_path, [], FACTS)
