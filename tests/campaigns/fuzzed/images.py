"""Images damaged at random: each is read, or refused in one line that names the file and no patient."""

import io
import struct
import zlib
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pydicom
import tifffile
from PIL import Image, features
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from medfold.competition import ImageFacts
from medfold.errors import UserError
from medfold.images import read_image
from tests.campaigns.fuzzed import READ, Subject
from tests.campaigns.fuzzed.damage import damaged, pick, rezipped
from tests.support.dicom_files import dataset, encapsulated, save, smooth, write

COLOUR = smooth((64, 60, 3), 8)
SYNTAXES = {
    "plain": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-lossless": JPEGLosslessSV1,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-2000": JPEG2000Lossless,
}
HEADERS = {  # of DICOM, with values that fit the type of each
    **{key: [0, 1, 59, 255, 30000, 65535] for key in ("Rows", "Columns")},
    **{key: [0, 1, 7, 8, 12, 16, 32, 64, 65535] for key in ("BitsAllocated", "BitsStored", "HighBit")},
    **{key: [0, 1, 2, 3, 4, 65535] for key in ("SamplesPerPixel", "PixelRepresentation", "PlanarConfiguration")},
    "NumberOfFrames": ["", "0", "-1", "2", "1000000", "2147483647"],
    "PhotometricInterpretation": ["", "RGB", "PALETTE COLOR", "YBR_FULL_422", "YBR_RCT", "MONOCHROME1", "DOE^JANE"],
    **{key: ["", "0", "-1", "1e30", "0.000001", ["1", "2", "3"]] for key in ("WindowCenter", "WindowWidth")},
    **{key: ["", "0", "-1", "1e300", "-1e300", "1e-300"] for key in ("RescaleSlope", "RescaleIntercept")},
    "PixelData": [b"", bytes(2), bytes(7680), b"\xff\xfe\0\xe0" * 4],
    "TransferSyntaxUID": ["", "1.2", *SYNTAXES.values(), JPEGBaseline8Bit],
}


def _pillow(kind: str, **options) -> bytes:
    data = io.BytesIO()
    Image.fromarray(COLOUR).save(data, kind, **options)
    return data.getvalue()


def _array(save) -> bytes:
    data = io.BytesIO()
    save(data)
    return data.getvalue()


def _hdf5(data: io.BytesIO) -> None:
    with h5py.File(data, "w") as file:
        file["a"] = np.frombuffer(_pillow("PNG"), np.uint8)


def whole(kind: str, folder: Path) -> bytes:
    """An undamaged file of a kind, which is a suffix, or dcm with a transfer syntax."""
    suffix, _, syntax = kind.partition(" ")
    if suffix != "dcm":
        return MAKERS[kind]()
    path = folder / "whole.dcm"
    if syntax == "jpeg":
        grey = smooth((64, 60), 8)
        frame = _array(lambda data: Image.fromarray(grey).save(data, "JPEG"))
        save(path, encapsulated(dataset(grey), JPEGBaseline8Bit, [frame]))
    else:
        write(path, smooth((64, 60), 12), SYNTAXES[syntax], bits=12)
    return path.read_bytes()


MAKERS = {
    "png": lambda: _pillow("PNG"),
    "jpg": lambda: _pillow("JPEG"),
    "bmp": lambda: _pillow("BMP"),
    "webp": lambda: _pillow("WEBP", lossless=True),
    "gif": lambda: _pillow("GIF"),
    "ppm": lambda: _pillow("PPM"),
    "jp2": lambda: _pillow("JPEG2000"),
    "tga": lambda: _pillow("TGA", compression="tga_rle"),
    "pcx": lambda: _pillow("PCX"),
    "tif": lambda: _pillow("TIFF", compression="tiff_lzw"),
    "tiff": lambda: _array(lambda data: tifffile.imwrite(data, smooth((64, 60)), compression="zlib", predictor=True)),
    "npy": lambda: _array(lambda data: np.save(data, COLOUR)),
    "npz": lambda: _array(lambda data: np.savez(data, a=COLOUR[None])),
    "h5": lambda: _array(_hdf5),
}
if features.check("avif"):  # not in every installation
    MAKERS["avif"] = lambda: _pillow("AVIF")
