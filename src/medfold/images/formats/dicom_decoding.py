"""Decoding of the frames of DICOM files: which decoder takes which compression, and checks of what it is given."""

import math
import re

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import (
    JPEG2000,
    UID,
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
from medfold.images.formats import dicom_jpeg
from medfold.images.formats.declared_size import declared_size
from medfold.images.formats.dicom_dataset import num_frames
from medfold.images.formats.failures import ImageError
from medfold.images.formats.frames import check_size
from medfold.system.native_output import silence_library, silence_native_output

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
MIN_RLE_BYTES = 4096  # a run-length-encoded frame may have this size; a larger one at most twice the size of the pixels

silence_library("pylibjpeg", "openjpeg")


def decode_frames(dataset: Dataset, numbers: range, image_facts: ImageFacts) -> list[np.ndarray]:
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
    return get_frame(dataset.PixelData, number, number_of_frames=num_frames(dataset), extended_offsets=offsets)


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
    frame = f"{dataset.file_meta.TransferSyntaxUID.name}, frame {number} of {num_frames(dataset)}"
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
