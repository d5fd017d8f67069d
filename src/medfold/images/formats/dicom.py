"""DICOM images, read with pydicom: pixels of a frame or a montage, and headers. See docs/dicom.md."""

import math
import re
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.datadict import dictionary_VR, keyword_dict
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.errors import InvalidDicomError
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import (
    JPEG2000,
    UID,
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
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from medfold.competition import ImageFacts
from medfold.errors import SettingError
from medfold.images.formats import dicom_grayscale, dicom_jpeg, dicom_palette
from medfold.images.formats.declared_size import declared_size
from medfold.images.formats.dicom_transforms import grayscale_transforms
from medfold.images.formats.failures import ImageError
from medfold.images.formats.frames import check_size, chosen_frames, tile_frames
from medfold.images.formats.pixel_values import frames_to_uint8
from medfold.system.native_output import silence_library, silence_native_output
from medfold.text import did_you_mean

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
# The decoders of each compressed transfer syntax. pydicom's own order starts with GDCM, which crashes the process on
# damaged JPEG and JPEG 2000 and is slower than the others. Run-length encoding has only the decoder of pydicom.
DECODER_PLUGINS = {
    JPEGBaseline8Bit: ("pillow",),
    JPEGExtended12Bit: ("pillow",),  # for eight bits; see _plugins for more
    JPEGLossless: ("gdcm", "pylibjpeg"),
    JPEGLosslessSV1: ("gdcm", "pylibjpeg"),
    JPEGLSLossless: ("pyjpegls", "gdcm"),
    JPEGLSNearLossless: ("pyjpegls", "gdcm"),
    JPEG2000Lossless: ("pylibjpeg",),
    JPEG2000: ("pylibjpeg",),
}
MIN_RLE_BYTES = 4096  # of a run-length-encoded frame; above, at most twice the size of the pixels
DEFLATED = b"1.2.840.10008.1.2.1.99"  # transfer syntax of files that are compressed as a whole
MAX_INFLATED_BYTES = 300 * 10**6  # of such a file
CHUNK_BYTES = 1 << 20
META_START = 128 + 4 + 12  # bytes: preamble, DICM, and the length of the headers in group 2
MAX_HEADER_LENGTH = 64  # characters; longer values of technical headers are meaningless
MAX_AGE = 89  # years; a higher age can identify a patient

# Headers are checked in this module: pydicom's checks are slow, and their messages quote values.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
silence_library("pydicom", "pylibjpeg", "openjpeg")


def read(path: Path, member: str, image_facts: ImageFacts) -> tuple[np.ndarray, dict[str, str]]:
    """Reads the image of a DICOM file and its technical headers.

    Args:
        path: a DICOM file.
        member: not used: a DICOM file contains one image.
        image_facts: the facts `images` (windows, range, frame).

    Returns:
        uint8 (height, width), or (height, width, n) for colour and for several windows; and the headers by keyword.

    Raises:
        ImageError: the file is not DICOM, has no pixels, or they cannot be decoded.
    """
    dataset = _dataset(path)
    numbers = chosen_frames(_num_frames(dataset), image_facts)
    frames = _decoded(dataset, numbers, image_facts)
    uses_palette = dataset.PhotometricInterpretation == "PALETTE COLOR"
    if image_facts.windows and (uses_palette or frames[0].ndim == 3):
        raise ImageError("a colour image, but 'images.windows' need Hounsfield units")
    if frames[0].ndim == 3:
        pixels = frames_to_uint8(np.stack(frames), image_facts)
    elif uses_palette:
        pixels = [dicom_palette.apply_palette(frame, dataset) for frame in frames]
    else:
        pixels = dicom_grayscale.apply_grayscale_transforms(
            frames, [grayscale_transforms(dataset, number, image_facts) for number in numbers]
        )
    return tile_frames(list(pixels), image_facts), technical_headers(dataset)


def min_hounsfield(path: Path) -> float | None:
    """Returns the minimum of the first frame without padding, in Hounsfield units; None if the file is not a CT."""
    dataset = _dataset(path)
    if dataset.get("Modality") != "CT" or dataset.SamplesPerPixel != 1:
        return None
    image_facts = ImageFacts(train="unused", channels=1)
    (frame,) = _decoded(dataset, range(1), image_facts)
    transforms = grayscale_transforms(dataset, 0, image_facts)
    ends = dicom_grayscale.value_range(frame, transforms)
    return min(ends) if ends else None


def stored_values(path: Path) -> np.ndarray | None:
    """Returns the stored values of the first frame; None if it is a colour image or defines a window."""
    dataset = _dataset(path)
    if dataset.SamplesPerPixel != 1 or dataset.get("WindowCenter") is not None or "VOILUTSequence" in dataset:
        return None
    return _decoded(dataset, range(1), ImageFacts(train="unused"))[0]


def technical_headers(dataset: Dataset) -> dict[str, str]:
    """Returns the technical headers that are present, and the transfer syntax; ages above 89 are given as 90."""
    headers = {name: text[:MAX_HEADER_LENGTH] for name in TECHNICAL_KEYWORDS if (text := _text(dataset.get(name)))}
    age = re.fullmatch(r"(\d+)Y", headers.get("PatientAge", ""))
    if age and int(age[1]) > MAX_AGE:
        headers["PatientAge"] = f"{MAX_AGE + 1:03}Y"
    return headers | {"TransferSyntax": dataset.file_meta.TransferSyntaxUID.name}


def read_headers(path: Path, keywords: Iterable[str]) -> dict[str, str]:
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
    dataset = _parsed(path, stop_before_pixels=True, specific_tags=keywords)
    return {key: _text(dataset.get(key, dataset.file_meta.get(key))) for key in keywords}


def _text(value: object) -> str:
    values = value if isinstance(value, pydicom.multival.MultiValue) else [value]
    return "\\".join("" if item is None else str(item).strip() for item in values)


def _parsed(path: Path, **options: object) -> Dataset:
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
        ImageError: it has more than MAX_INFLATED_BYTES.
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


def _dataset(path: Path) -> Dataset:
    """Returns the parsed file; headers that the decoder needs are completed where they can be derived."""
    dataset = _parsed(path, specific_tags=READ_KEYWORDS)
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


def _num_frames(dataset: Dataset) -> int:
    try:
        return int(dataset.get("NumberOfFrames") or 1)
    except (ValueError, TypeError):
        raise ImageError("NumberOfFrames is not a number") from None


def _decoded(dataset: Dataset, numbers: range, image_facts: ImageFacts) -> list[np.ndarray]:
    """Decodes frames to stored values (height, width), or (height, width, 3) as RGB."""
    rows, columns, allocated = dataset.Rows, dataset.Columns, dataset.BitsAllocated
    check_size(rows, columns, image_facts, len(numbers), dataset.SamplesPerPixel * -(-allocated // 8))
    uid = _true_syntax(dataset)
    dataset.file_meta.TransferSyntaxUID = uid
    decoder = _decoder(uid)
    if allocated == 1 and uid.is_encapsulated:
        raise ImageError(f"one bit per pixel in {uid.name}, which is not supported")
    if not uid.is_encapsulated:
        frames = [decoder.as_array(dataset, index=number) for number in numbers]
    else:
        frames = _decompressed(dataset, numbers, decoder)
    if frames[0][0].ndim == 3 and frames[0][1]["photometric_interpretation"] != "RGB":
        raise ImageError("an unsupported colour space")
    return [np.asarray(frame, frame.dtype.newbyteorder("=")) for frame, _ in frames]


def _true_syntax(dataset: Dataset) -> UID:
    """Returns the transfer syntax; corrects files that declare a baseline JPEG as lossless."""
    uid = dataset.file_meta.TransferSyntaxUID
    if uid in (JPEGLossless, JPEGLosslessSV1) and dicom_jpeg.is_baseline(_frame(dataset, 0)):
        return JPEGBaseline8Bit
    return uid


def _frame(dataset: Dataset, number: int) -> bytes:
    """Returns the compressed data of a frame."""
    offsets = None
    if "ExtendedOffsetTable" in dataset:
        offsets = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
    return get_frame(dataset.PixelData, number, number_of_frames=_num_frames(dataset), extended_offsets=offsets)


def _decompressed(dataset: Dataset, numbers: range, decoder: Decoder) -> list[tuple[np.ndarray, dict]]:
    """Decodes frames of a compressed file, with the first decoder plugin that can."""
    for plugin in _plugins(dataset, decoder):
        try:
            for number in numbers:
                _check_frame(dataset, number, plugin)
            with silence_native_output():
                return [decoder.as_array(dataset, index=number, decoding_plugin=plugin) for number in numbers]
        except ImageError:
            raise
        except (RuntimeError, ValueError):  # pydicom turns all errors of a decoder into these
            continue
    raise _undecodable(dataset, numbers[0])


def _undecodable(dataset: Dataset, number: int) -> ImageError:
    frame = f"{dataset.file_meta.TransferSyntaxUID.name}, frame {number} of {_num_frames(dataset)}"
    return ImageError(f"damaged: {frame} cannot be decoded to {dataset.Rows}x{dataset.Columns}")


def _plugins(dataset: Dataset, decoder: Decoder) -> list[str]:
    """Returns the names of the decoder plugins to try, in this order.

    A second one is tried only for JPEG-LS, since some writers end its data incorrectly. For other syntaxes a second
    decoder may fill with grey what the first one rejects as damaged.
    """
    uid = decoder.UID
    wanted = DECODER_PLUGINS.get(decoder.UID, decoder.available_plugins)
    if uid == JPEGExtended12Bit and dataset.BitsStored > 8:
        wanted = ("pylibjpeg",)
    available = [name for name in wanted if name in decoder.available_plugins]
    if not available:
        raise ImageError(_no_decoder(uid))
    return available if uid in JPEGLSTransferSyntaxes else available[:1]


def _check_frame(dataset: Dataset, number: int, plugin: str) -> None:
    """Refuses a damaged frame that would crash GDCM, stall CharLS, or take far more memory than the headers declare."""
    size = dataset.Rows, dataset.Columns, dataset.SamplesPerPixel
    frame = _frame(dataset, number)
    syntax = dataset.file_meta.TransferSyntaxUID
    if plugin in ("gdcm", "pyjpegls"):
        dicom_jpeg.check_end(frame)
    if plugin == "gdcm" and syntax not in JPEGLSTransferSyntaxes:
        dicom_jpeg.check_lossless(frame, *size, dataset.BitsAllocated)
    declared = declared_size(frame)
    has_other_size = declared is not None and (declared.height, declared.width) != size[:2]
    # GDCM allocates memory for the pixels of the DICOM headers, and writes those of the JPEG.
    if plugin == "gdcm" and declared is not None:
        has_other_size |= 8 * declared.bytes_per_pixel != dataset.SamplesPerPixel * dataset.BitsAllocated
    max_rle_bytes = MIN_RLE_BYTES + 2 * math.prod(size) * -(-dataset.BitsAllocated // 8)
    if has_other_size or (syntax == RLELossless and len(frame) > max_rle_bytes):
        raise _undecodable(dataset, number)


def _decoder(uid: UID) -> Decoder:
    try:
        return get_decoder(uid)
    except NotImplementedError:
        raise ImageError(_no_decoder(uid)) from None


def _no_decoder(uid: UID) -> str:
    """Returns the message for a transfer syntax without decoder."""
    name = f"{uid} ({uid.name})" if re.fullmatch(r"[\d.]{1,64}", uid) else "(not a UID)"
    advice = (
        "; the package pylibjpeg-libjpeg (GPL) has one" if uid in JPEGTransferSyntaxes + JPEGLSTransferSyntaxes else ""
    )
    return f"no decoder for transfer syntax {name}{advice}"
