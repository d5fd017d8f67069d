"""DICOM: the chain from stored values to bytes against pydicom's own functions, and every file that pydicom ships."""

import os
import re
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from medfold.competition.facts_sections import ImageFacts
from medfold.errors import UserError
from medfold.images.formats import dicom, dicom_grayscale
from medfold.images.formats.pixel_values import window_of
from medfold.images.formats.reading import read_dicom_headers, read_image, read_image_with_headers
from tests.support.dicom_files import dataset, encapsulated, save, smooth, write

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"
UNCOMPRESSED = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
LOSSLESS = [RLELossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless]


def images(channels: int = 1, **facts) -> ImageFacts:
    return ImageFacts(train="{id}.dcm", channels=channels, **facts)


def shown(made: Dataset, folder: Path, channels: int = 1, **facts) -> np.ndarray:
    """What formats.read makes of a data set; without the axis of a single channel."""
    save(folder / "a.dcm", made)
    pixels = read_image(folder, "a.dcm", images(channels, **facts))
    return pixels[..., 0] if channels == 1 else pixels


def spread(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.rint(np.clip((values.astype(np.float64) - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def slowly(made: Dataset) -> np.ndarray:
    """The chain with pydicom's functions, pixel by pixel: modality, VOI, its theoretical range to bytes, inversion."""
    values = apply_modality_lut(made.pixel_array, made)
    bits, signed = made.BitsStored, made.PixelRepresentation
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if "ModalityLUTSequence" in made:
        low, high = 0, 2 ** made.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    elif "RescaleSlope" in made:
        low, high = (end * made.RescaleSlope + made.RescaleIntercept for end in (low, high))
    if "VOILUTSequence" in made:
        low, high = 0, 2 ** made.VOILUTSequence[0].LUTDescriptor[2] - 1
    pixels = spread(apply_voi_lut(values, made), low, high)
    return 255 - pixels if made.PhotometricInterpretation == "MONOCHROME1" else pixels


def lut(entries: np.ndarray, first: int, bits: int) -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits])
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return Sequence([item])


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
def test_the_chain_is_pydicoms(tmp_path, chain, photometric):
    made = dataset(smooth(), 12, PhotometricInterpretation=photometric, **CHAINS[chain])
    expected = slowly(made)
    assert len(np.unique(expected)) > 1
    assert (shown(made, tmp_path) == expected).all()


@pytest.mark.parametrize(
    ("bits", "dtype"), [(16, np.int16), (13, np.int16), (16, np.uint16), (8, np.uint8), (8, np.int8)]
)
def test_the_chain_is_pydicoms_for_every_stored_value(tmp_path, bits, dtype):
    low = -(2 ** (bits - 1)) if np.dtype(dtype).kind == "i" else 0
    every = np.arange(low, low + 2**bits).astype(dtype).reshape(-1, 64)
    window = {"WindowCenter": low + 2 ** (bits - 1), "WindowWidth": 2 ** (bits - 1) + 3}
    made = dataset(every, bits, RescaleSlope=1, RescaleIntercept=-3, **window)
    assert (shown(made, tmp_path) == slowly(made)).all()


def test_the_chain_rounds_as_pydicoms(tmp_path):
    every = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    for width in (256, 511, 766):  # some values fall halfway between two bytes
        made = dataset(every, 12, WindowCenter=200, WindowWidth=width, **RESCALE)
        assert (shown(made, tmp_path) == slowly(made)).all()


@pytest.mark.parametrize("signed", [False, True])
def test_bits_that_are_not_stored_do_not_matter(tmp_path, signed):
    pixels = smooth(bits=11).astype(np.int32) - (1024 if signed else 0)
    clean = dataset(pixels.astype(np.int16 if signed else np.uint16), 11, WindowCenter=300, WindowWidth=900)
    rubbish = np.random.default_rng(1).integers(0, 32, pixels.shape) << 11
    dirty = dataset((pixels & 0x7FF | rubbish).astype(np.uint16), 11, WindowCenter=300, WindowWidth=900)
    dirty.PixelRepresentation = int(signed)
    assert (shown(dirty, tmp_path) == shown(clean, tmp_path)).all()
    for made in (clean, dirty):  # without a window the least and greatest values count, too
        del made.WindowCenter
    assert (shown(dirty, tmp_path) == shown(clean, tmp_path)).all()


@pytest.mark.parametrize("missing", ["WindowCenter", "WindowWidth", "both", "width 0"])
def test_without_a_window_the_images_own_range_counts(tmp_path, missing):
    pixels = smooth() // 2 + 500
    made = dataset(pixels, 12, WindowCenter=2000, WindowWidth=10, **RESCALE)
    for keyword in ("WindowCenter", "WindowWidth"):
        if missing in (keyword, "both"):
            del made[keyword]
    if missing == "width 0":
        made.WindowWidth = 0
    assert (shown(made, tmp_path) == spread(pixels, pixels.min(), pixels.max())).all()


def test_a_modality_table_that_is_not_monotone_has_its_own_range(tmp_path):
    hill = np.rint(1000 * np.sin(np.linspace(0, np.pi, 4096))).astype(np.uint16)
    pixels = smooth()
    made = dataset(pixels, 12, ModalityLUTSequence=lut(hill, 0, 10))
    assert (shown(made, tmp_path) == spread(hill[pixels], hill[pixels].min(), hill[pixels].max())).all()


def test_tables_of_eight_bits_may_have_more_entries(tmp_path):
    # pydicom 3.0 counts their entries modulo 256.
    pixels, entries = smooth(), (np.arange(4096) >> 4).astype(np.uint8)
    for data, kind in ((entries.tobytes(), "OW"), (entries.astype("<u2").tobytes(), "OW"), (entries.tolist(), "US")):
        made = dataset(pixels, 12, VOILUTSequence=lut(entries, 0, 8))
        made.VOILUTSequence[0].add_new("LUTData", kind, data)
        assert (shown(made, tmp_path) == entries[pixels]).all()


def test_bytes_without_a_window_stay_as_they_are(tmp_path):
    pixels = smooth(bits=8) // 2 + 20
    assert (shown(dataset(pixels), tmp_path) == pixels).all()
    assert (shown(dataset(pixels), tmp_path, range=(0, 4095)) == pixels).all()
    assert (shown(dataset(pixels, PhotometricInterpretation="MONOCHROME1"), tmp_path) == 255 - pixels).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_range_is_in_modality_values(tmp_path, photometric):
    pixels = smooth()
    made = dataset(pixels, 12, WindowCenter=1, WindowWidth=2, PhotometricInterpretation=photometric, **RESCALE)
    expected = spread(pixels * 1.25 - 700, -100, 900)
    expected = 255 - expected if photometric == "MONOCHROME1" else expected
    assert (shown(made, tmp_path, range=(-100, 900)) == expected).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("limit", [None, -1990])
def test_padding_is_black_and_does_not_count(tmp_path, photometric, limit):
    pixels = smooth().astype(np.int16) - 500
    inside = pixels.copy()
    pixels[:9], pixels[9:12] = -2000, -1990
    expected = spread(pixels, inside[12:].min() if limit else -1990, inside[12:].max())
    expected = 255 - expected if photometric == "MONOCHROME1" else expected
    expected[: 12 if limit else 9] = 0
    made = dataset(pixels, PixelPaddingValue=-2000, PhotometricInterpretation=photometric)
    if limit:
        made.PixelPaddingRangeLimit = limit
    assert (shown(made, tmp_path) == expected).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("how", ["window", "range", "windows"])
def test_padding_is_black_in_every_chain(tmp_path, photometric, how):
    pixels = smooth().astype(np.int16) - 500
    headers = {"WindowCenter": 100, "WindowWidth": 900} if how == "window" else {}
    made = dataset(pixels, PhotometricInterpretation=photometric, **headers)
    facts = {"range": {"range": (-300, 500)}, "windows": {"windows": [(100, 900)]}}.get(how, {})
    without = shown(made, tmp_path, **facts)
    pixels[:9] = -2000
    made.PixelData, made.PixelPaddingValue = pixels.tobytes(), -2000
    padded = shown(made, tmp_path, **facts)
    assert (padded[:9] == 0).all()
    assert (padded[9:] == without[9:]).all()


def test_padding_written_without_its_sign_is_found(tmp_path):
    pixels = smooth().astype(np.int16)
    pixels[:9] = -2000
    made = dataset(pixels)
    made.add_new("PixelPaddingValue", "US", 2**16 - 2000)
    assert (shown(made, tmp_path)[9:] == spread(pixels[9:], pixels[9:].min(), pixels[9:].max())).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_images_of_one_value_or_of_padding_alone_are_black(tmp_path, photometric):
    made = dataset(np.full((5, 6), 700, np.uint16), 12, PhotometricInterpretation=photometric)
    assert shown(made, tmp_path).max() == 0
    made.PixelPaddingValue = 700
    assert shown(made, tmp_path).max() == 0


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_each_window_is_a_channel_in_hounsfield_units(tmp_path, photometric):
    stored = smooth().astype(np.int16)
    made = dataset(stored, PhotometricInterpretation=photometric, RescaleSlope=1, RescaleIntercept=-1024)
    made.WindowCenter, made.WindowWidth = 1, 2
    pixels = shown(made, tmp_path, 3, windows=["brain", (600, 2800), "stroke"])
    units = stored - 1024.0
    expected = np.stack([spread(units, 0, 80), spread(units, -800, 2000), spread(units, 20, 60)], axis=-1)
    assert (pixels == (255 - expected if photometric == "MONOCHROME1" else expected)).all()
    assert (shown(made, tmp_path, 1, windows=["brain"]) == pixels[..., 0]).all()


def test_windows_are_known_by_name():
    assert window_of("lung") == (-600, 1500)
    assert window_of((12, 34.5)) == (12, 34.5)
    with pytest.raises(UserError, match="unknown window 'brian' \\(did you mean 'brain'\\?\\).*subdural"):
        window_of("brian")
    with pytest.raises(UserError, match="a window of width 0"):
        window_of((40, 0))


def test_windows_are_not_for_colour(tmp_path):
    with pytest.raises(UserError, match="a colour image, but 'images.windows'"):
        shown(dataset(smooth((8, 9, 3), 8)), tmp_path, windows=["brain"])


@pytest.mark.parametrize("kind", ["wide", "float", "double"])
def test_values_without_a_table(tmp_path, kind):
    """What is deeper than 16 bits, or has fractions, takes the same chain value by value."""
    pixels, window = smooth().astype(np.uint32) * 70000, {"WindowCenter": 1.2e8, "WindowWidth": 1e8, **RESCALE}
    made = dataset(pixels, **window)
    if kind != "wide":
        del made.PixelData
        floats = pixels.astype(np.float32 if kind == "float" else np.float64)
        made.BitsAllocated = 8 * floats.itemsize
        setattr(made, "FloatPixelData" if kind == "float" else "DoubleFloatPixelData", floats.tobytes())
        made.BitsStored = 32  # pydicom's function asks for it
    assert (shown(made, tmp_path) == slowly(made)).all()


def test_tables_are_shared_by_images_of_one_chain(tmp_path):
    for name, value in (("a.dcm", 5), ("b.dcm", 7)):
        save(tmp_path / name, dataset(smooth(seed=value), 12, WindowCenter=33, WindowWidth=44))
    read_image(tmp_path, "a.dcm", images())
    before = dicom_grayscale._table.cache_info()
    read_image(tmp_path, "b.dcm", images())
    after = dicom_grayscale._table.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)


@pytest.mark.parametrize("syntax", UNCOMPRESSED + LOSSLESS, ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("kind", ["12 bits", "signed", "8 bits", "colour", "odd"])
def test_lossless_transfer_syntaxes_give_the_pixels_back(tmp_path, syntax, kind):
    pixels, bits = {
        "12 bits": (smooth(), 12),
        "signed": (smooth().astype(np.int16) - 2048, 16 if syntax in (JPEGLossless, JPEGLosslessSV1) else 12),
        "8 bits": (smooth(bits=8), 8),
        "colour": (smooth((70, 66, 3), 8), 8),
        # An odd number of bytes, which GDCM cannot compress.
        "odd": (smooth((71, 66 if syntax in (JPEGLossless, JPEGLosslessSV1) else 67), 8), 8),
    }[kind]
    write(tmp_path / "a.dcm", pixels, syntax, bits=bits)
    colour = pixels.ndim == 3
    read = read_image(tmp_path, "a.dcm", images(3 if colour else 1))
    expected = pixels if pixels.dtype == np.uint8 else spread(pixels, pixels.min(), pixels.max())
    assert (read == (expected if colour else expected[..., None])).all()


@pytest.mark.parametrize(
    ("syntax", "compress", "tolerance"),
    [(JPEG2000, {"j2k_psnr": [50]}, 10), (JPEGLSNearLossless, {"jls_error": 3}, 3)],
    ids=["JPEG2000", "JPEGLSNearLossless"],
)
def test_lossy_transfer_syntaxes_come_close(tmp_path, syntax, compress, tolerance):
    pixels = smooth(bits=8)
    write(tmp_path / "a.dcm", pixels, syntax, compress)
    difference = np.abs(read_image(tmp_path, "a.dcm", images())[..., 0] - pixels.astype(int))
    assert 0 < difference.max() <= tolerance


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit], ids=lambda uid: uid.keyword)
def test_jpeg_of_eight_bits_comes_close(tmp_path, syntax):
    pixels = cv2.GaussianBlur(smooth(bits=8), (0, 0), 2)
    made = encapsulated(dataset(pixels), syntax, [cv2.imencode(".jpg", pixels)[1].tobytes()])
    assert np.abs(shown(made, tmp_path) - pixels.astype(int)).max() <= 4


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_by_plane_is_colour(tmp_path, planar):
    pixels = smooth((8, 9, 3), 8)
    made = dataset(pixels, PlanarConfiguration=planar)
    if planar:
        made.PixelData = np.moveaxis(pixels, 2, 0).tobytes()
    assert (shown(made, tmp_path, 3) == pixels).all()


