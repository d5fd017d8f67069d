"""TIFF variants written by tifffile and libtiff are read."""

import io

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from tests.support.helpers import refused
from tests.support.image_files import ALPHA, COLOUR, DEEP, FLOAT, GREY, noise, read, scale_to_uint8
from tests.support.noise_images import COLOUR_NOISE, GREY_NOISE, NOISE, read_content

# Variants written by tifffile: (values, options, expected pixels).
PALETTE = noise((3, 256), 65536, np.uint16)

TIFFS = {
    "bytes": (GREY, {"photometric": "minisblack"}, GREY),
    "16 bits": (DEEP, {"photometric": "minisblack"}, DEEP),
    "big endian": (DEEP, {"photometric": "minisblack", "byteorder": ">"}, DEEP),
    "signed": (DEEP.astype(np.int32) - 30000, {"photometric": "minisblack"}, DEEP),
    "32 bits": (DEEP.astype(np.uint32) * 70000, {"photometric": "minisblack"}, DEEP),
    "half": (FLOAT.astype(np.float16), {"photometric": "minisblack"}, FLOAT.astype(np.float16)),
    "float": (FLOAT, {"photometric": "minisblack"}, FLOAT),
    "double": (FLOAT.astype(np.float64), {"photometric": "minisblack"}, FLOAT),
    "deflate": (DEEP, {"photometric": "minisblack", "compression": "zlib", "predictor": True}, DEEP),
    "tiles": (np.tile(DEEP, (3, 3)), {"photometric": "minisblack", "tile": (32, 32)}, np.tile(DEEP, (3, 3))),
    "BigTIFF": (DEEP, {"photometric": "minisblack", "bigtiff": True}, DEEP),
    "white is zero": (GREY, {"photometric": "miniswhite"}, 255 - GREY),
    "white is zero in 16 bits": (DEEP, {"photometric": "miniswhite"}, 65535 - DEEP),
    "one bit": (GREY > 100, {"photometric": "minisblack"}, GREY > 100),
    "one bit, white is zero": (GREY > 100, {"photometric": "miniswhite"}, GREY <= 100),
    "grey with alpha": (
        np.dstack([GREY, ALPHA]),
        {"photometric": "minisblack", "extrasamples": ["unassalpha"], "planarconfig": "contig"},
        GREY,
    ),
    "colour": (COLOUR, {"photometric": "rgb"}, COLOUR),
    "deflated colour": (COLOUR, {"photometric": "rgb", "compression": "zlib"}, COLOUR),
    "deep colour": (COLOUR.astype(np.uint16) * 257, {"photometric": "rgb"}, COLOUR),
    "colour by plane": (np.moveaxis(COLOUR, 2, 0), {"photometric": "rgb", "planarconfig": "separate"}, COLOUR),
    "deep colour by plane": (
        np.moveaxis(COLOUR, 2, 0).astype(np.uint16) * 257,
        {"photometric": "rgb", "planarconfig": "separate"},
        COLOUR,
    ),
    "colour with alpha": (np.dstack([COLOUR, ALPHA]), {"photometric": "rgb", "extrasamples": ["unassalpha"]}, COLOUR),
    "palette": (GREY, {"photometric": "palette", "colormap": PALETTE}, (PALETTE.T[GREY] >> 8).astype(np.uint8)),
    "palette in BigTIFF": (
        GREY,
        {"photometric": "palette", "colormap": PALETTE, "bigtiff": True},
        (PALETTE.T[GREY] >> 8).astype(np.uint8),
    ),
}


@pytest.mark.parametrize("case", TIFFS)
def test_tifffile_variants_are_read(tmp_path, case):
    values, options, expected = TIFFS[case]
    tifffile.imwrite(tmp_path / "a.tif", values, metadata=None, **options)
    found = read(tmp_path / "a.tif", 3 if expected.ndim == 3 else 1)
    deep = expected.dtype != np.uint8 or values.dtype == np.uint16
    assert (found == (scale_to_uint8(expected, expected.min(), expected.max()) if deep else expected)).all()


LIBTIFF = [
    *[(kind, how) for kind in ("grey", "colour", "deep", "float", "alpha", "CMYK") for how in ("tiff_lzw", "packbits")],
    *[(kind, "tiff_adobe_deflate") for kind in ("grey", "colour", "deep", "float", "alpha", "CMYK")],
    ("grey", "jpeg"),
    ("colour", "jpeg"),
    ("1 bit", "group4"),
]


