"""DICOM files are parsed without preamble, and headers that the decoders need are completed."""

import numpy as np
import pytest
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from medfold.images import read_image
from tests.support.dicom_files import (
    dataset,
    images,
    read_dataset,
    scale_to_uint8,
    smooth,
    write,
)
from tests.support.helpers import refused


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian], ids=lambda uid: uid.keyword)
def test_files_without_preamble_are_read(tmp_path, syntax):
    pixels = smooth()
    path = write(tmp_path / "whole.dcm", pixels, syntax, bits=12, Modality=None)
    data, start = path.read_bytes(), b"\x08\x00\x16\x00"  # the first element behind the file meta
    (tmp_path / "a.dcm").write_bytes(data[data.index(start) :])
    read = read_image(tmp_path, "a.dcm", images())[..., 0]
    assert (read == scale_to_uint8(pixels, pixels.min(), pixels.max())).all()


@pytest.mark.parametrize(
    "keyword", ["SamplesPerPixel", "PhotometricInterpretation", "PixelRepresentation", "BitsStored", "HighBit"]
)
def test_missing_headers_are_inferred(tmp_path, keyword):
    pixels = smooth(bits=8)
    assert (read_dataset(dataset(pixels, **{keyword: None}), tmp_path) == pixels).all()


def test_missing_pixels_and_unsupported_bit_depth_raise(tmp_path):
    made = dataset(smooth(bits=8).astype(np.uint8))
    made.PixelData = b""
    with refused("it contains no pixels"):
        read_dataset(made, tmp_path)
    made = dataset(smooth(bits=8).astype(np.uint8))
    made.compress(RLELossless, generate_instance_uid=False, encoding_plugin="pydicom")
    made.BitsAllocated = made.BitsStored = 1
    made.HighBit = 0
    with refused("one bit per pixel in RLE Lossless, which is not supported"):
        read_dataset(made, tmp_path)
