"""Image files broken in every known way, with the reason that must be in the error message."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import tifffile
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.support.dicom_files import dataset, encapsulated, save, smooth, write

GREY, COLOUR = smooth((64, 60), 8), smooth((64, 60, 3), 8)
BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {}


def broken(name: str, reason: str):
    """Registers a function that writes this file, and the reason in the error, or several, separated by |.

    The part of the name after # names a member.
    """

    def register(make: Callable[[Path], object]) -> Callable[[Path], object]:
        assert name not in BROKEN
        assert all(reason.split("|")), f"{name}: an empty reason would be found in every message"
        BROKEN[name] = make, reason
        return make

    return register


def encoded(kind: str, pixels: np.ndarray = GREY, **options) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, kind, **options)
    return data.getvalue()


def bytes_of(name: str, reason: str, data: bytes) -> None:
    broken(name, reason)(lambda path: path.write_bytes(data))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Returns a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(height: int, width: int) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(b"\0" * 99)) + png_chunk(b"IEND", b"")


def changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


NOISE = np.random.default_rng(0).bytes(3000)

# Images that are cut off.
for kind, suffix, reason in (("JPEG", "jpg", "cut off"), ("PNG", "png", "cut off")):
    for share in (0.3, 0.6, 0.99):
        whole = encoded(kind, COLOUR)
        bytes_of(f"cut-{share}.{suffix}", reason, whole[: int(len(whole) * share)])
bytes_of("cut-progressive.jpg", "cut off", encoded("JPEG", COLOUR, progressive=True)[:-300])
bytes_of("cut-padded.jpg", "cut off", encoded("JPEG", COLOUR)[:-300] + b"\0" * 300)
bytes_of("cut.bmp", "cut off", encoded("BMP", COLOUR)[:-300])
bytes_of("cut.webp", "cut off|damaged|not a picture", encoded("WEBP", COLOUR, lossless=True)[:-300])
for share in (0.05, 0.5, 0.97):
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate"):
        whole = encoded("TIFF", COLOUR, compression=compression)
        bytes_of(f"cut-{share}-{compression}.tif", "cut off|damaged|read", whole[: int(len(whole) * share)])

# Files that are no images.
for suffix in ("png", "jpg", "tif", "bmp", "webp"):
    bytes_of(f"empty.{suffix}", "the file is empty", b"")
bytes_of("text.jpg", "not a picture", b"this is not a picture")
bytes_of("page.png", "not a picture", b"<!DOCTYPE html><html><body>404 Not Found</body></html>")
bytes_of("zip.jpeg", "not a picture", b"PK\x03\x04" + NOISE)
bytes_of("zeros.png", "not a picture", bytes(4096))
bytes_of("pointer.tif", "not a picture", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n")
MAGIC = {
    "jpg": (b"\xff\xd8\xff\xe0", "cut off"),
    "png": (b"\x89PNG\r\n\x1a\n", "cut off"),
    "bmp": (b"BM", "damaged"),
    "webp": (b"RIFF\0\x0c\0\0WEBP", "not a picture"),
    "tif": (b"II*\0", "cut off, or its directory is damaged"),
    "tiff": (b"MM\0*", "cut off, or its directory is damaged"),
    "npy": (b"\x93NUMPY\x01\0", "not an array"),
    "npz": (b"PK\x03\x04", "not a zip file"),
    "h5": (b"\x89HDF\r\n\x1a\n", "superblock version"),
    "dcm": (bytes(128) + b"DICM", "it contains no pixels"),
}
for suffix, (magic, reason) in MAGIC.items():
    bytes_of(f"noise.{suffix}", reason, magic + NOISE)
bytes_of("noise-big.tif", "it contains no page", b"II+\0\x08\0\0\0" + NOISE)

# Images that declare impossible sizes.
bytes_of("zero.png", "not a picture|damaged|no pixels", png_of(0, 5))
bytes_of("huge.png", "more than 2**30", png_of(100_000, 100_000))
bytes_of("large.png", "declares 30000x30000 pixels, 900 MB decoded", png_of(30_000, 30_000))
bytes_of(
    "huge.bmp", "more than 2**30|damaged|not a picture", changed(encoded("BMP"), 18, struct.pack("<ii", 90_000, 90_000))
)
bytes_of("zero.bmp", "no pixels|damaged|not a picture", changed(encoded("BMP"), 18, struct.pack("<ii", 0, 9)))


def tiff_of(height: int, width: int, **tags) -> bytes:
    data = io.BytesIO()
    tifffile.imwrite(data, GREY, photometric="minisblack", metadata=None, **tags)
    data.seek(0)
    with tifffile.TiffFile(data, mode="r+b") as file:
        file.pages[0].tags["ImageWidth"].overwrite(width)
        file.pages[0].tags["ImageLength"].overwrite(height)
    return data.getvalue()


bytes_of("huge.tif", "more than 2**30", tiff_of(60_000, 60_000))
bytes_of("huge-big.tif", "more than 2**30", tiff_of(60_000, 60_000, bigtiff=True))
bytes_of("zero.tif", "it contains no pixels", tiff_of(0, 60))
bytes_of("longer.tif", "failed to read", tiff_of(640, 60))

# Images with damaged contents.
bytes_of("checksum.png", "damaged", changed(encoded("PNG", COLOUR), 200, b"damage"))
huffman = encoded("JPEG", COLOUR).index(b"\xff\xc4")
bytes_of("table.jpg", "damaged", changed(encoded("JPEG", COLOUR), huffman + 5, b"\xff" * 16))
deflated = encoded("TIFF", COLOUR, compression="tiff_adobe_deflate")
bytes_of("deflate.tif", "BAD_DATA|libdeflate", changed(deflated, len(deflated) // 2, b"\xff" * 60))
bytes_of("directory.tif", "cut off|damaged", b"II*\0\xff\xff\xff\x7f" + bytes(64))


@broken("nan.tif", "NaN or infinite values")
def _(path):
    tifffile.imwrite(path, np.array([[0, np.nan], [1, 2]], np.float32))


@broken("infinite.npy", "NaN or infinite values")
def _(path):
    np.save(path, np.array([[0, np.inf], [1, 2]]))


@broken("lab.tif", "photometric interpretation 8")
def _(path):
    tifffile.imwrite(path, COLOUR, photometric="cielab")


# Folders, and files that do not exist.
@broken("folder.png", "Is a directory|Permission denied")
def _(path):
    path.mkdir()


@broken("folder.dcm", "Is a directory|Permission denied")
def _(path):
    path.mkdir()


for suffix in ("png", "dcm", "npy", "npz#a/0", "h5#a", "xyz"):
    broken(f"gone.{suffix}", "No such file or directory")(lambda path: None)


# Arrays.
def array(name: str, reason: str, **options):
    def register(make: Callable[[], object]) -> None:
        def write_array(path: Path) -> None:
            data = io.BytesIO()
            np.savez(data, a=make()) if ".npz" in name else np.save(data, make(), **options)
            path.write_bytes(data.getvalue())

        broken(name, reason)(write_array)

    return register


array("float.npz#a/0", "NaN or infinite")(lambda: np.full((2, 4, 4), np.nan))
array("flat.npz#a/0", "array 'a' is uint8")(lambda: np.zeros((2, 4), np.uint8))
array("row.npz#a/2", "no row '2' in array 'a', only 2")(lambda: np.zeros((2, 4, 4), np.uint8))
array("minus.npz#a/-1", "no row '-1'")(lambda: np.zeros((2, 4, 4), np.uint8))
array("member.npz#b/0", "it contains no array 'b'")(lambda: np.zeros((2, 4, 4), np.uint8))
array("objects.npz#a/0", "Object arrays cannot be loaded")(lambda: np.array([{}, {}], object))
array("objects.npy", "an array of Python objects")(lambda: np.array([{}, {}], object))
array("words.npy", " values, expected numbers")(lambda: np.array([["a", "b"]]))
array("complex.npy", "complex128 values, expected numbers")(lambda: np.ones((3, 3), complex))
array("vector.npy", "shape (9,), expected")(lambda: np.ones(9, np.uint8))
array("five.npy", "shape (1, 1, 1, 2, 2), expected")(lambda: np.ones((1, 1, 1, 2, 2), np.uint8))
array("none.npy", "it contains no pixels")(lambda: np.ones((0, 4), np.uint8))
array("no-frames.npy", "it contains no pixels")(lambda: np.ones((0, 4, 4), np.uint8))
bytes_of("no.npz#a/0", "not an .npz archive", b"hello")


class Bomb:
    """Makes a folder if it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("unpickled",)