@pytest.mark.parametrize(("kind", "compression"), LIBTIFF)
def test_libtiff_compressions_are_read(tmp_path, kind, compression):
    colours = {"alpha": np.dstack([COLOUR, ALPHA]), "colour": COLOUR, "CMYK": COLOUR}
    values = (colours | {"grey": GREY, "deep": DEEP, "float": FLOAT, "1 bit": GREY > 100})[kind]
    image = Image.fromarray(values)
    (image.convert("CMYK") if kind == "CMYK" else image).save(tmp_path / "a.tif", compression=compression)
    expected = values[..., :3] if values.ndim == 3 else values
    if expected.dtype != np.uint8:
        expected = scale_to_uint8(expected, expected.min(), expected.max())
    found = read(tmp_path / "a.tif", 3 if expected.ndim == 3 else 1)
    assert np.abs(found.astype(int) - expected).max() <= (9 if compression == "jpeg" else 0)


def test_16_bit_lzw_colours_are_read(tmp_path):
    cv2.imwrite(str(tmp_path / "a.tif"), COLOUR[..., ::-1].astype(np.uint16) * 257)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].compression == 5
    assert (read(tmp_path / "a.tif", 3) == scale_to_uint8(COLOUR, COLOUR.min(), COLOUR.max())).all()


@pytest.mark.parametrize("values", [GREY, DEEP], ids=["bytes", "16 bits"])
def test_white_is_zero_is_inverted_in_compressed_tiffs(tmp_path, values):
    Image.fromarray(values).save(tmp_path / "black.tif", compression="tiff_lzw")
    black = (tmp_path / "black.tif").read_bytes()
    entry = b"\x06\x01\x03\x00\x01\x00\x00\x00"  # photometric interpretation, one short
    assert black.count(entry + b"\x01") == 1
    (tmp_path / "white.tif").write_bytes(black.replace(entry + b"\x01", entry + b"\x00"))
    assert (read(tmp_path / "white.tif") == 255 - read(tmp_path / "black.tif")).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["OpenCV", "tifffile", "16 bits"])
def test_tiff_orientation_is_applied(tmp_path, orientation, kind):
    values = DEEP if kind == "16 bits" else COLOUR
    Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo={274: orientation})
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO((tmp_path / "a.tif").read_bytes()))))
    if kind == "tifffile":  # OpenCV is not asked for BigTIFF
        tag = [(274, "H", 1, orientation, True)]
        tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", bigtiff=True, metadata=None, extratags=tag)
    expected = scale_to_uint8(upright, upright.min(), upright.max()) if kind == "16 bits" else upright
    assert (read(tmp_path / "a.tif", 1 if kind == "16 bits" else 3) == expected).all()