@pytest.mark.parametrize("kind", ["YBR_FULL", "YBR_FULL_422"])
def test_luma_and_chroma_become_red_green_blue(tmp_path, kind):
    flat = np.zeros((4, 6, 3), np.uint8) + np.array([200, 100, 50], np.uint8)
    luma = cv2.cvtColor(flat, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
    made = dataset(luma, PhotometricInterpretation=kind)
    if kind == "YBR_FULL_422":
        made.PixelData = luma.reshape(-1, 2, 3)[:, [0, 1, 0, 0], [0, 0, 1, 2]].tobytes()
    assert np.abs(shown(made, tmp_path, 3) - flat.astype(int)).max() <= 2


@pytest.mark.parametrize(
    ("kind", "syntax", "compress", "tolerance"),
    [("YBR_RCT", JPEG2000Lossless, {}, 0), ("YBR_ICT", JPEG2000, {"j2k_psnr": [60]}, 6)],
    ids=["YBR_RCT", "YBR_ICT"],
)
def test_colours_that_jpeg_2000_transforms_come_back(tmp_path, kind, syntax, compress, tolerance):
    pixels = smooth((70, 66, 3), 8)
    made = dataset(pixels, PhotometricInterpretation=kind)
    made.compress(syntax, arr=pixels, **compress)
    assert np.abs(shown(made, tmp_path, 3).astype(int) - pixels).max() <= tolerance


def with_palette(made: Dataset, colours: np.ndarray, bits: int, first: int = 0) -> Dataset:
    made.PhotometricInterpretation = "PALETTE COLOR"
    for number, name in enumerate(("Red", "Green", "Blue")):
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [len(colours) % 2**16, first, bits])
        setattr(made, f"{name}PaletteColorLookupTableData", colours[:, number].tobytes())
    return made


