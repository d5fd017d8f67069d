"""DICOM files in the transfer syntaxes that competitions use, with headers as scanners write them."""

from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from pydicom import config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from tests.lookalikes.pictures import encoded

STORAGE = {"CT": CTImageStorage, "MG": DigitalMammographyXRayImageStorageForPresentation}


def write(path: Path, pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, **headers: Any) -> None:
    """Writes one image.

    Args:
        path: of the file.
        pixels: uint8, uint16 or int16 (height, width), or uint8 (height, width, 3) in red, green, blue.
        syntax: plain, JPEG 2000 lossless, JPEG Lossless, or JPEG Baseline (of 8 bits).
        headers: by keyword, in place of the usual ones or beside them. They may break the standard, as real ones do.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with config.disable_value_validation():
        image = _image(pixels, f"{path.parent.name}/{path.name}", headers)
        if syntax == JPEGBaseline8Bit:
            image.PixelData = encapsulate([encoded(pixels, ".jpg")])
            image["PixelData"].is_undefined_length = True
            image.file_meta.TransferSyntaxUID = syntax
            image.LossyImageCompression = "01"
            if pixels.ndim == 3:
                image.PhotometricInterpretation = "YBR_FULL_422"
        elif syntax == JPEG2000Lossless:
            image.compress(syntax, generate_instance_uid=False)
        image.save_as(path, enforce_file_format=True)
    if syntax == JPEGLosslessSV1:
        _to_jpeg_lossless(path)


def _image(pixels: np.ndarray, name: str, headers: dict[str, Any]) -> Dataset:
    bits = 8 * pixels.dtype.itemsize
    modality = headers.get("Modality", "OT")
    image, meta = Dataset(), FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = STORAGE.get(modality, SecondaryCaptureImageStorage)
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[name])
    usual = {
        "SOPClassUID": meta.MediaStorageSOPClassUID,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "Modality": modality,
        "PatientName": "",
        "SamplesPerPixel": 1 if pixels.ndim == 2 else 3,
        "PhotometricInterpretation": "MONOCHROME2" if pixels.ndim == 2 else "RGB",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": bits,
        "BitsStored": bits,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        **headers,
    }
    for keyword, value in usual.items():
        setattr(image, keyword, value)
    image.HighBit = image.BitsStored - 1
    if pixels.ndim == 3:
        image.PlanarConfiguration = 0
    image.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    image["PixelData"].VR = "OB" if bits == 8 else "OW"
    image.file_meta = meta
    return image


def _to_jpeg_lossless(path: Path) -> None:
    # pydicom has no encoder for it.
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(path))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(path))
    assert writer.Write()
