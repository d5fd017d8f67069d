"""DICOM through pydicom: one frame, or a montage of all, as uint8; and technical headers. See docs/dicom.md."""

import re
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
)

from medfold.competition import ImageFacts
from medfold.errors import UserError, did_you_mean
from medfold.images.formats import dicom_grayscale, dicom_jpeg, dicom_palette
from medfold.images.formats.dicom_transforms import grayscale_chain
from medfold.images.formats.pixel_values import ImageError, check_size, chosen_frames, tile_frames
from medfold.images.formats.pixel_values import frames_to_uint8 as scaled_by_facts
from medfold.processes import silence_native_output

# Headers that tell how an image was made, not of whom, where or when. No free text, no date, no identifier.
TECHNICAL = (
    "BitsStored", "BodyPartExamined", "Columns", "ConvolutionKernel", "Exposure", "ImageLaterality",
    "ImagerPixelSpacing", "KVP", "Laterality", "MagneticFieldStrength", "Manufacturer", "ManufacturerModelName",
    "Modality", "NumberOfFrames", "PatientAge", "PatientSex", "PhotometricInterpretation", "PixelSpacing",
    "PresentationLUTShape", "RescaleIntercept", "RescaleSlope", "Rows", "SliceThickness", "SoftwareVersions",
    "SpacingBetweenSlices", "ViewPosition", "WindowCenter", "WindowWidth",
)  # fmt: skip
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
NEEDED = [
    *TECHNICAL, *PIXELS, "SamplesPerPixel", "PlanarConfiguration", "BitsAllocated", "HighBit", "PixelRepresentation",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "ModalityLUTSequence", "VOILUTSequence", "VOILUTFunction",
    "PixelPresentation", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    *dicom_palette.DESCRIPTORS, *dicom_palette.TABLES, *dicom_palette.SEGMENTED,
]  # fmt: skip
# The decoder of each compressed transfer syntax. Not left to pydicom, which tries GDCM first: it ends the process on
# damaged JPEG and JPEG 2000, and the others are faster. Run-length coding has only pydicom's own.
PLUGINS = {
    JPEGBaseline8Bit: ("pillow",),
    JPEGExtended12Bit: ("pillow",),  # of eight bits
    JPEGLossless: ("gdcm", "pylibjpeg"),
    JPEGLosslessSV1: ("gdcm", "pylibjpeg"),
    JPEGLSLossless: ("pyjpegls", "gdcm"),
    JPEGLSNearLossless: ("pyjpegls", "gdcm"),
    JPEG2000Lossless: ("pylibjpeg",),
    JPEG2000: ("pylibjpeg",),
}
LONGEST = 64  # letters of a header; what is longer is rubbish
OLDEST = 89  # years; the age of older people can identify them

# What a header holds is judged here; pydicom's own checks cost time and speak of values.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


def read(path: Path, member: str, facts: ImageFacts) -> tuple[np.ndarray, dict[str, str]]:
    """The picture of a DICOM file and its technical headers.

    Returns:
        uint8 (height, width), or (height, width, n) for colour and for several windows; headers by keyword.

    Raises:
        ImageError: no DICOM, no pixels in it, or none that can be decoded.
    """
    dataset = _dataset(path)
    numbers = chosen_frames(_count(dataset), facts)
    frames = _decoded(dataset, numbers)
    by_palette = dataset.PhotometricInterpretation == "PALETTE COLOR"
    if facts.windows and (by_palette or frames[0].ndim == 3):
        raise ImageError("a colour image, but 'images.windows' are for Hounsfield units")
    if frames[0].ndim == 3:
        pixels = scaled_by_facts(np.stack(frames), facts)
    elif by_palette:
        pixels = [dicom_palette.apply_palette(frame, dataset) for frame in frames]
    else:
        pixels = dicom_grayscale.apply_grayscale_chains(
            frames, [grayscale_chain(dataset, number, facts) for number in numbers]
        )
    return tile_frames(list(pixels)), technical_headers(dataset)


def min_hounsfield(path: Path) -> float | None:
    """The least value of the first frame, in Hounsfield units, but for padding; None of what is no CT."""
    dataset = _dataset(path)
    if dataset.get("Modality") != "CT" or dataset.SamplesPerPixel != 1:
        return None
    (frame,) = _decoded(dataset, range(1))
    chain = grayscale_chain(dataset, 0, ImageFacts(train="unused", channels=1))
    ends = dicom_grayscale.value_range(frame, chain)
    return min(ends) if ends else None


