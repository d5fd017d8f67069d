"""Images damaged at random: each is read, or refused in one line; none crashes its process or takes long."""

import io
import time
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import tifffile
from PIL import Image
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from medfold.competition.facts_sections import ImageFacts
from medfold.errors import UserError
from medfold.images.formats.decoding import read_image
from medfold.images.worker_pool import WorkerDied, map_in_workers
from tests.campaigns.campaign import Campaign
from tests.support.dicom_files import dataset, encapsulated, save, smooth, write

BLOCK = 100  # damaged files per case
LONGEST = 10.0  # seconds allowed per file
FULL, SHARE = 12, 1  # cases per kind
COLOUR = smooth((64, 60, 3), 8)
SYNTAXES = {
    "plain": ExplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-lossless": JPEGLosslessSV1,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-2000": JPEG2000Lossless,
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
    "tif": lambda: _pillow("TIFF", compression="tiff_lzw"),
    "tiff": lambda: _array(lambda data: tifffile.imwrite(data, smooth((64, 60)), compression="zlib", predictor=True)),
    "npy": lambda: _array(lambda data: np.save(data, COLOUR)),
    "npz": lambda: _array(lambda data: np.savez(data, a=COLOUR[None])),
    "h5": lambda: _array(_hdf5),
}
MEMBERS = {"npz": "#a/0", "h5": "#a"}
KINDS = [*MAKERS, *(f"dcm {syntax}" for syntax in [*SYNTAXES, "jpeg"])]


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """A copy with one to four damages: bytes replaced, one set to an extreme, a piece deleted, doubled or zeroed."""
    found = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        at, length = int(rng.integers(len(found))), int(rng.integers(1, 65))
        # Half of the damage is done to the headers, where it changes more.
        at = at % 512 if rng.random() < 0.5 else at
        match rng.integers(5):
            case 0:
                found[at : at + length] = rng.bytes(len(found[at : at + length]))
            case 1:
                found[at : at + 1] = bytes([rng.choice([0, 1, 0x7F, 0x80, 0xFF])])
            case 2:
                del found[at : at + length]
            case 3:
                found[at:at] = found[at : at + length]
            case _:
                found[at : at + length] = bytes(len(found[at : at + length]))
        if not found:
            found = bytearray(1)
    return bytes(found)


def attempt(item: tuple[str, str], folder: Path) -> tuple[str, float]:
    """Reads a file: 'read' or the error message, and the seconds it took."""
    name, channels = item
    began = time.perf_counter()
    try:
        pixels = read_image(folder, name, ImageFacts(train="x", channels=int(channels)))
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        told = "read"
    except UserError as error:
        told = str(error)
    return told, time.perf_counter() - began


def cases(seed: int, full: bool) -> list[str]:
    """A case is a kind of file, and the seed of a hundred damaged copies of it."""
    blocks = range(FULL if full else SHARE)
    return [f"{kind} {1000 * seed + block}" for block in blocks for kind in KINDS]


def check(case: str, given: None, folder: Path) -> str:
    """Reads a hundred damaged files in worker processes."""
    kind, _, number = case.rpartition(" ")
    data, rng = whole(kind, folder), np.random.default_rng([*kind.encode(), int(number)])
    suffix = kind.split()[0]
    channels, member = "1" if suffix in ("dcm", "tiff") else "3", MEMBERS.get(suffix, "")
    (folder / f"sound.{suffix}").write_bytes(data)
    told, _ = attempt((f"sound.{suffix}{member}", channels), folder)
    assert told == "read", told
    items = [(f"{copy}.{suffix}{member}", channels) for copy in range(BLOCK)]
    for copy in range(BLOCK):
        (folder / f"{copy}.{suffix}").write_bytes(damaged(data, rng))
    read = 0
    for results in map_in_workers(partial(attempt, folder=folder), items):
        for position, result in results:
            name = items[position][0]
            assert result != WorkerDied(), f"{name} ended its process"
            told, seconds = result
            assert seconds < LONGEST, f"{name} took {seconds:.0f} s"
            assert "\n" not in told, f"{name}: several lines: {told}"
            assert told == "read" or told.startswith(str(folder / name.partition("#")[0])), f"{name}: {told}"
            assert "DOE" not in told, f"{name}: the patient is named"
            read += told == "read"
    return f"{read} read, {BLOCK - read} refused"


CAMPAIGN = Campaign(
    question=f"Is each damaged image read, or refused in one line ({BLOCK} copies a case)?",
    cases=cases,
    prepare=lambda folder: None,
    check=check,
)
