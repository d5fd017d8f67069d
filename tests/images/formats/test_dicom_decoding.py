"""Frames of DICOM files are decoded in all transfer syntaxes, and damaged ones refused."""

import cv2
import numpy as np
import pydicom
import pytest
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

from medfold.images import read_image
from tests.support.dicom_files import (
    dataset,
    encapsulated,
    images,
    read_dataset,
    scale_to_uint8,
    smooth,
    write,
)
from tests.support.helpers import refused

UNCOMPRESSED = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
LOSSLESS = [RLELossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless]


@pytest.mark.parametrize("syntax", UNCOMPRESSED + LOSSLESS, ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("kind", ["12 bits", "signed", "8 bits", "colour", "odd"])
def test_lossless_transfer_syntaxes_keep_pixels(tmp_path, syntax, kind):
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
    expected = pixels if pixels.dtype == np.uint8 else scale_to_uint8(pixels, pixels.min(), pixels.max())
    assert (read == (expected if colour else expected[..., None])).all()


@pytest.mark.parametrize(
    ("syntax", "compress", "tolerance"),
    [(JPEG2000, {"j2k_psnr": [50]}, 10), (JPEGLSNearLossless, {"jls_error": 3}, 3)],
    ids=["JPEG2000", "JPEGLSNearLossless"],
)
def test_lossy_transfer_syntaxes_stay_within_tolerance(tmp_path, syntax, compress, tolerance):
    pixels = smooth(bits=8)
    write(tmp_path / "a.dcm", pixels, syntax, compress)
    difference = np.abs(read_image(tmp_path, "a.dcm", images())[..., 0] - pixels.astype(int))
    assert 0 < difference.max() <= tolerance


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit], ids=lambda uid: uid.keyword)
def test_8_bit_jpeg_stays_within_tolerance(tmp_path, syntax):
    pixels = cv2.GaussianBlur(smooth(bits=8), (0, 0), 2)
    made = encapsulated(dataset(pixels), syntax, [cv2.imencode(".jpg", pixels)[1].tobytes()])
    assert np.abs(read_dataset(made, tmp_path) - pixels.astype(int)).max() <= 4


@pytest.mark.parametrize("planar", [0, 1])
def test_planar_configuration_keeps_colours(tmp_path, planar):
    pixels = smooth((8, 9, 3), 8)
    made = dataset(pixels, PlanarConfiguration=planar)
    if planar:
        made.PixelData = np.moveaxis(pixels, 2, 0).tobytes()
    assert (read_dataset(made, tmp_path, 3) == pixels).all()


@pytest.mark.parametrize("kind", ["YBR_FULL", "YBR_FULL_422"])
def test_ybr_is_converted_to_rgb(tmp_path, kind):
    flat = np.zeros((4, 6, 3), np.uint8) + np.array([200, 100, 50], np.uint8)
    luma = cv2.cvtColor(flat, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
    made = dataset(luma, PhotometricInterpretation=kind)
    if kind == "YBR_FULL_422":
        made.PixelData = luma.reshape(-1, 2, 3)[:, [0, 1, 0, 0], [0, 0, 1, 2]].tobytes()
    assert np.abs(read_dataset(made, tmp_path, 3) - flat.astype(int)).max() <= 2


@pytest.mark.parametrize(
    ("kind", "syntax", "compress", "tolerance"),
    [("YBR_RCT", JPEG2000Lossless, {}, 0), ("YBR_ICT", JPEG2000, {"j2k_psnr": [60]}, 6)],
    ids=["YBR_RCT", "YBR_ICT"],
)
def test_jpeg_2000_colour_transforms_are_inverted(tmp_path, kind, syntax, compress, tolerance):
    pixels = smooth((70, 66, 3), 8)
    made = dataset(pixels, PhotometricInterpretation=kind)
    made.compress(syntax, arr=pixels, **compress)
    assert np.abs(read_dataset(made, tmp_path, 3).astype(int) - pixels).max() <= tolerance


def test_lossy_jpeg_declared_lossless_is_read(tmp_path):
    pixels = smooth(bits=8).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])
    made = encapsulated(dataset(pixels), JPEGLosslessSV1, [jpeg.tobytes()])
    assert np.abs(read_dataset(made, tmp_path).astype(int) - pixels).max() <= 8


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEGLSNearLossless], ids=lambda uid: uid.keyword)
def test_jpeg_ls_with_stray_byte_is_read(tmp_path, syntax):
    pixels = smooth(bits=8).astype(np.uint8)
    made = dataset(pixels)
    made.compress(syntax, generate_instance_uid=False)
    frame = bytes(pydicom.encaps.get_frame(made.PixelData, 0, number_of_frames=1)).rstrip(b"\0")
    assert frame.endswith(b"\xff\xd9")
    made = encapsulated(made, syntax, [frame[:-2] + b"\0" + frame[-2:]])
    assert np.abs(read_dataset(made, tmp_path).astype(int) - pixels).max() <= 3


@pytest.mark.parametrize(
    ("syntax", "header", "value"),
    [(JPEGLosslessSV1, "BitsAllocated", 64), (JPEGLSLossless, "SamplesPerPixel", 3)],
    ids=["JPEG Lossless", "JPEG-LS"],
)
def test_headers_of_other_pixels_than_the_jpeg_are_refused(tmp_path, syntax, header, value):
    made = pydicom.dcmread(write(tmp_path / "whole.dcm", smooth((64, 60)), syntax, bits=12))
    setattr(made, header, value)
    with refused("damaged: JPEG"):
        read_dataset(made, tmp_path)