array("pickle.npy", "an array of Python objects")(lambda: np.array([Bomb()], object))
array("pickle.npz#a/0", "Object arrays cannot be loaded")(lambda: np.array([Bomb()], object))


@broken("cut.npy", "cut off")
def _(path):
    np.save(path, GREY)
    path.write_bytes(path.read_bytes()[:-200])


@broken("header.npy", "not an array")
def _(path):
    np.save(path, GREY)
    path.write_bytes(path.read_bytes().replace(b"(64, 60)", b"(64, 60 "))


@broken("declared.npy", "cut off")
def _(path):
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**6, 10**9)}
        np.lib.format.write_array_header_1_0(file, header)


@broken("cut.npz#a/0", "not a zip file")
def _(path):
    np.savez(path, a=np.zeros((9, 40, 40), np.uint8))
    path.write_bytes(path.read_bytes()[:-200])


@broken("checksum.npz#a/0", "Bad CRC-32|decompressing")
def _(path):
    np.savez_compressed(path, a=np.random.default_rng(0).integers(0, 256, (9, 40, 40), dtype=np.uint8))
    path.write_bytes(changed(path.read_bytes(), 3000, b"damage"))


@broken("foreign.npz#a/0", "it contains no array 'a'")
def _(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"no array at all")


# HDF5.
def hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["jpeg"] = np.void(encoded("JPEG", COLOUR))
        file["cut"] = np.void(encoded("JPEG", COLOUR)[:-300])
        file["words"] = "no picture"
        file["number"] = 7
        file["empty"] = np.void(b"\0")
        file.create_dataset("huge", (9, 100_000, 100_000), np.uint8, chunks=(1, 1000, 1000))
        file.create_dataset("compressed", data=np.stack([GREY] * 9), chunks=(1, 64, 60), compression="gzip")


