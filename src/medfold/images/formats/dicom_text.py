"""Headers of DICOM files as text: technical ones of each image, and any others by keyword."""

import re
from collections.abc import Iterable
from pathlib import Path

import pydicom
from pydicom.datadict import dictionary_VR, keyword_dict
from pydicom.dataset import Dataset

from medfold.errors import SettingError
from medfold.images.formats.dicom_dataset import TECHNICAL_KEYWORDS, parse_file
from medfold.text import did_you_mean

MAX_HEADER_LENGTH = 64  # characters; longer values of technical headers are meaningless
MAX_AGE = 89  # years; a higher age can identify a patient


def technical_headers(dataset: Dataset) -> dict[str, str]:
    """Returns the technical headers that are present, and the transfer syntax; ages above 89 are given as 90."""
    headers = {name: text[:MAX_HEADER_LENGTH] for name in TECHNICAL_KEYWORDS if (text := _text(dataset.get(name)))}
    age = re.fullmatch(r"(\d+)Y", headers.get("PatientAge", ""))
    if age and int(age[1]) > MAX_AGE:
        headers["PatientAge"] = f"{MAX_AGE + 1:03}Y"
    return headers | {"TransferSyntax": dataset.file_meta.TransferSyntaxUID.name}


def read_headers_of_file(path: Path, keywords: Iterable[str]) -> dict[str, str]:
    """Reads any headers by DICOM keyword, without reading the pixels.

    Args:
        path: a DICOM file.
        keywords: keywords of the DICOM dictionary (PS3.6), such as PatientID. Their values may identify a patient.

    Returns:
        Values as text by keyword, multiple values separated by a backslash; '' where a header is missing.

    Raises:
        SettingError: a keyword is unknown (the nearest one is suggested) or has no text value.
        ImageError: the file is not DICOM.
    """
    keywords = list(keywords)
    for keyword in keywords:
        if keyword not in keyword_dict:
            what = f"unknown DICOM keyword '{keyword}'{did_you_mean(keyword, keyword_dict)}"
            raise SettingError(what, "images.dicom_headers", "The DICOM standard, part 6, lists the keywords")
        if dictionary_VR(keyword) in ("SQ", "OB", "OW", "OB or OW", "OD", "OF", "OL", "OV", "UN"):
            what = f"DICOM keyword '{keyword}' contains no text"
            raise SettingError(what, "images.dicom_headers", f"Remove {keyword}")
    dataset = parse_file(path, stop_before_pixels=True, specific_tags=keywords)
    return {key: _text(dataset.get(key, dataset.file_meta.get(key))) for key in keywords}


def _text(value: object) -> str:
    values = value if isinstance(value, pydicom.multival.MultiValue) else [value]
    return "\\".join("" if item is None else str(item).strip() for item in values)