def stored_values(path: Path) -> np.ndarray | None:
    """The first frame as it is stored, if it is grey and no window says what is to be seen; else None."""
    dataset = _dataset(path)
    if dataset.SamplesPerPixel != 1 or dataset.get("WindowCenter") is not None or "VOILUTSequence" in dataset:
        return None
    return _decoded(dataset, range(1))[0]


def technical_headers(dataset: Dataset) -> dict[str, str]:
    """The headers of `TECHNICAL` that are there, and the name of the transfer syntax. Ages above 89 are told as 90."""
    headers = {name: text[:LONGEST] for name in TECHNICAL if (text := _text(dataset.get(name)))}
    age = re.fullmatch(r"(\d+)Y", headers.get("PatientAge", ""))
    if age and int(age[1]) > OLDEST:
        headers["PatientAge"] = f"{OLDEST + 1:03}Y"
    return headers | {"TransferSyntax": dataset.file_meta.TransferSyntaxUID.name}


def read_headers(path: Path, keywords: Iterable[str]) -> dict[str, str]:
    """The values of any headers, by DICOM keyword; the pixels are not read.

    Args:
        path: a DICOM file.
        keywords: as in the DICOM dictionary (PS3.6), such as PatientID. What they tell may identify a patient.

    Returns:
        Texts by keyword, several values with a backslash between them; '' where a header is missing.

    Raises:
        UserError: a keyword that is unknown (nearest named) or holds no text.
        ImageError: no DICOM.
    """
    keywords = list(keywords)
    for keyword in keywords:
        if keyword not in keyword_dict:
            raise UserError(f"unknown DICOM keyword '{keyword}'{did_you_mean(keyword, keyword_dict)}", "images.headers")
        if dictionary_VR(keyword) in ("SQ", "OB", "OW", "OB or OW", "OD", "OF", "OL", "OV", "UN"):
            raise UserError(f"DICOM keyword '{keyword}' holds no text", "images.headers")
    dataset = _parsed(path, stop_before_pixels=True, specific_tags=keywords)
    return {key: _text(dataset.get(key, dataset.file_meta.get(key))) for key in keywords}


def _text(value: object) -> str:
    values = value if isinstance(value, pydicom.multival.MultiValue) else [value]
    return "\\".join("" if each is None else str(each).strip() for each in values)


def _parsed(path: Path, **options: object) -> Dataset:
    try:
        return pydicom.dcmread(path, **options)
    except InvalidDicomError:  # without the preamble, as older ones are; or something else altogether
        pass
    try:
        found = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    except Exception:
        found = ()
    if not any(name in found for name in ("SOPClassUID", "Modality", "Rows")):
        raise ImageError("not a DICOM file")
    return pydicom.dcmread(path, force=True, **options)


def _dataset(path: Path) -> Dataset:
    """A file with what its decoder asks for, where that can be told."""
    dataset = _parsed(path, specific_tags=NEEDED)
    if not any(len(dataset.get(name) or b"") for name in PIXELS):
        raise ImageError("no pixels in it")
    if not dataset.file_meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    for name in ("Rows", "Columns", "BitsAllocated"):
        if not isinstance(dataset.get(name), int):
            raise ImageError(f"no {name} in it")
    missing = {"SamplesPerPixel": 1, "PixelRepresentation": 0, "PlanarConfiguration": 0}
    for name, usual in (missing | {"BitsStored": dataset.BitsAllocated}).items():
        if dataset.get(name) is None:
            setattr(dataset, name, usual)
    if dataset.BitsStored > dataset.BitsAllocated:
        raise ImageError(f"{dataset.BitsStored} bits stored in {dataset.BitsAllocated}")
    kind = dataset.get("PhotometricInterpretation")
    if dataset.SamplesPerPixel == 1 and kind not in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"):
        dataset.PhotometricInterpretation = "MONOCHROME2"
    elif not kind:
        dataset.PhotometricInterpretation = "RGB"
    return dataset


def _count(dataset: Dataset) -> int:
    try:
        return int(dataset.get("NumberOfFrames") or 1)
    except (ValueError, TypeError):
        raise ImageError("NumberOfFrames is no number") from None


