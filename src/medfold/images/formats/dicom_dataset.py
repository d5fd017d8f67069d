"""Parsing of DICOM files with pydicom, within limits; headers that the decoders need are completed."""

import zlib
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from medfold.images.formats import dicom_palette
from medfold.images.formats.failures import ImageError
from medfold.system.native_output import silence_library

# Headers that say how an image was made, but not of whom, where or when: no free text, no date, no identifier.
TECHNICAL_KEYWORDS = (
    "BitsStored", "BodyPartExamined", "Columns", "ConvolutionKernel", "Exposure", "ImageLaterality",
    "ImagerPixelSpacing", "KVP", "Laterality", "MagneticFieldStrength", "Manufacturer", "ManufacturerModelName",
    "Modality", "NumberOfFrames", "PatientAge", "PatientSex", "PhotometricInterpretation", "PixelSpacing",
    "PresentationLUTShape", "RescaleIntercept", "RescaleSlope", "Rows", "SliceThickness", "SoftwareVersions",
    "SpacingBetweenSlices", "ViewPosition", "WindowCenter", "WindowWidth",
)  # fmt: skip
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
READ_KEYWORDS = [
    *TECHNICAL_KEYWORDS, *PIXEL_KEYWORDS, "SamplesPerPixel", "PlanarConfiguration", "BitsAllocated", "HighBit",
    "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "ModalityLUTSequence", "VOILUTSequence",
    "VOILUTFunction", "PixelPresentation", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    *dicom_palette.DESCRIPTORS, *dicom_palette.TABLES, *dicom_palette.SEGMENTED,
]  # fmt: skip
DEFLATED = b"1.2.840.10008.1.2.1.99"  # transfer syntax of files that are compressed as a whole
MAX_INFLATED_BYTES = 300 * 10**6  # the size of such a file when it is inflated
CHUNK_BYTES = 1 << 20
META_START = 128 + 4 + 12  # bytes: preamble, DICM, and the length of the headers in group 2

# Headers are checked in this module: pydicom's checks are slow, and their messages quote values.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
silence_library("pydicom")


def read_dataset(path: Path) -> Dataset:
    """Returns the parsed file; headers that the decoder needs are completed where they can be derived."""
    dataset = parse_file(path, specific_tags=READ_KEYWORDS)
    if not any(len(dataset.get(name) or b"") for name in PIXEL_KEYWORDS):
        raise ImageError("it contains no pixels")
    if not dataset.file_meta.get("TransferSyntaxUID"):
        is_implicit, is_little_endian = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else explicit
    for name in ("Rows", "Columns", "BitsAllocated"):
        if not isinstance(dataset.get(name), int):
            raise ImageError(f"no header {name}")
    defaults = {"SamplesPerPixel": 1, "PixelRepresentation": 0, "PlanarConfiguration": 0}
    for name, default in (defaults | {"BitsStored": dataset.BitsAllocated}).items():
        if dataset.get(name) is None:
            setattr(dataset, name, default)
    if dataset.BitsStored > dataset.BitsAllocated:
        raise ImageError(f"{dataset.BitsStored} bits stored in {dataset.BitsAllocated}")
    kind = dataset.get("PhotometricInterpretation")
    if dataset.SamplesPerPixel == 1 and kind not in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"):
        dataset.PhotometricInterpretation = "MONOCHROME2"
    elif not kind:
        dataset.PhotometricInterpretation = "RGB"
    return dataset


def parse_file(path: Path, **options: object) -> Dataset:
    """Parses a file with `pydicom.dcmread`, also without the preamble if it has DICOM headers."""
    _check_inflated_size(path)
    try:
        return pydicom.dcmread(path, **options)
    except InvalidDicomError:  # without a preamble, as in older files; or not DICOM
        pass
    try:
        headers = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    except Exception:
        headers = ()
    if not any(name in headers for name in ("SOPClassUID", "Modality", "Rows")):
        raise ImageError("not a DICOM file")
    return pydicom.dcmread(path, force=True, **options)


def _check_inflated_size(path: Path) -> None:
    """Checks the size of a deflated file, which pydicom inflates as a whole.

    Raises:
        ImageError: the file has more than MAX_INFLATED_BYTES when it is unpacked.
    """
    with path.open("rb") as file:
        if DEFLATED not in file.read(1024):
            return
        length = pydicom.filereader.read_file_meta_info(path).get("FileMetaInformationGroupLength")
        if length is None:
            raise ImageError("a deflated file without the length of its headers")
        file.seek(META_START + length)
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        total = 0
        while data := inflate.unconsumed_tail or file.read(CHUNK_BYTES):
            total += len(inflate.decompress(data, CHUNK_BYTES))
            if total > MAX_INFLATED_BYTES:
                raise ImageError(f"a deflated file of more than {MAX_INFLATED_BYTES // 10**6} MB")


def num_frames(dataset: Dataset) -> int:
    """Returns the number of frames, 1 if the file has no header for it."""
    try:
        return int(dataset.get("NumberOfFrames") or 1)
    except (ValueError, TypeError):
        raise ImageError("NumberOfFrames is not a number") from None
