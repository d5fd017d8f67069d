"""DICOM headers of many images, as columns of a table."""

import pandas as pd
import pytest

from medfold.images.dicom_headers import identifying_keywords, read_headers
from tests.support.dicom_files import smooth, write
from tests.support.helpers import refused


@pytest.fixture
def raw(tmp_path):
    """A folder with two DICOM files and a file that is none."""
    for name, side in (("a.dcm", "L"), ("b.dcm", "R")):
        write(tmp_path / name, smooth((8, 9)), Laterality=side)
    (tmp_path / "broken.dcm").write_text("not DICOM")
    return tmp_path


def test_headers_are_read_in_the_order_of_the_images(raw):
    headers = read_headers(raw, pd.Series(["b.dcm", "a.dcm|b.dcm"]), ["Laterality", "Rows", "StudyDate"])
    assert headers == {"Laterality": ["R", "L"], "Rows": ["8", "8"], "StudyDate": ["", ""]}


def test_unreadable_file_raises_or_gives_empty_values(raw):
    images = pd.Series(["a.dcm", "broken.dcm"])
    with refused(r"broken\.dcm: unreadable headers \(.+\)\. Replace it"):
        read_headers(raw, images, ["Laterality"])
    assert read_headers(raw, images, ["Laterality"], complete=False) == {"Laterality": ["L", ""]}


def test_without_keywords_no_file_is_read(tmp_path):
    assert read_headers(tmp_path, pd.Series(["missing.dcm"]), []) == {}


def test_identifying_keywords_are_all_but_technical_ones():
    assert identifying_keywords(["Rows", "PatientName", "PatientID", "Modality"]) == ["PatientID", "PatientName"]
    assert identifying_keywords([]) == []
