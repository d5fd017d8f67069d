"""Every DICOM file shipped with pydicom: decoded, or refused with a reason."""

import os
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medfold.images import read_image
from medfold.images.formats import dicom
from medfold.images.formats.dicom_dataset import read_dataset
from medfold.images.formats.dicom_decoding import decode_frames
from tests.support.dicom_files import images
from tests.support.helpers import refused

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"


# Every file of pydicom 3.0 that is or resembles an image: its shape, or why it cannot be read.
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
    "badVR.dcm": "NumberOfFrames is not a number",
    "meta_missing_tsyntax.dcm": "no header Rows",
    "nested_priv_SQ.dcm": "no header Rows",
}


NO_PIXELS = {
    "ExplVR_BigEndNoMeta.dcm", "ExplVR_LitEndNoMeta.dcm", "UN_sequence.dcm", "empty_charset_LEI.dcm", "no_meta.dcm",
    "no_meta_group_length.dcm", "priv_SQ.dcm", "reportsi.dcm", "reportsi_with_empty_number_tags.dcm", "rtplan.dcm",
    "rtplan_truncated.dcm", "rtstruct.dcm", "test-SR.dcm", "waveform_ecg.dcm",
}  # fmt: skip


def read_shipped(name: str) -> np.ndarray:
    """Reads a file shipped with pydicom: (height, width[, 3])."""
    return dicom.read(SHIPPED / name, "", images())[0]


def test_tables_list_every_file_shipped_by_pydicom():
    here = {path.name for path in SHIPPED.glob("*.dcm")}
    assert here == set(DECODED) | set(REFUSED) | NO_PIXELS


@pytest.mark.parametrize("name", DECODED)
def test_pydicom_files_are_decoded(name):
    pixels = read_shipped(name)
    assert (pixels.shape, pixels.dtype) == (DECODED[name], np.uint8)
    assert pixels.min() < pixels.max()


@pytest.mark.parametrize("name", [*REFUSED, *sorted(NO_PIXELS)])
def test_unreadable_pydicom_files_raise_with_reason(name):
    if REFUSED.get(name) == TWELVE_BITS and find_spec("libjpeg"):
        pytest.skip("pylibjpeg-libjpeg is installed")
    reason = REFUSED.get(name, "it contains no pixels|not a DICOM file")
    with refused(re.escape(reason) if name in REFUSED else reason):
        read_image(SHIPPED, name, images())


def test_files_without_suffix_are_read():
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
def test_same_image_in_two_syntaxes_decodes_equally(name, other):
    assert (read_shipped(name) == read_shipped(other)).all()


@pytest.mark.parametrize(
    "kind",
    [
        "dcmtk_+eb+cr", "dcmtk_+eb+cy+n1", "dcmtk_+eb+cy+n2", "dcmtk_+eb+cy+np", "dcmtk_+eb+cy+s2", "dcmtk_+eb+cy+s4",
        "jpeg_dcmtk", "jpeg_lossy_gdcm", "jls_lossy_line", "jls_lossy_sample", "ybr_full_422_uncompressed",
    ],
)  # fmt: skip
def test_lossy_variants_keep_colours(kind):
    # Ten bands of ten rows; some are subsampled, so their middles are compared.
    name = f"SC_{kind}.dcm" if kind.startswith("ybr") else f"SC_rgb_{kind}.dcm"
    assert np.abs(read_shipped(name)[5::10].astype(int) - read_shipped("SC_rgb_rle.dcm")[5::10]).max() <= 6


def test_lossy_variant_of_tiny_image_is_close():
    difference = read_shipped("SC_rgb_small_odd_jpeg.dcm").astype(int) - read_shipped("SC_rgb_small_odd.dcm")
    assert np.abs(difference).max() <= 4


@pytest.mark.parametrize(
    "name", ["693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "JPEGLSNearLossless_16.dcm", "CT_small.dcm"]
)
def test_decoded_values_match_pydicom_pixel_array(name):
    made = pydicom.dcmread(SHIPPED / name)
    assert (decode_frames(read_dataset(SHIPPED / name), range(1), images())[0] == made.pixel_array).all()
