"""DICOM headers: which ones are read, and that none of them identifies a patient."""

from pydicom.datadict import dictionary_VR

from medfold.images.formats.decoding import read_image, read_image_with_headers
from medfold.images.formats.dicom_dataset import TECHNICAL_KEYWORDS
from tests.support.dicom_files import dataset, images, save, smooth, write
from tests.support.helpers import refused


def test_technical_headers_exclude_identifying_ones(tmp_path):
    made = dataset(smooth(), 12, Manufacturer="ACME", PixelSpacing=[0.5, 0.25], PatientSex="F", PatientAge="042Y")
    secret = {
        "InstitutionName": "Saint Secret", "InstitutionAddress": "1 Secret Way", "ReferringPhysicianName": "Secret^Who",
        "StudyDate": "20200202", "PatientBirthDate": "19780101", "AccessionNumber": "SECRET1", "StationName": "SECRET2",
        "StudyDescription": "secret", "DeviceSerialNumber": "SECRET3", "StudyInstanceUID": "1.2.3.4.5",
    }  # fmt: skip
    for keyword, value in secret.items():
        setattr(made, keyword, value)
    save(tmp_path / "a.dcm", made)
    headers = read_image_with_headers(tmp_path, "a.dcm", images()).headers
    assert headers == {
        "BitsStored": "12", "Columns": "66", "Manufacturer": "ACME", "Modality": "OT", "PatientAge": "042Y",
        "PatientSex": "F", "PhotometricInterpretation": "MONOCHROME2", "PixelSpacing": "0.5\\0.25", "Rows": "70",
        "TransferSyntax": "Explicit VR Little Endian",
    }  # fmt: skip


def test_technical_keywords_exclude_names_dates_and_identifiers():
    kinds = {keyword: dictionary_VR(keyword) for keyword in TECHNICAL_KEYWORDS}
    texts = {"Manufacturer", "ManufacturerModelName", "SoftwareVersions", "ConvolutionKernel"}
    assert {keyword for keyword, kind in kinds.items() if kind in ("LO", "SH", "ST", "LT", "UT", "UC")} == texts
    assert not {keyword for keyword, kind in kinds.items() if kind in ("PN", "DA", "TM", "DT", "UI", "SQ", "AE")}


def test_ages_above_90_are_capped(tmp_path):
    for age, expected in (("089Y", "089Y"), ("093Y", "090Y"), ("011M", "011M")):
        save(tmp_path / "a.dcm", dataset(smooth(bits=8), PatientAge=age))
        assert read_image_with_headers(tmp_path, "a.dcm", images()).headers["PatientAge"] == expected


def test_errors_do_not_quote_header_values(tmp_path):
    path = write(tmp_path / "a.dcm", smooth(), bits=12, WindowCenter="11112222", WindowWidth="900")
    path.write_bytes(path.read_bytes().replace(b"11112222", b"DOE^JANE"))
    with refused("could not convert string to float: ...") as caught:
        read_image(tmp_path, "a.dcm", images())
    assert "DOE" not in str(caught.value)
