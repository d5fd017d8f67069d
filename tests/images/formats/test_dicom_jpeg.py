"""Checks of JPEG frames before they reach decoders that crash on damaged ones."""

import struct

import pytest

from medfold.images.formats import dicom_jpeg
from medfold.images.formats.failures import ImageError


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def frame_header(height=4, width=5, samples=1, bits=8) -> bytes:
    return struct.pack(">BHHB", bits, height, width, samples) + b"\1\x11\0" * samples


TABLES = segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\x07")  # a Huffman table of one code
SCAN = segment(0xDA, b"\1\1\0\1\0\0")


def jpeg(*segments: bytes) -> bytes:
    return dicom_jpeg.START_OF_IMAGE + b"".join(segments)


def check_lossless(frame: bytes) -> None:
    dicom_jpeg.check_lossless(frame, height=4, width=5, samples=1, bits_allocated=8)


def test_whole_lossless_jpeg_is_accepted():
    assert check_lossless(jpeg(segment(0xE0, b"JFIF"), segment(0xC3, frame_header()), TABLES, SCAN)) is None


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (b"no JPEG", "not a JPEG"),
        (jpeg(segment(0xC0, frame_header()), TABLES, SCAN), "not JPEG Lossless"),
        (jpeg(segment(0xC3, frame_header(height=3)), TABLES, SCAN), "a different size than the DICOM headers"),
        (jpeg(segment(0xC3, frame_header(samples=3)), TABLES, SCAN), "a different size than the DICOM headers"),
        (jpeg(segment(0xC3, frame_header(bits=12)), TABLES, SCAN), "a JPEG of 12 bits in 8"),
        (jpeg(segment(0xC3, frame_header()), segment(0xC4, b"\0" * 20), SCAN), "a broken table"),
        (jpeg(segment(0xC3, frame_header()), SCAN), "a JPEG without tables"),
        (jpeg(segment(0xC3, frame_header()), TABLES), "a broken header"),
    ],
)
def test_damaged_lossless_jpeg_is_refused(frame, message):
    with pytest.raises(ImageError, match=message):
        check_lossless(frame)


def test_jpeg_without_end_marker_is_refused():
    assert dicom_jpeg.check_end(jpeg(SCAN) + dicom_jpeg.END_OF_IMAGE) is None
    with pytest.raises(ImageError, match="a JPEG that is cut off"):
        dicom_jpeg.check_end(jpeg(SCAN))


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (jpeg(segment(0xE0, b"JFIF"), segment(0xC0, frame_header())), True),
        (jpeg(segment(0xC1, frame_header(bits=12))), False),
        (jpeg(segment(0xC3, frame_header())), False),
        (jpeg(), False),
    ],
    ids=["baseline", "12 bits", "lossless", "empty"],
)
def test_baseline_jpeg_is_recognised_by_its_frame_header(frame, expected):
    assert dicom_jpeg.is_baseline(frame) is expected
