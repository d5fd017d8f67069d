"""TIFF, BMP, PNG, JPEG and array variants, compared with a second decoder or with known bytes."""

import io
import struct

import cv2
import imagecodecs
import numpy as np
import pytest
from PIL import Image

from tests.support.helpers import refused
from tests.support.noise_images import COLOUR_NOISE, DEEP_NOISE, GREY_NOISE, NOISE, read_content


def saved(image, kind, **options):
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


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
    found = read_content(tmp_path, "a.bmp", bmp(16, rows), channels=3)
    assert found[0].tolist() == [[255] * 3, [0] * 3, [255, 0, 0], [255, 0, 0], [255] * 3]
    masks = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
    rows = [struct.pack("<5I", 0xFFFFFF, 0, 0xFF0000, 0xFF00, 0xFF)] * 4
    found = read_content(tmp_path, "b.bmp", bmp(32, rows, compression=3, masks=masks), channels=3)
    assert found[0].tolist() == [[255] * 3, [0] * 3, [255, 0, 0], [0, 255, 0], [0, 0, 255]]
    odd = struct.pack("<III", 0xFF, 0xFF00, 0xFF0000)
    with refused("unsupported bmp bitfields layout: save it as PNG"):
        read_content(tmp_path, "d.bmp", bmp(32, rows, compression=3, masks=odd), channels=3)
    rows = [bytes([0, 0, 255] * 5) + b"\0"] * 4  # blue, green, red
    assert (read_content(tmp_path, "c.bmp", bmp(24, rows, header=12), channels=3) == [255, 0, 0]).all()


def test_run_length_encoded_bmp_is_read(tmp_path):
    palette = b"".join(bytes([n, n, n, 0]) for n in range(256))
    lines = b"".join(bytes([5, 10 * n, 0, 0]) for n in range(1, 5)) + b"\0\1"
    info = struct.pack("<IiiHHIIiiII", 40, 5, 4, 1, 8, 1, len(lines), 0, 0, 256, 0)
    start = 14 + len(info) + len(palette)
    content = b"BM" + struct.pack("<IHHI", start + len(lines), 0, 0, start) + info + palette + lines
    assert read_content(tmp_path, "a.bmp", content, channels=1)[:, 0, 0].tolist() == [40, 30, 20, 10]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_of_png_and_webp_is_applied(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(Image.fromarray(COLOUR_NOISE), kind, exif=exif, lossless=True)
    from PIL import ImageOps

    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    np.testing.assert_array_equal(read_content(tmp_path, f"a.{kind.lower()}", content, channels=3), expected)


def test_rotated_16_bit_png_keeps_its_depth(tmp_path):
    _, plain = cv2.imencode(".png", DEEP_NOISE)
    exif = Image.Exif()
    exif[0x0112] = 6
    tag = exif.tobytes().removeprefix(b"Exif\0\0")
    import zlib

    chunk = struct.pack(">I", len(tag)) + b"eXIf" + tag + struct.pack(">I", zlib.crc32(b"eXIf" + tag))
    content = plain.tobytes()
    content = content[:33] + chunk + content[33:]
    found = read_content(tmp_path, "a.png", content, channels=1, range=(0, 65535))[..., 0]
    np.testing.assert_array_equal(found, np.rint(np.rot90(DEEP_NOISE, -1) / 65535 * 255).astype(np.uint8))


@pytest.mark.parametrize(("kind", "ending"), [("PNG", "png"), ("GIF", "gif"), ("WEBP", "webp")])
def test_first_frame_of_animation_is_read(tmp_path, kind, ending):
    frames = [
        Image.fromarray(np.full((16, 16, 3), colour, np.uint8)) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))
    ]
    content = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, lossless=True)
    assert (read_content(tmp_path, f"a.{ending}", content, channels=3) == [255, 0, 0]).all()


@pytest.mark.parametrize(
    ("name", "kind"), [("a.pgm", "PPM"), ("a.gif", "GIF"), ("a.jp2", "JPEG2000"), ("a.bmp", "BMP")]
)
def test_grey_images_in_pillow_formats_are_read(tmp_path, name, kind):
    content = saved(Image.fromarray(GREY_NOISE), kind)
    np.testing.assert_array_equal(read_content(tmp_path, name, content, channels=1)[..., 0], GREY_NOISE)


def test_16_bit_pgm_keeps_its_depth(tmp_path):
    content = b"P5\n37 23\n65535\n" + DEEP_NOISE.astype(">u2").tobytes()
    found = read_content(tmp_path, "a.pgm", content, channels=1, range=(0, 65535))[..., 0]
    np.testing.assert_array_equal(found, np.rint(DEEP_NOISE / 65535 * 255).astype(np.uint8))


def test_jpeg_matches_second_decoder(tmp_path):
    smooth = cv2.GaussianBlur(NOISE.integers(0, 256, (64, 80, 3), np.uint8), (0, 0), 4)
    for options in ({}, {"progressive": True}, {"subsampling": 0}):
        content = saved(Image.fromarray(smooth), "JPEG", quality=95, **options)
        other = imagecodecs.jpeg8_decode(content).astype(int)
        assert np.abs(read_content(tmp_path, "a.jpg", content, channels=3).astype(int) - other).max() <= 4