@pytest.mark.parametrize("kind", ["8 bits", "16 bits", "8 in 16 bits", "many", "offset"])
def test_palettes_are_applied(tmp_path, kind):
    colours = np.random.default_rng(3).integers(0, 256, (1000, 3), dtype=np.uint8)
    pixels = smooth(bits=8)
    if kind == "8 bits":
        made, expected = with_palette(dataset(pixels), colours[:256], 8), colours[pixels]
    elif kind == "16 bits":
        made, expected = with_palette(dataset(pixels), colours[:256].astype("<u2") * 257, 16), colours[pixels]
    elif kind == "8 in 16 bits":
        made, expected = with_palette(dataset(pixels), colours[:256].astype("<u2"), 16), colours[pixels]
    elif kind == "many":  # more than 256 colours of eight bits, which pydicom 3.0 counts modulo 256
        pixels = smooth(bits=12) % 1000
        made, expected = with_palette(dataset(pixels, 12), colours, 8), colours[pixels]
    else:
        made = with_palette(dataset(pixels), colours[:100], 8, first=50)
        expected = colours[np.clip(pixels.astype(int) - 50, 0, 99)]
    assert (shown(made, tmp_path, 3) == expected).all()


def test_a_segmented_palette_is_applied(tmp_path):
    made = dataset(np.arange(256, dtype=np.uint8).reshape(16, 16), PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        segments = np.array([0, 1, 0, 1, 255, 65535], "<u2")  # one entry of 0, then a line of 255 up to 65535
        setattr(made, f"Segmented{name}PaletteColorLookupTableData", segments.tobytes())
    assert (shown(made, tmp_path, 3)[..., 1].ravel() == np.arange(256)).all()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEGLosslessSV1], ids=lambda uid: uid.keyword)
