"""TIFF, BMP, PNG, JPEG and array variants, compared with a second decoder or with known bytes."""

import io
import struct

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from medfold.competition.facts_sections import ImageFacts
from medfold.errors import UserError
from medfold.images.formats.decoding import read_image
from medfold.images.formats.file_contents import count_pages

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (23, 37), np.uint8)
COLOUR = RNG.integers(0, 256, (23, 37, 3), np.uint8)
DEEP = RNG.integers(0, 65536, (23, 37), np.uint16)


def read(folder, name, content=None, **facts):
    if content is not None:
        (folder / name.partition("#")[0]).write_bytes(content)
    return read_image(folder, name, ImageFacts(train="x", **facts))


def saved(image, kind, **options):
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


PLAIN = ("lzw", "zlib", "lzma", "zstd", "packbits", "none", "jpeg2000")
COLOURS = [(how, planar, kind) for how in PLAIN for planar in ("contig", "separate") for kind in ("8", "16", "alpha")]
LOSSLESS = {"webp": {"lossless": True}, "jpegxl": {"lossless": True}, "jpeg2000": {"level": 0}}


@pytest.mark.parametrize(
    ("compression", "planar", "kind"), [*COLOURS, ("webp", "contig", "8"), ("jpegxl", "contig", "8")]
)
def test_tiff_colours_survive_every_compression(tmp_path, compression, planar, kind):
    values = RNG.integers(0, 65536, (23, 37, 3), np.uint16) if kind == "16" else COLOUR
    options = {"photometric": "rgb", "planarconfig": planar, "compression": compression}
    if compression in LOSSLESS:
        options["compressionargs"] = LOSSLESS[compression]
    written = np.dstack([values, RNG.integers(0, 256, (23, 37), np.uint8)]) if kind == "alpha" else values
    if kind == "alpha":
        options["extrasamples"] = ["assocalpha"]
    written = np.moveaxis(written, -1, 0) if planar == "separate" else written
    tifffile.imwrite(tmp_path / "a.tif", written, **options)
    found = [read(tmp_path, "a.tif", channels=3, range=(0, 65535)) for _ in range(2)]
    np.testing.assert_array_equal(found[0], found[1])
    expected = np.rint(values / 65535 * 255).astype(np.uint8) if kind == "16" else values
    np.testing.assert_array_equal(found[0], expected)


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14, 16])
@pytest.mark.parametrize("white", [False, True])
def test_tiff_grey_of_any_bit_depth_is_scaled(tmp_path, bits, white):
    most = 2**bits - 1
    values = RNG.integers(0, most + 1, (16, 24)).astype(np.uint16 if bits > 8 else np.uint8)
    values.flat[:2] = 0, most
    packed = values.astype(bool) if bits == 1 else values
    kind = "miniswhite" if white else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", packed, bitspersample=bits, photometric=kind)
    found = read(tmp_path, "a.tif", channels=1)[..., 0]
    expected = np.rint((most - values if white else values) / most * 255)
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32", "float64"])
@pytest.mark.parametrize(
    ("compression", "predictor"), [("none", False), ("lzw", False), ("lzw", True), ("zlib", False), ("zlib", True)]
)
def test_tiff_signed_and_float_values_are_scaled(tmp_path, dtype, compression, predictor):
    values = (RNG.integers(-100, 100, (16, 24))).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, compression=compression, predictor=predictor)
    found = read(tmp_path, "a.tif", channels=1, range=(-100, 100))[..., 0]
    np.testing.assert_array_equal(found, np.rint((values.astype(float) + 100) / 200 * 255))


@pytest.mark.parametrize("shift", [0, 8], ids=["eight bits in sixteen", "sixteen bits"])
@pytest.mark.parametrize("compression", ["none", "lzw"])
def test_tiff_palettes_are_applied(tmp_path, shift, compression):
    palette = RNG.integers(0, 256, (3, 256), np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif", GREY, photometric="palette", colormap=palette << shift, compression=compression
    )
    np.testing.assert_array_equal(read(tmp_path, "a.tif", channels=3), palette.T[GREY].astype(np.uint8))


def test_tiff_cmyk_is_converted_to_rgb(tmp_path):
    ink = RNG.integers(0, 256, (23, 37, 4), np.uint8)
    for compression in ("none", "lzw"):
        tifffile.imwrite(tmp_path / "a.tif", ink, photometric="separated", compression=compression)
        found = read(tmp_path, "a.tif", channels=3).astype(int)
        expected = np.asarray(Image.fromarray(ink, "CMYK").convert("RGB")).astype(int)
        assert np.abs(found - expected).max() <= 1