for member, reason in {
    "cut": "cut off",
    "words": "not a picture",
    "number": "shape",
    "empty": "not a picture",
    "huge": "more than 2**30",
    "huge/1": "more than",
    "gone": "no data set 'gone'",
    "compressed/9": "no row '9'",
}.items():
    broken(f"{member.replace('/', '-')}.h5#{member}", reason)(hdf5)


@broken("truncated.h5#jpeg", "truncated file")
def _(path):
    hdf5(path)
    path.write_bytes(path.read_bytes()[:2000])


@broken("chunk.h5#compressed/4", "filter returned failure")
def _(path):
    hdf5(path)
    with h5py.File(path) as file:
        place = file["compressed"].id.get_chunk_info(4)
    path.write_bytes(changed(path.read_bytes(), place.byte_offset + 9, b"\xff" * (place.size - 9)))


# DICOM: headers.
bytes_of("text.dcm", "not a DICOM file", b"hello, I am no DICOM file at all, whatever my name says")
bytes_of("empty.dcm", "not a DICOM file", b"")
bytes_of("preamble.dcm", "it contains no pixels", bytes(128) + b"DICM")
bytes_of("page.dcm", "not a DICOM file", b"<!DOCTYPE html><html><body>404 Not Found</body></html>" * 20)
bytes_of("picture.dcm", "not a DICOM file", encoded("JPEG"))


def header(name: str, reason: str, pixels: np.ndarray = GREY, bits: int | None = None, **headers) -> None:
    broken(name, reason)(lambda path: save(path, dataset(pixels, bits, **headers)))


header("no-pixels.dcm", "it contains no pixels", PixelData=None)
header("no-rows.dcm", "no header Rows", Rows=None)
header("no-bits.dcm", "no header BitsAllocated", BitsAllocated=None)
header("zero.dcm", "it contains no pixels", Rows=0)
header("huge.dcm", "more than 2**30", Rows=65535, Columns=65535)
header("large.dcm", "declares 20000x20000 pixels, 400 MB decoded", Rows=20000, Columns=20000)
header("larger.dcm", "less than expected", Rows=10000, Columns=10000)
header("short.dcm", "less than expected", Rows=65)
header("bits.dcm", "12 bits stored in 8", bits=12)
header("odd-bits.dcm", "16 bits stored in 12", smooth(), BitsAllocated=12)
header("samples.dcm", "it must be 1 or 3", SamplesPerPixel=7)
header("frames.dcm", "less than expected", NumberOfFrames=1000)
header("many-frames.dcm", "less than expected", NumberOfFrames=2**31 - 1)
header("signs.dcm", "it must be 0 or 1", PixelRepresentation=7)
header("no-palette.dcm", "it contains no palette", PhotometricInterpretation="PALETTE COLOR")
header("hsv.dcm", "an unsupported colour space", COLOUR, PhotometricInterpretation="HSV")
header("function.dcm", "an unknown VOILUTFunction", WindowCenter=1, WindowWidth=9, VOILUTFunction="CUBIC")