def test_one_frame_or_all_of_them(tmp_path, syntax):
    frames = np.stack([smooth(seed=seed) // (seed + 2) + 40 for seed in range(3)])
    write(tmp_path / "a.dcm", frames, syntax, bits=12, frames=3)

    def read(frame):
        return read_image(tmp_path, "a.dcm", images(frame=frame))[..., 0]

    for frame, number in (("first", 0), ("middle", 1), ("last", 2), (1, 1)):
        assert (read(frame) == spread(frames[number], frames[number].min(), frames[number].max())).all()
    tiles = spread(frames, frames.min(), frames.max())
    assert (read("montage") == np.block([[tiles[0], tiles[1]], [tiles[2], 0 * tiles[2]]])).all()
    for frame in (3, -1):
        with pytest.raises(UserError, match=f"no frame {frame}, it has 3"):
            read(frame)


@pytest.mark.parametrize("shared", [True, False])
def test_enhanced_files_keep_rescale_and_window_with_their_frames(tmp_path, shared):
    pixels = smooth().astype(np.int16)
    transformation, window, groups = Dataset(), Dataset(), Dataset()
    transformation.RescaleSlope, transformation.RescaleIntercept = 2, -1000
    window.WindowCenter, window.WindowWidth = 500, 900
    groups.PixelValueTransformationSequence = Sequence([transformation])
    groups.FrameVOILUTSequence = Sequence([window])
    made = dataset(pixels)
    setattr(made, f"{'Shared' if shared else 'PerFrame'}FunctionalGroupsSequence", Sequence([groups]))
    flat = dataset(pixels, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=500, WindowWidth=900)
    assert (shown(made, tmp_path) == slowly(flat)).all()
    assert (shown(made, tmp_path, windows=["bone"]) == spread(pixels * 2.0 - 1000, -800, 2000)).all()


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian], ids=lambda uid: uid.keyword)
def test_files_without_preamble_are_read(tmp_path, syntax):
    pixels = smooth()
    path = write(tmp_path / "whole.dcm", pixels, syntax, bits=12, Modality=None)
    data, start = path.read_bytes(), b"\x08\x00\x16\x00"  # the first element behind the file meta
    (tmp_path / "a.dcm").write_bytes(data[data.index(start) :])
    read = read_image(tmp_path, "a.dcm", images())[..., 0]
    assert (read == spread(pixels, pixels.min(), pixels.max())).all()