@pytest.mark.parametrize("kind", ["plain", "LZW", "LZW with alpha"])
def test_tiff_pages_are_frames(tmp_path, kind):
    alpha = kind == "LZW with alpha"
    pages = [np.dstack([COLOUR // (n + 1), ALPHA]) if alpha else GREY // (n + 1) for n in range(3)]
    first, *others = [Image.fromarray(page) for page in pages]
    options = {} if kind == "plain" else {"compression": "tiff_lzw"}
    first.save(tmp_path / "a.tif", save_all=True, append_images=others, **options)
    for frame, number in (("first", 0), ("middle", 1), ("last", 2), (2, 2)):
        found = read(tmp_path / "a.tif", 3 if alpha else 1, frame=frame)
        assert (found == (pages[number][..., :3] if alpha else pages[number])).all()
    with refused("no frame 3, only 3 .0 to 2."):
        read(tmp_path / "a.tif", 1, frame=3)


def test_montage_of_differently_sized_pages_is_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(GREY, photometric="minisblack")
        file.write(GREY[:9], photometric="minisblack")
    assert read(tmp_path / "a.tif", frame="last").shape == (9, 41)
    with refused("pages of several sizes"):
        read(tmp_path / "a.tif", frame="montage")


PLAIN = ("lzw", "zlib", "lzma", "zstd", "packbits", "none", "jpeg2000")
COLOURS = [(how, planar, kind) for how in PLAIN for planar in ("contig", "separate") for kind in ("8", "16", "alpha")]
LOSSLESS = {"webp": {"lossless": True}, "jpegxl": {"lossless": True}, "jpeg2000": {"level": 0}}


@pytest.mark.parametrize(
    ("compression", "planar", "kind"), [*COLOURS, ("webp", "contig", "8"), ("jpegxl", "contig", "8")]
)
def test_tiff_colours_survive_every_compression(tmp_path, compression, planar, kind):
    values = NOISE.integers(0, 65536, (23, 37, 3), np.uint16) if kind == "16" else COLOUR_NOISE
    options = {"photometric": "rgb", "planarconfig": planar, "compression": compression}
    if compression in LOSSLESS:
        options["compressionargs"] = LOSSLESS[compression]
    written = np.dstack([values, NOISE.integers(0, 256, (23, 37), np.uint8)]) if kind == "alpha" else values
    if kind == "alpha":
        options["extrasamples"] = ["assocalpha"]
    written = np.moveaxis(written, -1, 0) if planar == "separate" else written
    tifffile.imwrite(tmp_path / "a.tif", written, **options)
    found = [read_content(tmp_path, "a.tif", channels=3, range=(0, 65535)) for _ in range(2)]
    np.testing.assert_array_equal(found[0], found[1])
    expected = np.rint(values / 65535 * 255).astype(np.uint8) if kind == "16" else values
    np.testing.assert_array_equal(found[0], expected)


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14, 16])
@pytest.mark.parametrize("white", [False, True])
def test_tiff_grey_of_any_bit_depth_is_scaled(tmp_path, bits, white):
    most = 2**bits - 1
    values = NOISE.integers(0, most + 1, (16, 24)).astype(np.uint16 if bits > 8 else np.uint8)
    values.flat[:2] = 0, most
    packed = values.astype(bool) if bits == 1 else values
    kind = "miniswhite" if white else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", packed, bitspersample=bits, photometric=kind)
    found = read_content(tmp_path, "a.tif", channels=1)[..., 0]
    expected = np.rint((most - values if white else values) / most * 255)
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32", "float64"])
@pytest.mark.parametrize(
    ("compression", "predictor"), [("none", False), ("lzw", False), ("lzw", True), ("zlib", False), ("zlib", True)]
)
def test_tiff_signed_and_float_values_are_scaled(tmp_path, dtype, compression, predictor):
    values = (NOISE.integers(-100, 100, (16, 24))).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, compression=compression, predictor=predictor)
    found = read_content(tmp_path, "a.tif", channels=1, range=(-100, 100))[..., 0]
    np.testing.assert_array_equal(found, np.rint((values.astype(float) + 100) / 200 * 255))


@pytest.mark.parametrize("shift", [0, 8], ids=["eight bits in sixteen", "sixteen bits"])
@pytest.mark.parametrize("compression", ["none", "lzw"])
def test_tiff_palettes_are_applied(tmp_path, shift, compression):
    palette = NOISE.integers(0, 256, (3, 256), np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif", GREY_NOISE, photometric="palette", colormap=palette << shift, compression=compression
    )
    np.testing.assert_array_equal(read_content(tmp_path, "a.tif", channels=3), palette.T[GREY_NOISE].astype(np.uint8))


def test_tiff_cmyk_is_converted_to_rgb(tmp_path):
    ink = NOISE.integers(0, 256, (23, 37, 4), np.uint8)
    for compression in ("none", "lzw"):
        tifffile.imwrite(tmp_path / "a.tif", ink, photometric="separated", compression=compression)
        found = read_content(tmp_path, "a.tif", channels=3).astype(int)
        expected = np.asarray(Image.fromarray(ink, "CMYK").convert("RGB")).astype(int)
        assert np.abs(found - expected).max() <= 1


def test_imagej_channel_axis_becomes_channels(tmp_path):
    pages = NOISE.integers(0, 256, (3, 23, 37), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, imagej=True, metadata={"axes": "CYX"})
    np.testing.assert_array_equal(read_content(tmp_path, "a.tif", channels=3), pages.transpose(1, 2, 0))
    np.testing.assert_array_equal(read_content(tmp_path, "a.tif", channels=1)[..., 0], pages[0])
    tifffile.imwrite(tmp_path / "a.tif", pages, imagej=True, metadata={"axes": "ZYX"})
    np.testing.assert_array_equal(read_content(tmp_path, "a.tif", channels=3, frame="last")[..., 0], pages[2])
