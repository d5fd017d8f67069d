"""The size that PNG, JPEG and JPEG 2000 declare is that of Pillow, which decodes them."""

import io

import numpy as np
import pytest
from PIL import Image

from medfold.images.formats.declared_size import declared_size
from medfold.images.formats.raster import PILLOW_FORMATS
from tests.support.image_files import noise

MODES = {"1": 1, "L": 1, "LA": 2, "P": 3, "RGB": 3, "RGBA": 4}


def encoded(mode, kind, size=(37, 21), **options):
    width, height = size
    grey = Image.fromarray(noise((height, width)))
    file = io.BytesIO()
    grey.convert(mode).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(("mode", "samples"), MODES.items())
def test_png_declares_size_and_channels(mode, samples):
    assert declared_size(encoded(mode, "PNG")) == (21, 37, samples)


def test_png_of_16_bits_has_two_bytes_per_sample():
    file = io.BytesIO()
    Image.fromarray(np.zeros((4, 5), np.uint16)).save(file, "PNG")
    assert declared_size(file.getvalue()) == (4, 5, 2)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"exif": b"Exif\0\0" + bytes(60_000)}, {"comment": b"x"}]
)
@pytest.mark.parametrize(("mode", "samples"), [("L", 1), ("RGB", 3), ("CMYK", 4)])
def test_jpeg_declares_size_behind_any_headers(mode, samples, options):
    assert declared_size(encoded(mode, "JPEG", **options)) == (21, 37, samples)


def test_jpeg_with_fill_bytes_declares_its_size():
    data = encoded("L", "JPEG")
    assert declared_size(data[:2] + b"\xff\xff\xff" + data[2:]) == (21, 37, 1)


@pytest.mark.skipif("JPEG2000" not in PILLOW_FORMATS, reason="this Pillow has no JPEG 2000")
@pytest.mark.parametrize(("mode", "samples"), [("L", 1), ("RGB", 3), ("I;16", 2)])
def test_jpeg_2000_codestream_declares_its_size(mode, samples):
    assert declared_size(encoded(mode, "JPEG2000", no_jp2=True)) == (21, 37, samples)


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a" + bytes(50), b"\xff\xd8\xff\xe0\0\1"]
)
def test_other_and_short_data_declare_nothing(data):
    assert declared_size(data) is None