@pytest.mark.parametrize("name", ["1.2.840.4711", "IM000001", "a.DCM", "a.dicom", "a.ima"])
def test_files_are_known_by_suffix_or_preamble(tmp_path, name):
    write(tmp_path / name, smooth(bits=8))
    assert read_image(tmp_path, name, images()).shape == (70, 66, 1)


@pytest.mark.parametrize(
    "keyword", ["SamplesPerPixel", "PhotometricInterpretation", "PixelRepresentation", "BitsStored", "HighBit"]
)
def test_what_can_be_told_may_be_missing(tmp_path, keyword):
    pixels = smooth(bits=8)
    assert (shown(dataset(pixels, **{keyword: None}), tmp_path) == pixels).all()


def test_headers_are_technical_and_tell_nothing_of_the_patient(tmp_path):
    made = dataset(smooth(), 12, Manufacturer="ACME", PixelSpacing=[0.5, 0.25], PatientSex="F", PatientAge="042Y")
    secret = {
        "InstitutionName": "Saint Secret", "InstitutionAddress": "1 Secret Way", "ReferringPhysicianName": "Secret^Who",
        "StudyDate": "20200202", "PatientBirthDate": "19780101", "AccessionNumber": "SECRET1", "StationName": "SECRET2",
        "StudyDescription": "secret", "DeviceSerialNumber": "SECRET3", "StudyInstanceUID": "1.2.3.4.5",
    }  # fmt: skip
    for keyword, value in secret.items():
        setattr(made, keyword, value)
    save(tmp_path / "a.dcm", made)
    headers = read_image_with_headers(tmp_path, "a.dcm", images()).headers
    assert headers == {
        "BitsStored": "12", "Columns": "66", "Manufacturer": "ACME", "Modality": "OT", "PatientAge": "042Y",
        "PatientSex": "F", "PhotometricInterpretation": "MONOCHROME2", "PixelSpacing": "0.5\\0.25", "Rows": "70",
        "TransferSyntax": "Explicit VR Little Endian",
    }  # fmt: skip


def test_no_header_that_could_name_somebody_is_technical():
    kinds = {keyword: dictionary_VR(keyword) for keyword in dicom.TECHNICAL}
    texts = {"Manufacturer", "ManufacturerModelName", "SoftwareVersions", "ConvolutionKernel"}
    assert {keyword for keyword, kind in kinds.items() if kind in ("LO", "SH", "ST", "LT", "UT", "UC")} == texts
    assert not {keyword for keyword, kind in kinds.items() if kind in ("PN", "DA", "TM", "DT", "UI", "SQ", "AE")}


def test_great_ages_are_not_told(tmp_path):
    for age, told in (("089Y", "089Y"), ("093Y", "090Y"), ("011M", "011M")):
        save(tmp_path / "a.dcm", dataset(smooth(bits=8), PatientAge=age))
        assert read_image_with_headers(tmp_path, "a.dcm", images()).headers["PatientAge"] == told


