"""Image files that declare huge sizes, name other files, or want other programs started, through make prepare."""

import io
import struct
import zlib
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from tests.support.broken_files import png_chunk
from tests.support.dicom_files import dataset, encapsulated, save
from tests.support.victim import DIARY, TOKEN

pytestmark = pytest.mark.slow


def png(side: int) -> bytes:
    """A PNG of one colour: a thousandth of its pixels in size."""
    compress, rows = zlib.compressobj(9), []
    row = bytes(1 + side // 8)
    rows = [compress.compress(row * 100) for _ in range(side // 100)] + [compress.flush()]
    header = struct.pack(">IIBBBBB", side, side // 100 * 100, 1, 0, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", b"".join(rows)), png_chunk(b"IEND", b"")]
    return b"".join([b"\x89PNG\r\n\x1a\n", *chunks])


def jpeg_of(height: int, width: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "JPEG")
    data = bytearray(file.getvalue())
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def write_bytes(data: bytes):
    return lambda path: path.write_bytes(data)


def deflated_dicom(path: Path) -> None:
    made = dataset(np.zeros((64, 64), np.uint8))
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    made.add_new(0x7FE10010, "OB", bytes(1_200_000_000))
    made.PixelData, made[0x7FE00010].VR = bytes(64 * 64), "OB"
    made.save_as(path, enforce_file_format=True)


def rle_dicom(path: Path) -> None:
    segment = b"\x81\x00" * 20_000_000  # two bytes for 128 pixels
    header = struct.pack("<16I", 1, 64, *[0] * 14)
    save(path, encapsulated(dataset(np.zeros((64, 64), np.uint8)), RLELossless, [header + segment]))


def dicom_of_frames(path: Path) -> None:
    save(path, dataset(np.zeros((64, 64), np.uint8), Rows=30_000, Columns=30_000))


def eps(path: Path) -> None:
    Image.new("RGB", (20, 18)).save(path, "EPS")


def tiff_bomb(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((40_000, 40_000), np.uint8), compression="zlib", rowsperstrip=1000)


def npy_of(shape: tuple[int, ...]):
    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            file.truncate(4 * 10**8)  # a hole: takes no disk

    return write


IMAGES = {
    "large.png": lambda path: path.write_bytes(png(60_000)),
    "large.jpg": write_bytes(jpeg_of(65_000, 65_000)),
    "deflated.dcm": deflated_dicom,
    "rle.dcm": rle_dicom,
    "rows.dcm": dicom_of_frames,
    "picture.png": eps,
    "picture.eps": eps,
    "large.tif": tiff_bomb,
    "large.npy": npy_of((20_000, 18_000)),
}


@pytest.mark.parametrize("name", IMAGES)
def test_hostile_image_is_refused_by_name(limited_victim, name):
    victim = limited_victim
    IMAGES[name](victim.given / "train" / name)
    (victim.given / "train" / "i03.png").unlink()
    table = pd.read_csv(victim.given / "train.csv").assign(file=lambda rows: rows["id"] + ".png")
    table.loc[3, "file"] = name
    table.to_csv(victim.given / "train.csv", index=False)
    victim.change_facts('"train/{id}.png"', '"train/{file}"')
    assert victim.make("download", f"FROM={victim.given}").code == 0
    line = victim.refuse("prepare")
    assert "1 of 20 images cannot be read" in line or "unknown image format" in line
    if "cannot be read" in line:
        (listed,) = pd.read_csv(victim.clone / "data" / "clinic" / "unreadable_images.csv").to_dict("records")
        assert listed["id"] == "i03"


def external_storage(file: h5py.File, name: str, outside: Path) -> None:
    size = len(DIARY) // 7 * 7
    file.create_dataset(name, (7, size // 7), np.uint8, external=[(str(outside / "diary.txt"), 0, size)])


def external_link(file: h5py.File, name: str, outside: Path) -> None:
    file[name] = h5py.ExternalLink(str(outside / "other.h5"), "x")


def soft_link(file: h5py.File, name: str, outside: Path) -> None:
    file["there"] = h5py.ExternalLink(str(outside / "other.h5"), "/")
    file[name] = h5py.SoftLink("/there/x")


def virtual(file: h5py.File, name: str, outside: Path) -> None:
    layout = h5py.VirtualLayout((20, 18), np.uint8)
    layout[...] = h5py.VirtualSource(str(outside / "other.h5"), "x", (20, 18))
    file.create_virtual_dataset(name, layout)


def huge(file: h5py.File, name: str, outside: Path) -> None:
    file.create_dataset(name, (90_000, 90_000), np.uint8, chunks=(1000, 1000))


def inflating_chunk(file: h5py.File, name: str, outside: Path) -> None:
    made = file.create_dataset(name, (4000, 4000), np.uint8, chunks=(4000, 4000), compression="gzip")
    compress = zlib.compressobj(9)
    parts = [compress.compress(bytes(10**8)) for _ in range(40)]
    made.id.write_direct_chunk((0, 0), b"".join(parts) + compress.flush())


@pytest.mark.parametrize("write", [external_storage, external_link, soft_link, virtual, huge, inflating_chunk])
def test_hostile_hdf5_is_refused_by_name(limited_victim, write):
    victim = limited_victim
    with h5py.File(victim.outside / "other.h5", "w") as file:
        file["x"] = np.frombuffer(TOKEN.encode() * 20, np.uint8)[: 20 * 18].reshape(20, 18)
    victim.plant()
    with h5py.File(victim.given / "images.h5", "w") as file:
        for path in sorted((victim.given / "train").iterdir()):
            if path.stem != "i03":
                file[path.stem] = np.asarray(Image.open(path).convert("L"))
        write(file, "i03", victim.outside)
    victim.change_facts('"train/{id}.png"', '"images.h5#{id}"')
    if write in (external_link, soft_link):  # there is no such image in this file
        assert "1 image is missing: images.h5#i03" in victim.refuse("download", f"FROM={victim.given}")
        return
    assert victim.make("download", f"FROM={victim.given}").code == 0
    assert "1 of 20 images cannot be read" in victim.refuse("prepare")