@broken("slope.dcm", "RescaleSlope is not finite")
def _(path):
    save(path, dataset(smooth(), 12, RescaleSlope="777", RescaleIntercept="0"))
    path.write_bytes(path.read_bytes().replace(b"777 ", b"nan "))


@broken("floats.dcm", "NaN or infinite values")
def _(path):
    made = dataset(GREY, PixelData=None, BitsAllocated=32, BitsStored=32)
    made.FloatPixelData = np.full(GREY.shape, np.nan, np.float32).tobytes()
    save(path, made)


@broken("cut.dcm", "less than expected")
def _(path):
    write(path, smooth(), bits=12)
    path.write_bytes(path.read_bytes()[:-500])


@broken("cut-header.dcm", "it contains no pixels")
def _(path):
    write(path, smooth(), bits=12)
    path.write_bytes(path.read_bytes()[:400])


# DICOM: transfer syntaxes.
def syntax(name: str, reason: str, uid: str, frames: list[bytes], pixels: np.ndarray = GREY, **headers) -> None:
    broken(name, reason)(lambda path: save(path, encapsulated(dataset(pixels, **headers), uid, frames)))


MPEG = "1.2.840.10008.1.2.4.102"
syntax("video.dcm", f"no decoder for transfer syntax {MPEG} (MPEG-4 AVC/H.264 High Profile / Level 4.1)", MPEG, [NOISE])
syntax("private.dcm", "no decoder for transfer syntax 1.2.3.4 (1.2.3.4)", "1.2.3.4", [NOISE])
TWELVE = "1.2.840.10008.1.2.4.51 (JPEG Extended (Process 2 and 4)); the package pylibjpeg-libjpeg (GPL) has one"
syntax("twelve.dcm", f"{TWELVE}|damaged: ", JPEGExtended12Bit, [encoded("JPEG")], smooth((64, 60)), bits=12)
DAMAGED = "damaged: "
for uid in (JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless):
    syntax(f"noise-{uid.keyword}.dcm", DAMAGED, uid, [NOISE])
    syntax(f"nothing-{uid.keyword}.dcm", DAMAGED, uid, [b"\0\0"])
syntax("size.dcm", DAMAGED, JPEGBaseline8Bit, [encoded("JPEG", GREY[:32])])
syntax("lie.dcm", "frame 2 of 5 cannot be decoded", JPEGBaseline8Bit, [encoded("JPEG")] * 2, NumberOfFrames=5)
syntax("wrong.dcm", DAMAGED, JPEG2000Lossless, [encoded("JPEG")])


def compressed(uid: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """Returns a function that writes a file whose compressed frame was changed."""

    def make(path: Path) -> None:
        write(path, smooth(), uid, bits=12)
        (frame,) = generate_frames(dcmread(path).PixelData, number_of_frames=1)
        save(path, encapsulated(dataset(smooth(), 12), uid, [change(frame)]))

    return make


for uid in (JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless):
    for share in (0.1, 0.5, 0.9):
        # CharLS would search for the end marker for seconds.
        reason = "a JPEG that is cut off" if uid in (JPEGLSLossless, JPEGLosslessSV1) else DAMAGED
        broken(f"cut-{share}-{uid.keyword}.dcm", reason)(
            compressed(uid, lambda frame, share=share: frame[: int(len(frame) * share)])
        )
# GDCM crashes on these: bits per sample, the marker before the tables, the length of the tables.
for at, value in ((6, 17), (6, 200), (15, 0), (15, 254), (16, 208), (16, 255), (18, 2)):
    broken(f"crash-{at}-{value}.dcm", DAMAGED)(
        compressed(JPEGLosslessSV1, lambda frame, at=at, value=value: changed(frame, at, bytes([value])))
    )
for name, headers in {
    "rows": {"Rows": 30},
    "samples": {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0},
}.items():

    def _make(path: Path, headers: dict = headers) -> None:
        write(path, smooth(), JPEGLosslessSV1, bits=12)
        made = dcmread(path)
        for keyword, value in headers.items():
            setattr(made, keyword, value)
        save(path, made)

    broken(f"lossless-{name}.dcm", "a different size than the DICOM headers declare")(_make)


@broken("deflate.dcm", "while decompressing data")
def _(path):
    write(path, smooth(), DeflatedExplicitVRLittleEndian, bits=12)
    path.write_bytes(changed(path.read_bytes(), 500, b"\xff" * 60))


@broken("cut-deflate.dcm", "incomplete or truncated stream")
def _(path):
    write(path, smooth(), DeflatedExplicitVRLittleEndian, bits=12)
    path.write_bytes(path.read_bytes()[:-900])