def test_errors_do_not_quote_headers(tmp_path):
    path = write(tmp_path / "a.dcm", smooth(), bits=12, WindowCenter="11112222", WindowWidth="900")
    path.write_bytes(path.read_bytes().replace(b"11112222", b"DOE^JANE"))
    with pytest.raises(UserError, match="could not convert string to float: ...") as caught:
        read_image(tmp_path, "a.dcm", images())
    assert "DOE" not in str(caught.value)


def test_any_header_can_be_asked_for(tmp_path):
    path = write(tmp_path / "a.dcm", smooth(), bits=12, PixelSpacing=[0.5, 0.25])
    asked = ["PatientID", "PatientName", "PixelSpacing", "StudyDate", "Rows", "TransferSyntaxUID"]
    found = read_dicom_headers(path, asked)
    assert list(found) == asked
    assert list(found.values()) == ["4711", "DOE^JANE", "0.5\\0.25", "", "70", "1.2.840.10008.1.2.1"]


@pytest.mark.parametrize(
    ("keyword", "message"),
    [("PatientIDD", "unknown DICOM keyword 'PatientIDD' .did you mean 'PatientID'"), ("PixelData", "holds no text")],
)
def test_keywords_are_checked(tmp_path, keyword, message):
    path = write(tmp_path / "a.dcm", smooth())
    with pytest.raises(UserError, match=message):
        read_dicom_headers(path, [keyword])


def test_headers_of_what_is_no_dicom_are_an_error(tmp_path):
    (tmp_path / "a.dcm").write_text("hello")
    for name in ("a.dcm", "gone.dcm"):
        with pytest.raises(UserError, match=f"{name}: unreadable headers"):
            read_dicom_headers(tmp_path / name, ["PatientID"])


# Every file with pydicom 3.0 that is an image or looks like one: the shape that is read, or why it is not.
DECODED = {
    "693_J2KI.dcm": (512, 512),
    "CT_small.dcm": (128, 128),
    "ExplVR_BigEnd.dcm": (60, 80, 3),
    "GDCMJ2K_TextGBR.dcm": (400, 400, 3),
    "J2K_pixelrep_mismatch.dcm": (512, 512),
    "JPEG2000.dcm": (1024, 256),
    "JPEGLSNearLossless_08.dcm": (45, 10),
    "JPEGLSNearLossless_16.dcm": (50, 10),
    "MR_small.dcm": (64, 64),
    "MR_small_RLE.dcm": (64, 64),
    "MR_small_bigendian.dcm": (64, 64),
    "MR_small_expb.dcm": (64, 64),
    "MR_small_implicit.dcm": (64, 64),
    "MR_small_jp2klossless.dcm": (64, 64),
    "MR_small_jpeg_ls_lossless.dcm": (64, 64),
    "MR_small_padded.dcm": (64, 64),
    "SC_jpeg_no_color_transform.dcm": (256, 256, 3),
    "SC_jpeg_no_color_transform_2.dcm": (256, 256, 3),
    "SC_rgb_dcmtk_+eb+cr.dcm": (100, 100, 3),
    "SC_rgb_dcmtk_+eb+cy+n1.dcm": (100, 100, 3),
    "SC_rgb_dcmtk_+eb+cy+n2.dcm": (100, 100, 3),
    "SC_rgb_dcmtk_+eb+cy+np.dcm": (100, 100, 3),
    "SC_rgb_dcmtk_+eb+cy+s2.dcm": (100, 100, 3),
    "SC_rgb_dcmtk_+eb+cy+s4.dcm": (100, 100, 3),
    "SC_rgb_gdcm_KY.dcm": (100, 100, 3),
    "SC_rgb_jls_lossy_line.dcm": (100, 100, 3),
    "SC_rgb_jls_lossy_sample.dcm": (100, 100, 3),
    "SC_rgb_jpeg.dcm": (256, 256, 3),
    "SC_rgb_jpeg_app14_dcmd.dcm": (256, 256, 3),
    "SC_rgb_jpeg_dcmd.dcm": (256, 256, 3),
    "SC_rgb_jpeg_dcmtk.dcm": (100, 100, 3),
    "SC_rgb_jpeg_gdcm.dcm": (100, 100, 3),
    "SC_rgb_jpeg_lossy_gdcm.dcm": (100, 100, 3),
    "SC_rgb_rle.dcm": (100, 100, 3),
    "SC_rgb_rle_16bit.dcm": (100, 100, 3),
    "SC_rgb_rle_16bit_2frame.dcm": (100, 100, 3),
    "SC_rgb_rle_2frame.dcm": (100, 100, 3),
    "SC_rgb_rle_32bit.dcm": (100, 100, 3),
    "SC_rgb_rle_32bit_2frame.dcm": (100, 100, 3),
    "SC_rgb_small_odd.dcm": (3, 3, 3),
    "SC_rgb_small_odd_big_endian.dcm": (3, 3, 3),
    "SC_rgb_small_odd_jpeg.dcm": (3, 3, 3),
    "SC_ybr_full_422_uncompressed.dcm": (100, 100, 3),
    "examples_jpeg2k.dcm": (480, 640, 3),
    "examples_overlay.dcm": (300, 484),
    "examples_palette.dcm": (350, 800, 3),
    "examples_rgb_color.dcm": (240, 320, 3),
    "examples_ybr_color.dcm": (240, 320, 3),
    "image_dfl.dcm": (512, 512),
    "liver_1frame.dcm": (512, 512),
    "liver_expb_1frame.dcm": (512, 512),
    "rtdose.dcm": (10, 10),
    "rtdose_1frame.dcm": (10, 10),
    "rtdose_expb.dcm": (10, 10),
    "rtdose_expb_1frame.dcm": (10, 10),
    "rtdose_rle.dcm": (10, 10),
    "rtdose_rle_1frame.dcm": (10, 10),
}
TWELVE_BITS = "1.2.840.10008.1.2.4.51 (JPEG Extended (Process 2 and 4)); the package pylibjpeg-libjpeg (GPL) has one"
REFUSED = {
    "JPEG-lossy.dcm": TWELVE_BITS,
    "JPGExtended.dcm": TWELVE_BITS,
    "JPEG2000-embedded-sequence-delimiter.dcm": "damaged: JPEG 2000 Image Compression, frame 0 of 1",
    "MR_truncated.dcm": "bytes of pixel data is less than expected (8130 vs 8192 bytes)",
    "badVR.dcm": "NumberOfFrames is no number",
    "meta_missing_tsyntax.dcm": "no Rows in it",
    "nested_priv_SQ.dcm": "no Rows in it",
}
NO_PIXELS = {
    "ExplVR_BigEndNoMeta.dcm", "ExplVR_LitEndNoMeta.dcm", "UN_sequence.dcm", "empty_charset_LEI.dcm", "no_meta.dcm",
    "no_meta_group_length.dcm", "priv_SQ.dcm", "reportsi.dcm", "reportsi_with_empty_number_tags.dcm", "rtplan.dcm",
    "rtplan_truncated.dcm", "rtstruct.dcm", "test-SR.dcm", "waveform_ecg.dcm",
}  # fmt: skip