MEMBERS = {"npz": "#a/0", "h5": "#a"}
KINDS = [*MAKERS, *(f"dcm {syntax}" for syntax in [*SYNTAXES, "jpeg"])]


def _checksums_corrected(data: bytes) -> bytes:
    """A PNG whose chunks have the checksums of their contents, as far as it can be followed."""
    found, at = bytearray(data), 8
    while at + 12 <= len(found):
        end = at + 8 + struct.unpack_from(">I", found, at)[0]
        if end + 4 > len(found):
            break
        struct.pack_into(">I", found, end, zlib.crc32(found[at + 4 : end]))
        at = end + 4
    return bytes(found)


def _odd_headers(data: bytes, rng: np.random.Generator) -> bytes:
    """A DICOM file with other values of one to three headers."""
    made = pydicom.dcmread(io.BytesIO(data))
    for keyword in rng.choice(list(HEADERS), rng.integers(1, 4), replace=False):
        value = pick(HEADERS[keyword], rng)
        if rng.random() < 0.1 and keyword in made:
            delattr(made, keyword)
        else:
            setattr(made.file_meta if keyword == "TransferSyntaxUID" else made, keyword, value)
    out = io.BytesIO()
    made.save_as(out)
    return out.getvalue()


def _odd_array(rng: np.random.Generator) -> bytes:
    """A .npy file that declares any type and shape."""
    kind = pick(["|u1", "<u2", "<i8", "<f2", "<f8", "<c16", "|b1", "<U5", "|S3", "|V3", "|O", "<M8[D]"], rng)
    shape = tuple(int(size) for size in rng.choice([0, 1, 3, 64, 3840, 2**31, 2**62], rng.integers(0, 5)))
    out = io.BytesIO()
    header = {"descr": kind, "fortran_order": bool(rng.integers(2)), "shape": shape}
    np.lib.format.write_array_header_1_0(out, header)
    return out.getvalue() + rng.bytes(int(rng.choice([0, 1, 11520, 92160])))


def _damaged_image(data: bytes, kind: str, rng: np.random.Generator) -> bytes:
    """A damaged copy; half of those of PNG, NumPy and DICOM are damaged where their checks do not notice."""
    if rng.random() < 0.5:
        if kind == "png":
            return _checksums_corrected(damaged(data, rng))
        if kind == "npy":
            return _odd_array(rng)
        if kind == "npz":
            return rezipped(data, rng)
        if kind.startswith("dcm"):
            try:
                return _odd_headers(data, rng)
            except Exception:  # pydicom refuses to write what makes no sense
                return damaged(data, rng)
    return damaged(data, rng)


def _prepare(folder: Path, kind: str) -> None:
    (folder / "whole").write_bytes(whole(kind, folder))


def _attempt(rng: np.random.Generator | None, given: Path, place: Path, kind: str) -> str:
    """Reads a copy: `READ` or the error message."""
    data, suffix = (given / "whole").read_bytes(), kind.split()[0]
    channels = 1 if suffix in ("dcm", "tiff") else 3
    if rng:
        data, channels = _damaged_image(data, kind, rng), int(rng.choice([1, 3]))
    name = f"image.{suffix}"
    (place / name).write_bytes(data)
    try:
        pixels = read_image(place, name + MEMBERS.get(suffix, ""), ImageFacts(train="x", channels=channels))
    except UserError as error:
        told = str(error)
        assert told.startswith(str(place / name)), f"does not name the file: {told}"
        assert "DOE" not in told, "the patient is named"
        return told
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    return READ


SUBJECTS = {kind: Subject(partial(_prepare, kind=kind), partial(_attempt, kind=kind)) for kind in KINDS}