def test_imagej_channel_axis_becomes_channels(tmp_path):
    pages = RNG.integers(0, 256, (3, 23, 37), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, imagej=True, metadata={"axes": "CYX"})
    np.testing.assert_array_equal(read(tmp_path, "a.tif", channels=3), pages.transpose(1, 2, 0))
    np.testing.assert_array_equal(read(tmp_path, "a.tif", channels=1)[..., 0], pages[0])
    tifffile.imwrite(tmp_path / "a.tif", pages, imagej=True, metadata={"axes": "ZYX"})
    np.testing.assert_array_equal(read(tmp_path, "a.tif", channels=3, frame="last")[..., 0], pages[2])


def test_imagej_contiguous_stack_pages_are_found(tmp_path):
    pages = RNG.integers(0, 256, (5, 23, 37), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, imagej=True, metadata={"axes": "ZYX"}, contiguous=True)
    np.testing.assert_array_equal(read(tmp_path, "a.tif", channels=1, frame=3)[..., 0], pages[3])
    assert count_pages(tmp_path / "a.tif", ImageFacts(train="x")) == 5


def bmp(bits, rows, header=40, compression=0, masks=b""):
    """Builds the bytes of a BMP, bottom row first."""
    height, width = len(rows), 5
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, 0, 0, 0, 0, 0) + bytes(
            header - 40
        )
    body = b"".join(reversed(rows))
    start = 14 + len(info) + len(masks)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + info + masks + body


def test_bmp_variants_are_read_or_refused(tmp_path):
    white, black, red = 0x7FFF, 0, 0x7C00
    rows = [struct.pack("<5H", white, black, red, red, white) + b"\0\0"] * 4
    found = read(tmp_path, "a.bmp", bmp(16, rows), channels=3)
    assert found[0].tolist() == [[255] * 3, [0] * 3, [255, 0, 0], [255, 0, 0], [255] * 3]
    masks = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
    rows = [struct.pack("<5I", 0xFFFFFF, 0, 0xFF0000, 0xFF00, 0xFF)] * 4
    found = read(tmp_path, "b.bmp", bmp(32, rows, compression=3, masks=masks), channels=3)
    assert found[0].tolist() == [[255] * 3, [0] * 3, [255, 0, 0], [0, 255, 0], [0, 0, 255]]
    odd = struct.pack("<III", 0xFF, 0xFF00, 0xFF0000)
    with pytest.raises(UserError, match="unsupported bmp bitfields layout: save it as PNG"):
        read(tmp_path, "d.bmp", bmp(32, rows, compression=3, masks=odd), channels=3)
    rows = [bytes([0, 0, 255] * 5) + b"\0"] * 4  # blue, green, red
    assert (read(tmp_path, "c.bmp", bmp(24, rows, header=12), channels=3) == [255, 0, 0]).all()


def test_run_length_encoded_bmp_is_read(tmp_path):
    palette = b"".join(bytes([n, n, n, 0]) for n in range(256))
    lines = b"".join(bytes([5, 10 * n, 0, 0]) for n in range(1, 5)) + b"\0\1"
    info = struct.pack("<IiiHHIIiiII", 40, 5, 4, 1, 8, 1, len(lines), 0, 0, 256, 0)
    start = 14 + len(info) + len(palette)
    content = b"BM" + struct.pack("<IHHI", start + len(lines), 0, 0, start) + info + palette + lines
    assert read(tmp_path, "a.bmp", content, channels=1)[:, 0, 0].tolist() == [40, 30, 20, 10]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_of_png_and_webp_is_applied(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(Image.fromarray(COLOUR), kind, exif=exif, lossless=True)
    from PIL import ImageOps

    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    np.testing.assert_array_equal(read(tmp_path, f"a.{kind.lower()}", content, channels=3), expected)


def test_rotated_16_bit_png_keeps_its_depth(tmp_path):
    _, plain = cv2.imencode(".png", DEEP)
    exif = Image.Exif()
    exif[0x0112] = 6
    tag = exif.tobytes().removeprefix(b"Exif\0\0")
    import zlib

    chunk = struct.pack(">I", len(tag)) + b"eXIf" + tag + struct.pack(">I", zlib.crc32(b"eXIf" + tag))
    content = plain.tobytes()
    content = content[:33] + chunk + content[33:]
    found = read(tmp_path, "a.png", content, channels=1, range=(0, 65535))[..., 0]
    np.testing.assert_array_equal(found, np.rint(np.rot90(DEEP, -1) / 65535 * 255).astype(np.uint8))


@pytest.mark.parametrize(("kind", "ending"), [("PNG", "png"), ("GIF", "gif"), ("WEBP", "webp")])
def test_first_frame_of_animation_is_read(tmp_path, kind, ending):
    frames = [
        Image.fromarray(np.full((16, 16, 3), colour, np.uint8)) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))
    ]
    content = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, lossless=True)
    assert (read(tmp_path, f"a.{ending}", content, channels=3) == [255, 0, 0]).all()