def shipped(name: str) -> np.ndarray:
    """What is read of a file of pydicom's own, (height, width[, 3])."""
    return dicom.read(SHIPPED / name, "", images())[0]


def test_the_tables_name_every_file_that_pydicom_ships():
    here = {path.name for path in SHIPPED.glob("*.dcm")}
    assert here == set(DECODED) | set(REFUSED) | NO_PIXELS


@pytest.mark.parametrize("name", DECODED)
def test_files_of_pydicom_are_decoded(name):
    pixels = shipped(name)
    assert (pixels.shape, pixels.dtype) == (DECODED[name], np.uint8)
    assert pixels.min() < pixels.max()


@pytest.mark.parametrize("name", [*REFUSED, *sorted(NO_PIXELS)])
def test_files_of_pydicom_are_refused_with_a_reason(name):
    if REFUSED.get(name) == TWELVE_BITS and find_spec("libjpeg"):
        pytest.skip("pylibjpeg-libjpeg is installed")
    reason = REFUSED.get(name, "no pixels in it|not a DICOM file")
    with pytest.raises(UserError, match=re.escape(reason) if name in REFUSED else reason):
        read_image(SHIPPED, name, images())


def test_the_files_of_pydicoms_folders_have_names_without_suffix():
    folder = SHIPPED / "dicomdirtests"
    found = [path for path in folder.rglob("*") if path.is_file() and path.parent.name[:2] in ("CR", "CT", "MR")]
    assert len(found) == 31
    for path in found:
        assert read_image(folder, os.fspath(path.relative_to(folder)), images()).shape == (16, 16, 1)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        *[(f"MR_small_{kind}.dcm", "MR_small.dcm") for kind in ("RLE", "bigendian", "expb", "implicit", "padded")],
        ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("SC_rgb_small_odd_big_endian.dcm", "SC_rgb_small_odd.dcm"),
        ("SC_rgb_jpeg_gdcm.dcm", "SC_rgb_rle.dcm"),
        ("SC_rgb_gdcm_KY.dcm", "SC_rgb_rle.dcm"),
        *[(f"SC_rgb_rle_{kind}.dcm", "SC_rgb_rle.dcm") for kind in ("16bit", "32bit", "2frame")],
        ("SC_rgb_rle_16bit_2frame.dcm", "SC_rgb_rle.dcm"),
        ("SC_rgb_rle_32bit_2frame.dcm", "SC_rgb_rle.dcm"),
        ("SC_rgb_jpeg.dcm", "SC_rgb_jpeg_dcmd.dcm"),
        ("SC_jpeg_no_color_transform.dcm", "SC_rgb_jpeg_dcmd.dcm"),
        ("SC_jpeg_no_color_transform_2.dcm", "SC_rgb_jpeg_app14_dcmd.dcm"),
        ("rtdose_rle.dcm", "rtdose.dcm"),
        ("rtdose_expb.dcm", "rtdose.dcm"),
        ("rtdose_rle_1frame.dcm", "rtdose_1frame.dcm"),
        ("rtdose_expb_1frame.dcm", "rtdose_1frame.dcm"),
        ("liver_expb_1frame.dcm", "liver_1frame.dcm"),
    ],
)
def test_one_picture_in_two_transfer_syntaxes_is_one(name, other):
    assert (shipped(name) == shipped(other)).all()


