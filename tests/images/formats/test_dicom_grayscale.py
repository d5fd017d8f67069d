"""Grayscale DICOM values as uint8, compared with pydicom: rescale, windows, lookup tables, padding."""

import numpy as np
import pytest

from medfold.images import read_image
from medfold.images.formats import dicom_grayscale
from tests.support.dicom_files import dataset, images, lut, pydicom_pixels, read_dataset, save, scale_to_uint8, smooth
from tests.support.helpers import refused

CURVE = np.rint(np.linspace(0, 1, 3000) ** 0.5 * 1023).astype(np.uint16)
RESCALE = {"RescaleSlope": 1.25, "RescaleIntercept": -700}

CHAINS = {
    "window": {"WindowCenter": 2000, "WindowWidth": 1500},
    "window of one": {"WindowCenter": 2000, "WindowWidth": 1},
    "window of one around a value": {"WindowCenter": 2000.5, "WindowWidth": 1},
    "the first of two windows": {"WindowCenter": [2000, 5], "WindowWidth": [1500, 10]},
    "decimal window": {"WindowCenter": "2047.33", "WindowWidth": "4096.7"},
    "LINEAR_EXACT": {"WindowCenter": 2000, "WindowWidth": 1500, "VOILUTFunction": "LINEAR_EXACT"},
    "narrow LINEAR_EXACT": {"WindowCenter": 2000, "WindowWidth": 0.5, "VOILUTFunction": "LINEAR_EXACT"},
    "SIGMOID": {"WindowCenter": 2000, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"},
    "rescaled": {"WindowCenter": 600, "WindowWidth": 900, **RESCALE},
    "falling": {"WindowCenter": -900, "WindowWidth": 2200, "RescaleSlope": -1, "RescaleIntercept": 1000},
    "table before window": {"WindowCenter": 1, "WindowWidth": 2, "VOILUTSequence": lut(CURVE, 100, 10)},
    "rescaled table": {"VOILUTSequence": lut(CURVE, -300, 10), **RESCALE},
    "modality table": {"ModalityLUTSequence": lut(CURVE, 50, 16), "WindowCenter": 500, "WindowWidth": 700},
    "both tables": {"ModalityLUTSequence": lut(CURVE, 50, 16), "VOILUTSequence": lut(CURVE[::-1], 200, 12)},
}


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("chain", CHAINS)
def test_grayscale_chain_matches_pydicom(tmp_path, chain, photometric):
    made = dataset(smooth(), 12, PhotometricInterpretation=photometric, **CHAINS[chain])
    expected = pydicom_pixels(made)
    assert len(np.unique(expected)) > 1
    assert (read_dataset(made, tmp_path) == expected).all()


@pytest.mark.parametrize(
    ("bits", "dtype"), [(16, np.int16), (13, np.int16), (16, np.uint16), (8, np.uint8), (8, np.int8)]
)
def test_every_stored_value_matches_pydicom(tmp_path, bits, dtype):
    low = -(2 ** (bits - 1)) if np.dtype(dtype).kind == "i" else 0
    every = np.arange(low, low + 2**bits).astype(dtype).reshape(-1, 64)
    window = {"WindowCenter": low + 2 ** (bits - 1), "WindowWidth": 2 ** (bits - 1) + 3}
    made = dataset(every, bits, RescaleSlope=1, RescaleIntercept=-3, **window)
    assert (read_dataset(made, tmp_path) == pydicom_pixels(made)).all()


def test_rounding_matches_pydicom(tmp_path):
    every = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    for width in (256, 511, 766):  # some values fall halfway between two bytes
        made = dataset(every, 12, WindowCenter=200, WindowWidth=width, **RESCALE)
        assert (read_dataset(made, tmp_path) == pydicom_pixels(made)).all()


@pytest.mark.parametrize("signed", [False, True])
def test_bits_above_bits_stored_are_ignored(tmp_path, signed):
    pixels = smooth(bits=11).astype(np.int32) - (1024 if signed else 0)
    clean = dataset(pixels.astype(np.int16 if signed else np.uint16), 11, WindowCenter=300, WindowWidth=900)
    rubbish = np.random.default_rng(1).integers(0, 32, pixels.shape) << 11
    dirty = dataset((pixels & 0x7FF | rubbish).astype(np.uint16), 11, WindowCenter=300, WindowWidth=900)
    dirty.PixelRepresentation = int(signed)
    assert (read_dataset(dirty, tmp_path) == read_dataset(clean, tmp_path)).all()
    for made in (clean, dirty):  # without a window the least and greatest values count, too
        del made.WindowCenter
    assert (read_dataset(dirty, tmp_path) == read_dataset(clean, tmp_path)).all()


@pytest.mark.parametrize("missing", ["WindowCenter", "WindowWidth", "both", "width 0"])
def test_without_window_the_image_range_is_scaled(tmp_path, missing):
    pixels = smooth() // 2 + 500
    made = dataset(pixels, 12, WindowCenter=2000, WindowWidth=10, **RESCALE)
    for keyword in ("WindowCenter", "WindowWidth"):
        if missing in (keyword, "both"):
            del made[keyword]
    if missing == "width 0":
        made.WindowWidth = 0
    assert (read_dataset(made, tmp_path) == scale_to_uint8(pixels, pixels.min(), pixels.max())).all()


def test_8_bit_values_without_window_are_not_scaled(tmp_path):
    pixels = smooth(bits=8) // 2 + 20
    assert (read_dataset(dataset(pixels), tmp_path) == pixels).all()
    assert (read_dataset(dataset(pixels), tmp_path, range=(0, 4095)) == pixels).all()
    assert (read_dataset(dataset(pixels, PhotometricInterpretation="MONOCHROME1"), tmp_path) == 255 - pixels).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_images_range_is_in_modality_values(tmp_path, photometric):
    pixels = smooth()
    made = dataset(pixels, 12, WindowCenter=1, WindowWidth=2, PhotometricInterpretation=photometric, **RESCALE)
    expected = scale_to_uint8(pixels * 1.25 - 700, -100, 900)
    expected = 255 - expected if photometric == "MONOCHROME1" else expected
    assert (read_dataset(made, tmp_path, range=(-100, 900)) == expected).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("limit", [None, -1990])
def test_padding_is_black_and_excluded_from_scaling(tmp_path, photometric, limit):
    pixels = smooth().astype(np.int16) - 500
    inside = pixels.copy()
    pixels[:9], pixels[9:12] = -2000, -1990
    expected = scale_to_uint8(pixels, inside[12:].min() if limit else -1990, inside[12:].max())
    expected = 255 - expected if photometric == "MONOCHROME1" else expected
    expected[: 12 if limit else 9] = 0
    made = dataset(pixels, PixelPaddingValue=-2000, PhotometricInterpretation=photometric)
    if limit:
        made.PixelPaddingRangeLimit = limit
    assert (read_dataset(made, tmp_path) == expected).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("how", ["window", "range", "windows"])
def test_padding_is_black_with_window_range_or_windows(tmp_path, photometric, how):
    pixels = smooth().astype(np.int16) - 500
    headers = {"WindowCenter": 100, "WindowWidth": 900} if how == "window" else {}
    made = dataset(pixels, PhotometricInterpretation=photometric, **headers)
    facts = {"range": {"range": (-300, 500)}, "windows": {"windows": [(100, 900)]}}.get(how, {})
    without = read_dataset(made, tmp_path, **facts)
    pixels[:9] = -2000
    made.PixelData, made.PixelPaddingValue = pixels.tobytes(), -2000
    padded = read_dataset(made, tmp_path, **facts)
    assert (padded[:9] == 0).all()
    assert (padded[9:] == without[9:]).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_constant_or_all_padding_images_are_black(tmp_path, photometric):
    made = dataset(np.full((5, 6), 700, np.uint16), 12, PhotometricInterpretation=photometric)
    assert read_dataset(made, tmp_path).max() == 0
    made.PixelPaddingValue = 700
    assert read_dataset(made, tmp_path).max() == 0


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_each_window_becomes_a_channel(tmp_path, photometric):
    stored = smooth().astype(np.int16)
    made = dataset(stored, PhotometricInterpretation=photometric, RescaleSlope=1, RescaleIntercept=-1024)
    made.WindowCenter, made.WindowWidth = 1, 2
    pixels = read_dataset(made, tmp_path, 3, windows=["brain", (600, 2800), "stroke"])
    units = stored - 1024.0
    expected = np.stack(
        [scale_to_uint8(units, 0, 80), scale_to_uint8(units, -800, 2000), scale_to_uint8(units, 20, 60)], axis=-1
    )
    assert (pixels == (255 - expected if photometric == "MONOCHROME1" else expected)).all()
    assert (read_dataset(made, tmp_path, 1, windows=["brain"]) == pixels[..., 0]).all()


def test_windows_of_colour_images_raise(tmp_path):
    with refused("a colour image, but 'images.windows'"):
        read_dataset(dataset(smooth((8, 9, 3), 8)), tmp_path, windows=["brain"])


@pytest.mark.parametrize("kind", ["wide", "float", "double"])
def test_wide_and_float_values_match_pydicom(tmp_path, kind):
    """Values of more than 16 bits, and floats, are computed one by one instead of by a lookup table."""
    pixels, window = smooth().astype(np.uint32) * 70000, {"WindowCenter": 1.2e8, "WindowWidth": 1e8, **RESCALE}
    made = dataset(pixels, **window)
    if kind != "wide":
        del made.PixelData
        floats = pixels.astype(np.float32 if kind == "float" else np.float64)
        made.BitsAllocated = 8 * floats.itemsize
        setattr(made, "FloatPixelData" if kind == "float" else "DoubleFloatPixelData", floats.tobytes())
        made.BitsStored = 32  # pydicom's function asks for it
    assert (read_dataset(made, tmp_path) == pydicom_pixels(made)).all()


def test_lookup_table_is_cached_across_images(tmp_path):
    for name, value in (("a.dcm", 5), ("b.dcm", 7)):
        save(tmp_path / name, dataset(smooth(seed=value), 12, WindowCenter=33, WindowWidth=44))
    read_image(tmp_path, "a.dcm", images())
    before = dicom_grayscale._table.cache_info()
    read_image(tmp_path, "b.dcm", images())
    after = dicom_grayscale._table.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)
