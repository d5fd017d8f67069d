"""Reasons why an image cannot be read: one line, no data of a patient."""

import struct
import zlib

import cv2
import pytest
from PIL import Image

from medfold.competition import ImageFacts
from medfold.errors import UserError
from medfold.images import read_image
from medfold.images.formats.failures import FIX
from tests.support.broken_files import encoded


def test_any_library_error_becomes_one_line(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(encoded("PNG"))
    problems = {
        MemoryError(): "not enough memory",
        RecursionError("maximum recursion depth exceeded"): "maximum recursion depth exceeded",
        AttributeError("'NoneType' object has no attribute 'encode'"): "... object has no attribute ...",
        struct.error("unpack requires a buffer of 4 bytes"): "unpack requires a buffer of 4 bytes",
        ValueError("first\nsecond"): "first",
        ValueError("no float: 'O'Brien^Jane'"): "no float: ...",
        ValueError("no float: 'Doe^Ja"): "no float: ",
        ValueError('key b"\\x00Jane" here'): "key ... here",
        ValueError("a\x07b\x1b[31m"): "a?b?[31m",
        ValueError("long " * 99): ("long " * 99)[:150],
        OverflowError(): "OverflowError",
        OSError(5, "cannot read Jane's file", "Jane.png"): "Input/output error",
        ValueError("less than expected - the data set may be corrupted"): "less than expected",
        Image.DecompressionBombError("too large"): "too large",
        zlib.error("Error -3"): "Error -3",
        cv2.error("OpenCV failed"): "OpenCV failed",
    }
    for problem, expected in problems.items():

        def fail(*_, problem=problem):
            raise problem

        monkeypatch.setattr("medfold.images.formats.raster.decode", fail)
        with pytest.raises(UserError) as caught:
            read_image(tmp_path, "a.png", ImageFacts(train="x", channels=1))
        assert str(caught.value) == f"{tmp_path / 'a.png'}: unreadable image ({expected}). {FIX}"