@pytest.mark.parametrize(
    "kind",
    [
        "dcmtk_+eb+cr", "dcmtk_+eb+cy+n1", "dcmtk_+eb+cy+n2", "dcmtk_+eb+cy+np", "dcmtk_+eb+cy+s2", "dcmtk_+eb+cy+s4",
        "jpeg_dcmtk", "jpeg_lossy_gdcm", "jls_lossy_line", "jls_lossy_sample", "ybr_full_422_uncompressed",
    ],
)  # fmt: skip
def test_lossy_kinds_of_one_picture_have_its_colours(kind):
    # Ten bands of ten rows; some are subsampled, so their middles are compared.
    name = f"SC_{kind}.dcm" if kind.startswith("ybr") else f"SC_rgb_{kind}.dcm"
    assert np.abs(shipped(name)[5::10].astype(int) - shipped("SC_rgb_rle.dcm")[5::10]).max() <= 6


def test_a_lossy_kind_of_a_small_picture_comes_close():
    difference = shipped("SC_rgb_small_odd_jpeg.dcm").astype(int) - shipped("SC_rgb_small_odd.dcm")
    assert np.abs(difference).max() <= 4


@pytest.mark.parametrize(
    "name", ["693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "JPEGLSNearLossless_16.dcm", "CT_small.dcm"]
)
def test_no_other_decoder_of_pydicom_gives_other_values(name):
    made = pydicom.dcmread(SHIPPED / name)
    assert (dicom._decoded(dicom._dataset(SHIPPED / name), range(1))[0] == made.pixel_array).all()


def test_a_jpeg_that_is_called_lossless_and_is_not_is_read(tmp_path):
    pixels = smooth(bits=8).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])
    made = encapsulated(dataset(pixels), JPEGLosslessSV1, [jpeg.tobytes()])
    assert np.abs(shown(made, tmp_path).astype(int) - pixels).max() <= 8


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEGLSNearLossless], ids=lambda uid: uid.keyword)
def test_a_jpeg_ls_with_a_stray_byte_before_its_end_is_read(tmp_path, syntax):
    pixels = smooth(bits=8).astype(np.uint8)
    made = dataset(pixels)
    made.compress(syntax, generate_instance_uid=False)
    frame = bytes(pydicom.encaps.get_frame(made.PixelData, 0, number_of_frames=1)).rstrip(b"\0")
    assert frame.endswith(b"\xff\xd9")
    made = encapsulated(made, syntax, [frame[:-2] + b"\0" + frame[-2:]])
    assert np.abs(shown(made, tmp_path).astype(int) - pixels).max() <= 3


def test_what_no_decoder_reads_and_no_pixels_are_told(tmp_path):
    made = dataset(smooth(bits=8).astype(np.uint8))
    made.PixelData = b""
    with pytest.raises(UserError, match="no pixels in it"):
        shown(made, tmp_path)
    made = dataset(smooth(bits=8).astype(np.uint8))
    made.compress(RLELossless, generate_instance_uid=False, encoding_plugin="pydicom")
    made.BitsAllocated = made.BitsStored = 1
    made.HighBit = 0
    with pytest.raises(UserError, match="one bit per pixel in RLE Lossless, which no decoder reads"):
        shown(made, tmp_path)
