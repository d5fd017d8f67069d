"""Grayscale transformations of a DICOM image, derived from its headers."""

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from medfold.competition import ImageFacts
from medfold.images.formats.dicom_grayscale import GrayscaleTransforms, Lut, Rescale, ValueRange, Window
from medfold.images.formats.failures import ImageError
from medfold.images.formats.windows import window_spans

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def grayscale_transforms(dataset: Dataset, number: int, image_facts: ImageFacts) -> GrayscaleTransforms:
    """Returns the grayscale transformations of a frame.

    `images.windows` have priority, then `images.range`, then the VOI table of the file, then its first window. Without
    any of them, 8-bit values are unchanged, and others are scaled between their smallest and largest value.

    Args:
        dataset: DICOM file whose image pixel module is complete.
        number: frame number, from 0.
        image_facts: the facts `images` (windows, range).

    Raises:
        ImageError: a header is invalid.
    """
    bits = dataset.BitsStored
    is_signed = dataset.PixelRepresentation == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if is_signed else (0, 2**bits - 1)
    modality = None
    rescale = _macro(dataset, number, "PixelValueTransformationSequence")
    slope, intercept = _number(rescale, "RescaleSlope"), _number(rescale, "RescaleIntercept")
    if _has_lut(dataset.get("ModalityLUTSequence")):
        modality = _lut(dataset, "ModalityLUTSequence")
        low, high = 0, 2**modality.bits - 1
    elif slope is not None and intercept is not None:
        if (slope, intercept) != (1, 0):
            modality = Rescale(slope, intercept)
        low, high = low * slope + intercept, high * slope + intercept
    is_inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    keeps_bytes = modality is None and (bits, dataset.BitsAllocated, is_signed) == (8, 8, False)
    if image_facts.windows:
        voi = tuple(ValueRange(*span) for span in window_spans(image_facts))
    elif image_facts.range and not keeps_bytes:
        voi = (ValueRange(*image_facts.range),)
    elif _has_lut(dataset.get("VOILUTSequence")):
        voi = (_lut(dataset, "VOILUTSequence"),)
    elif window := _window(_macro(dataset, number, "FrameVOILUTSequence"), low, high):
        voi = (window,)
    elif keeps_bytes:
        voi = (ValueRange(0, 255),)
    else:
        voi = ()
    return GrayscaleTransforms(modality, voi, is_inverted, _padding(dataset))


def _macro(dataset: Dataset, number: int, sequence: str) -> Dataset:
    """Returns the item of a functional group, of the frame or shared by all; the dataset itself in classic files."""
    for groups, item in (("PerFrameFunctionalGroupsSequence", number), ("SharedFunctionalGroupsSequence", 0)):
        if len(dataset.get(groups) or ()) > item and (macro := dataset.get(groups)[item].get(sequence)):
            return macro[0]
    return dataset


def _number(dataset: Dataset, keyword: str) -> float | None:
    """Returns the first value of a header; None if it is missing."""
    value = dataset.get(keyword)
    value = value[0] if isinstance(value, MultiValue) and len(value) else value
    if value is None or isinstance(value, MultiValue):
        return None
    if not np.isfinite(float(value)):
        raise ImageError(f"{keyword} is not finite")
    return float(value)


def _window(dataset: Dataset, low: float, high: float) -> Window | None:
    """Returns the first window of a file; None if it is incomplete, or too narrow for its function."""
    centre, width = _number(dataset, "WindowCenter"), _number(dataset, "WindowWidth")
    function = str(dataset.get("VOILUTFunction") or "LINEAR").upper()
    if function not in FUNCTIONS:
        raise ImageError("an unknown VOILUTFunction")
    if centre is None or width is None or width <= 0 or (function == "LINEAR" and width < 1):
        return None
    return Window(centre, width, function, low, high)


def _has_lut(sequence: object) -> bool:
    return bool(sequence) and None not in (sequence[0].get("LUTDescriptor"), sequence[0].get("LUTData"))


def _lut(dataset: Dataset, sequence: str) -> Lut:
    item = dataset.get(sequence)[0]
    return read_lut(item.LUTDescriptor, item.LUTData, dataset)


def read_lut(descriptor: Sequence[int], data: bytes | Sequence[int], dataset: Dataset) -> Lut:
    """Returns a lookup table from its descriptor and data.

    It replaces the functions of pydicom 3.0, which store entry numbers in the type of the entries: with 8 bits and more
    than 256 entries they select wrong entries.

    Args:
        descriptor: number of entries (0 means 65536), first value that is mapped, bits per entry.
        data: the entries, as bytes or as integers.
        dataset: DICOM file of the table; gives the byte order.

    Raises:
        ImageError: there are no entries, or they do not have 8 to 16 bits.
    """
    num_entries, first, bits = descriptor
    num_entries = num_entries or 2**16
    if isinstance(data, bytes):
        is_little_endian = dataset.file_meta.TransferSyntaxUID.is_little_endian
        is_packed = bits == 8 and len(data) < 2 * num_entries
        data = np.frombuffer(data, "u1" if is_packed else "<u2" if is_little_endian else ">u2")
    entries = np.asarray(data, "<u2")[:num_entries]
    if not 8 <= bits <= 16 or not entries.size:
        raise ImageError(f"a lookup table of {entries.size} entries with {bits} bits")
    return Lut(first, bits, entries.tobytes())


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    """Returns the first and last stored value that mark pixels outside the image; None without padding."""
    value = dataset.get("PixelPaddingValue")
    if not isinstance(value, int):
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = [_as_stored(end, dataset) for end in (value, limit if isinstance(limit, int) else value)]
    return min(ends), max(ends)


def _as_stored(value: int, dataset: Dataset) -> int:
    """Converts a padding value to the type of the pixels; some files write it unsigned although pixels are signed."""
    is_signed = dataset.PixelRepresentation == 1
    bits = dataset.BitsAllocated
    return value - 2**bits if is_signed and value >= 2 ** (bits - 1) else value