def _decoded(dataset: Dataset, numbers: range) -> list[np.ndarray]:
    """Frames (height, width) or (height, width, 3) of stored values, colours in red, green, blue."""
    rows, columns, allocated = dataset.Rows, dataset.Columns, dataset.BitsAllocated
    check_size(rows, columns, len(numbers), dataset.SamplesPerPixel * -(-allocated // 8))
    uid = _true_syntax(dataset)
    dataset.file_meta.TransferSyntaxUID = uid
    decoder = _decoder(uid)
    if allocated == 1 and uid.is_encapsulated:
        raise ImageError(f"one bit a pixel in {uid.name}, which no decoder here reads")
    if not uid.is_encapsulated:
        frames = [decoder.as_array(dataset, index=number) for number in numbers]
    else:
        frames = _decompressed(dataset, numbers, decoder)
    if frames[0][0].ndim == 3 and frames[0][1]["photometric_interpretation"] != "RGB":
        raise ImageError("a colour space that pydicom does not convert")
    return [np.asarray(frame, frame.dtype.newbyteorder("=")) for frame, _ in frames]


def _true_syntax(dataset: Dataset) -> UID:
    """The transfer syntax; some call an ordinary JPEG lossless."""
    uid = dataset.file_meta.TransferSyntaxUID
    if uid in (JPEGLossless, JPEGLosslessSV1) and dicom_jpeg.is_baseline(_frame(dataset, 0)):
        return JPEGBaseline8Bit
    return uid


def _frame(dataset: Dataset, number: int) -> bytes:
    """The compressed data of a frame."""
    offsets = None
    if "ExtendedOffsetTable" in dataset:
        offsets = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
    return get_frame(dataset.PixelData, number, number_of_frames=_count(dataset), extended_offsets=offsets)


def _decompressed(dataset: Dataset, numbers: range, decoder: Decoder) -> list[tuple[np.ndarray, dict]]:
    for plugin in _plugins(dataset, decoder):
        _check_frames(dataset, numbers, plugin)
        try:
            with silence_native_output():
                return [decoder.as_array(dataset, index=number, decoding_plugin=plugin) for number in numbers]
        except (RuntimeError, ValueError):  # what pydicom makes of all that happens in a decoder
            continue
    what = f"{decoder.UID.name}, frame {numbers[0]} of {_count(dataset)}"
    raise ImageError(f"damaged: {what} cannot be decoded to {dataset.Rows}x{dataset.Columns}")


def _plugins(dataset: Dataset, decoder: Decoder) -> list[str]:
    """The decoders of pydicom to try.

    A second is tried for JPEG-LS only, whose end some write amiss: of other syntaxes what one decoder calls damaged
    another may fill with grey.
    """
    uid, wanted = decoder.UID, PLUGINS.get(decoder.UID, decoder.available_plugins)
    if uid == JPEGExtended12Bit and dataset.BitsStored > 8:
        wanted = ("pylibjpeg",)
    able = [name for name in wanted if name in decoder.available_plugins]
    if not able:
        raise ImageError(_cannot(uid))
    return able if uid in JPEGLSTransferSyntaxes else able[:1]


def _check_frames(dataset: Dataset, numbers: range, plugin: str) -> None:
    if plugin not in ("gdcm", "pyjpegls"):
        return
    size = dataset.Rows, dataset.Columns, dataset.SamplesPerPixel
    for number in numbers:
        frame = _frame(dataset, number)
        dicom_jpeg.check_end(frame)
        if plugin == "gdcm" and dataset.file_meta.TransferSyntaxUID not in JPEGLSTransferSyntaxes:
            dicom_jpeg.check_lossless(frame, *size, dataset.BitsAllocated)


def _decoder(uid: UID) -> Decoder:
    try:
        return get_decoder(uid)
    except NotImplementedError:
        raise ImageError(_cannot(uid)) from None


def _cannot(uid: UID) -> str:
    named = f"{uid} ({uid.name})" if re.fullmatch(r"[\d.]{1,64}", uid) else "that is no UID"
    more = (
        "; the package pylibjpeg-libjpeg (GPL) has one" if uid in JPEGTransferSyntaxes + JPEGLSTransferSyntaxes else ""
    )
    return f"no decoder for transfer syntax {named}{more}"
