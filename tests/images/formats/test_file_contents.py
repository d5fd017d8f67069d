"""Contents of image files besides the pixels: DICOM headers, members, number of pages."""

import numpy as np
import pytest
import tifffile

from medfold.competition import ImageFacts
from medfold.images.formats.file_contents import count_frames_in_file, list_members, read_dicom_headers
from tests.support.dicom_files import smooth, write
from tests.support.helpers import refused
from tests.support.noise_images import NOISE, read_content


def test_imagej_contiguous_stack_pages_are_found(tmp_path):
    pages = NOISE.integers(0, 256, (5, 23, 37), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, imagej=True, metadata={"axes": "ZYX"}, contiguous=True)
    np.testing.assert_array_equal(read_content(tmp_path, "a.tif", channels=1, frame=3)[..., 0], pages[3])
    assert count_frames_in_file(tmp_path / "a.tif", ImageFacts(train="x")) == 5


def test_read_dicom_headers_returns_requested_keywords(tmp_path):
    path = write(tmp_path / "a.dcm", smooth(), bits=12, PixelSpacing=[0.5, 0.25])
    asked = ["PatientID", "PatientName", "PixelSpacing", "StudyDate", "Rows", "TransferSyntaxUID"]
    found = read_dicom_headers(path, asked)
    assert list(found) == asked
    assert list(found.values()) == ["4711", "DOE^JANE", "0.5\\0.25", "", "70", "1.2.840.10008.1.2.1"]


@pytest.mark.parametrize(
    ("keyword", "message"),
    [("PatientIDD", "unknown DICOM keyword 'PatientIDD' .did you mean 'PatientID'"), ("PixelData", "contains no text")],
)
def test_unknown_or_binary_keywords_raise(tmp_path, keyword, message):
    path = write(tmp_path / "a.dcm", smooth())
    with refused(message):
        read_dicom_headers(path, [keyword])


def test_headers_of_non_dicom_or_missing_file_raise(tmp_path):
    (tmp_path / "a.dcm").write_text("hello")
    for name in ("a.dcm", "gone.dcm"):
        with refused(f"{name}: unreadable headers"):
            read_dicom_headers(tmp_path / name, ["PatientID"])


def test_list_members_returns_top_level_data_sets(hdf5):
    assert sorted(list_members(hdf5)) == [
        "ISIC_0015670", "deep", "jpeg", "pixels", "stack", "text", "vector", "vectors",
    ]  # fmt: skip