@pytest.mark.parametrize(
    ("name", "kind"), [("a.pgm", "PPM"), ("a.gif", "GIF"), ("a.jp2", "JPEG2000"), ("a.bmp", "BMP")]
)
def test_grey_images_in_pillow_formats_are_read(tmp_path, name, kind):
    content = saved(Image.fromarray(GREY), kind)
    np.testing.assert_array_equal(read(tmp_path, name, content, channels=1)[..., 0], GREY)


def test_16_bit_pgm_keeps_its_depth(tmp_path):
    content = b"P5\n37 23\n65535\n" + DEEP.astype(">u2").tobytes()
    found = read(tmp_path, "a.pgm", content, channels=1, range=(0, 65535))[..., 0]
    np.testing.assert_array_equal(found, np.rint(DEEP / 65535 * 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.heic", "HEIC is not supported. Save it as PNG or JPEG"),
        ("a.nii", "NIfTI is not supported"),
        ("a.nii.gz", "NIfTI is not supported"),
        ("a.xyz", "unknown image format '.xyz'. Known: .png"),
    ],
)
def test_unsupported_formats_raise_with_their_name(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, name, bytes(200))


def test_jpeg_matches_second_decoder(tmp_path):
    smooth = cv2.GaussianBlur(RNG.integers(0, 256, (64, 80, 3), np.uint8), (0, 0), 4)
    for options in ({}, {"progressive": True}, {"subsampling": 0}):
        content = saved(Image.fromarray(smooth), "JPEG", quality=95, **options)
        other = imagecodecs.jpeg8_decode(content).astype(int)
        assert np.abs(read(tmp_path, "a.jpg", content, channels=3).astype(int) - other).max() <= 4


@pytest.mark.parametrize("name", ["a.npy", "a.npz#images/1", "a.h5#images/1"])
@pytest.mark.parametrize(
    ("axes", "channels"),
    [("hwc", 3), ("chw", 3), ("hwa", 3), ("hwa", 4), ("hw1", 1), ("1hw", 1), ("hw1", 3), ("hw", 3)],
)
def test_channel_axis_of_arrays_is_found(tmp_path, name, axes, channels):
    alpha = np.dstack([COLOUR, GREY])
    made = {
        "hwc": COLOUR,
        "chw": COLOUR.transpose(2, 0, 1),
        "hwa": alpha,
        "hw1": GREY[..., None],
        "1hw": GREY[None],
        "hw": GREY,
    }[axes]
    expected = {
        3: COLOUR if axes[0] == "c" or axes[-1] in "ca" else np.dstack([GREY] * 3),
        4: alpha,
        1: GREY[..., None],
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
    np.testing.assert_array_equal(read(tmp_path, name, channels=channels), expected[channels])


@pytest.mark.parametrize(
    ("shape", "channels"), [((3, 20, 3), 3), ((3, 20, 20), 1), ((4, 20, 20), 3), ((2, 3, 20, 3), 3)]
)
def test_ambiguous_array_shapes_raise(tmp_path, shape, channels):
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint8))
    with pytest.raises(UserError, match="two ways: which axis .*channels.*frames"):
        read(tmp_path, "a.npy", channels=channels)


def test_explicit_frame_resolves_ambiguous_axis(tmp_path):
    stack = RNG.integers(0, 256, (3, 20, 20), np.uint8)
    np.save(tmp_path / "a.npy", stack)
    np.testing.assert_array_equal(read(tmp_path, "a.npy", channels=1, frame="middle")[..., 0], stack[1])
    np.save(tmp_path / "b.npy", stack.transpose(1, 2, 0)[None].repeat(9, axis=0))
    np.testing.assert_array_equal(read(tmp_path, "b.npy", channels=3, frame=4), stack.transpose(1, 2, 0))


def test_8_bit_values_in_wide_integers_are_not_scaled(tmp_path):
    for dtype in (np.int32, np.int64, np.uint32):
        np.save(tmp_path / "a.npy", np.minimum(GREY, 200).astype(dtype))
        np.testing.assert_array_equal(read(tmp_path, "a.npy", channels=1)[..., 0], np.minimum(GREY, 200))
        np.savez(tmp_path / "a.npz", images=np.stack([GREY // 2, GREY]).astype(dtype))
        np.testing.assert_array_equal(read(tmp_path, "a.npz#images/0", channels=1)[..., 0], GREY // 2)
    np.save(tmp_path / "a.npy", GREY.astype(np.int32) * 100)  # the image's own range
    assert read(tmp_path, "a.npy", channels=1).max() == 255
