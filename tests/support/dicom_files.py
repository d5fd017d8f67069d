"""DICOM files of generated pixels in real transfer syntaxes."""

from pathlib import Path

import cv2
import gdcm
import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGLossless,
    JPEGLosslessSV1,
    RLELossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from medfold.competition import ImageFacts
from medfold.images import read_image

GDCM = {
    JPEGLossless: gdcm.TransferSyntax.JPEGLosslessProcess14,
    JPEGLosslessSV1: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
}


def smooth(shape: tuple = (70, 66), bits: int = 12, seed: int = 0) -> np.ndarray:
    """Draws uint8 or uint16 pixels of smooth structures with noise, from 0 to the maximum of `bits`."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((5, 5, *shape[2:])).astype(np.float32)
    fine = cv2.resize(coarse, shape[1::-1], interpolation=cv2.INTER_CUBIC) + rng.normal(0, 0.01, shape)
    fine = (fine - fine.min()) / (fine.max() - fine.min())
    return np.rint(fine * (2**bits - 1)).astype(np.uint8 if bits <= 8 else np.uint16)


def dataset(pixels: np.ndarray, bits: int | None = None, frames: int = 1, **headers) -> Dataset:
    """Makes an uncompressed data set of pixels ([frames,] height, width[, 3]); headers that are None are deleted."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = SecondaryCaptureImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid(entropy_srcs=["medfold"])
    made.PatientName, made.PatientID, made.Modality = "DOE^JANE", "4711", "OT"
    shape = pixels.shape[1:] if frames > 1 else pixels.shape
    made.Rows, made.Columns = shape[:2]
    made.SamplesPerPixel = 3 if len(shape) == 3 else 1
    made.PhotometricInterpretation = "RGB" if len(shape) == 3 else "MONOCHROME2"
    if len(shape) == 3:
        made.PlanarConfiguration = 0
    if frames > 1:
        made.NumberOfFrames = frames
    made.BitsAllocated = 8 * pixels.dtype.itemsize
    made.BitsStored = bits or made.BitsAllocated
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    made.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    made["PixelData"].VR = "OB" if made.BitsAllocated == 8 else "OW"
    for keyword, value in headers.items():
        if value is None:
            del made[keyword]
        else:
            setattr(made, keyword, value)
    return made


def encapsulated(made: Dataset, syntax: str, frames: list[bytes]) -> Dataset:
    """Replaces the pixels of a data set by compressed frames."""
    made.file_meta.TransferSyntaxUID = syntax
    made.PixelData = encapsulate(frames)
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    return made


def save(path: Path, made: Dataset) -> Path:
    """Writes a data set, with preamble and file meta."""
    private = {"implicit_vr": False, "little_endian": True} if made.file_meta.TransferSyntaxUID.is_private else {}
    made.save_as(path, enforce_file_format=True, **private)
    return path


def write(path: Path, pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, compress: dict | None = None, **more):
    """Writes pixels in a transfer syntax that is uncompressed, or that pydicom or GDCM can encode."""
    made = dataset(pixels, **more)
    if syntax in GDCM:
        made = by_gdcm(path, made, syntax)
    elif syntax.is_encapsulated:
        plugin = "pydicom" if syntax == RLELossless else ""  # GDCM ends the process over odd sizes
        made.compress(syntax, generate_instance_uid=False, encoding_plugin=plugin, **(compress or {}))
    else:
        made.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            made.PixelData = pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
    return save(path, made)


def by_gdcm(path: Path, made: Dataset, syntax: str) -> Dataset:
    """Compresses a data set as JPEG Lossless, which pydicom cannot write."""
    save(path, made)
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(path))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(GDCM[syntax]))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return dcmread(path)


def images(channels: int = 1, **facts) -> ImageFacts:
    return ImageFacts(train="{id}.dcm", channels=channels, **facts)


def read_dataset(made: Dataset, folder: Path, channels: int = 1, **facts) -> np.ndarray:
    """Writes a data set and reads it by read_image; a single channel has no axis."""
    save(folder / "a.dcm", made)
    pixels = read_image(folder, "a.dcm", images(channels, **facts))
    return pixels[..., 0] if channels == 1 else pixels


def scale_to_uint8(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Scales values from low to high linearly to 0 to 255, clipped."""
    return np.rint(np.clip((values.astype(np.float64) - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def pydicom_pixels(made: Dataset) -> np.ndarray:
    """Computes uint8 pixels by pydicom's functions: modality LUT, VOI LUT, scaling, inversion of MONOCHROME1."""
    values = apply_modality_lut(made.pixel_array, made)
    bits, signed = made.BitsStored, made.PixelRepresentation
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if "ModalityLUTSequence" in made:
        low, high = 0, 2 ** made.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    elif "RescaleSlope" in made:
        low, high = (end * made.RescaleSlope + made.RescaleIntercept for end in (low, high))
    if "VOILUTSequence" in made:
        low, high = 0, 2 ** made.VOILUTSequence[0].LUTDescriptor[2] - 1
    pixels = scale_to_uint8(apply_voi_lut(values, made), low, high)
    return 255 - pixels if made.PhotometricInterpretation == "MONOCHROME1" else pixels


def lut(entries: np.ndarray, first: int, bits: int) -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits])
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return Sequence([item])
