"""From the headers of a DICOM image to the chain that its stored values go through."""

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from medfold.competition import ImageFacts
from medfold.images.formats.dicom_grayscale import Chain, Line, Lut, Span, Window
from medfold.images.formats.pixel_values import ImageError, window_spans

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def grayscale_chain(dataset: Dataset, number: int, facts: ImageFacts) -> Chain:
    """What becomes of the grey values of a frame.

    `images.windows` come first, then `images.range`, then what the file itself asks for: a VOI table, or its first
    window. Bytes without any of them stay as they are, all else is spread between its least and greatest value.

    Args:
        dataset: with the image pixel module complete.
        number: of the frame, from 0.
        facts: decide on windows and range.

    Raises:
        ImageError: a header that makes no sense.
    """
    bits, signed = dataset.BitsStored, dataset.PixelRepresentation == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    modality = None
    rescale = _macro(dataset, number, "PixelValueTransformationSequence")
    slope, intercept = _number(rescale, "RescaleSlope"), _number(rescale, "RescaleIntercept")
    if _has_lut(dataset.get("ModalityLUTSequence")):
        modality = _lut(dataset, "ModalityLUTSequence")
        low, high = 0, 2**modality.bits - 1
    elif slope is not None and intercept is not None:
        if (slope, intercept) != (1, 0):
            modality = Line(slope, intercept)
        low, high = low * slope + intercept, high * slope + intercept
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    as_they_are = modality is None and (bits, dataset.BitsAllocated, signed) == (8, 8, False)
    if facts.windows:
        tones = tuple(Span(*span) for span in window_spans(facts))
    elif facts.range and not as_they_are:
        tones = (Span(*facts.range),)
    elif _has_lut(dataset.get("VOILUTSequence")):
        tones = (_lut(dataset, "VOILUTSequence"),)
    elif window := _window(_macro(dataset, number, "FrameVOILUTSequence"), low, high):
        tones = (window,)
    elif as_they_are:
        tones = (Span(0, 255),)
    else:
        tones = ()
    return Chain(modality, tones, inverted, _padding(dataset))


def _macro(dataset: Dataset, number: int, sequence: str) -> Dataset:
    """Where enhanced files keep what others have at the top: with each frame, or once for all of them."""
    for groups, item in (("PerFrameFunctionalGroupsSequence", number), ("SharedFunctionalGroupsSequence", 0)):
        if len(dataset.get(groups) or ()) > item and (found := dataset.get(groups)[item].get(sequence)):
            return found[0]
    return dataset


def _number(dataset: Dataset, keyword: str) -> float | None:
    """The first value of a header, or None."""
    value = dataset.get(keyword)
    value = value[0] if isinstance(value, MultiValue) and len(value) else value
    if value is None or isinstance(value, MultiValue):
        return None
    if not np.isfinite(float(value)):
        raise ImageError(f"{keyword} is not finite")
    return float(value)


def _window(dataset: Dataset, low: float, high: float) -> Window | None:
    """The first window, if it is complete and wide enough for its function."""
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
    """A lookup table from its descriptor and data.

    pydicom's own functions keep the numbers of entries in the type of the entries: with eight bits and more than 256
    entries pydicom 3.0 takes wrong ones.

    Raises:
        ImageError: no entries, or of other than 8 to 16 bits.
    """
    count, first, bits = descriptor
    count = count or 2**16
    if isinstance(data, bytes):
        little = dataset.file_meta.TransferSyntaxUID.is_little_endian
        packed = bits == 8 and len(data) < 2 * count
        data = np.frombuffer(data, "u1" if packed else "<u2" if little else ">u2")
    entries = np.asarray(data, "<u2")[:count]
    if not 8 <= bits <= 16 or not entries.size:
        raise ImageError(f"a lookup table of {entries.size} entries with {bits} bits")
    return Lut(first, bits, entries.tobytes())


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    """Stored values, from and to, that stand for no image."""
    value = dataset.get("PixelPaddingValue")
    if not isinstance(value, int):
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = [_as_stored(each, dataset) for each in (value, limit if isinstance(limit, int) else value)]
    return min(ends), max(ends)


def _as_stored(value: int, dataset: Dataset) -> int:
    """A value as the pixels have it; some write those of signed pixels without a sign."""
    signed, bits = dataset.PixelRepresentation == 1, dataset.BitsAllocated
    return value - 2**bits if signed and value >= 2 ** (bits - 1) else value
