"""HDF5 files of images: members, rows, frames, threads."""

import threading

import h5py
import numpy as np
import pytest

from medfold.images.formats import hdf5 as hdf5_format
from tests.support.helpers import refused
from tests.support.image_files import COLOUR, DEEP, GREY, read, scale_to_uint8


@pytest.mark.parametrize(
    "member", ["ISIC_0015670", "text", "vector", "pixels", "group/stack/0", "group/stack", "vectors/1"]
)
def test_encoded_images_and_pixel_arrays_are_read(hdf5, member):
    assert (read(hdf5, 3, f"#{member}") == COLOUR).all()


def test_rows_and_frames_are_selected(hdf5):
    assert (read(hdf5, 1, "#stack/1") == 255 - GREY).all()
    assert (read(hdf5, 1, "#stack", frame="last") == 255 - GREY).all()
    assert (read(hdf5, 1, "#deep") == scale_to_uint8(DEEP, DEEP.min(), DEEP.max())).all()
    assert np.abs(read(hdf5, 3, "#jpeg").astype(int) - COLOUR).mean() < 5


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("", "the name of one are missing"),
        ("#gone", "it contains no data set 'gone'"),
        ("#group", "it contains no data set 'group'"),
        ("#stack/2", "no row '2' in data set 'stack' of shape .2, 30, 41."),
        ("#stack/-1", "no row '-1'"),
        ("#stack/x", "no row 'x'"),
        ("#vectors/0", "the file is empty"),
    ],
)
def test_missing_members_raise(hdf5, member, message):
    with refused(message):
        read(hdf5, 3, member)


def test_reading_is_thread_safe(hdf5):
    mismatches = []

    def read_repeatedly():
        for _ in range(20):
            if not (read(hdf5, 3, "#ISIC_0015670") == COLOUR).all() or not (read(hdf5, 1, "#stack/0") == GREY).all():
                mismatches.append(1)

    threads = [threading.Thread(target=read_repeatedly) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not mismatches


@pytest.fixture
def outside(tmp_path):
    """A file that does not belong to the data: a secret, and the same as HDF5."""
    secret = np.frombuffer(b"KGAT_secret" * 100, np.uint8)[:1024].reshape(32, 32)
    (tmp_path / "outside").write_bytes(secret.tobytes())
    with h5py.File(tmp_path / "outside.h5", "w") as file:
        file["x"] = secret
    return tmp_path


def _external_storage(file, outside):
    file.create_dataset("x", (32, 32), np.uint8, external=[(str(outside / "outside"), 0, h5py.h5f.UNLIMITED)])


def _external_link(file, outside):
    file["x"] = h5py.ExternalLink(str(outside / "outside.h5"), "x")


def _group_by_external_link(file, outside):
    file["folder"] = h5py.ExternalLink(str(outside / "outside.h5"), "/")


def _soft_link_to_external_link(file, outside):
    file["there"] = h5py.ExternalLink(str(outside / "outside.h5"), "/")
    file["x"] = h5py.SoftLink("/there/x")


def _virtual(file, outside):
    layout = h5py.VirtualLayout((32, 32), np.uint8)
    layout[...] = h5py.VirtualSource(str(outside / "outside.h5"), "x", (32, 32))
    file.create_virtual_dataset("x", layout)


@pytest.mark.parametrize(
    ("write", "member"),
    [
        (_external_storage, "x"),
        (_external_link, "x"),
        (_group_by_external_link, "folder/x"),
        (_soft_link_to_external_link, "x"),
        (_virtual, "x"),
        (_virtual, "x/3"),
    ],
)
def test_values_of_other_files_are_not_read(outside, write, member):
    with h5py.File(outside / "a.h5", "w") as file:
        write(file, outside)
        file["own"] = np.zeros((32, 32), np.uint8)
    with refused("links in HDF5 files are not followed|are in other files, which are not read"):
        read(outside / "a.h5", 1, f"#{member}")
    assert set(hdf5_format.member_names(outside / "a.h5")) <= {"x", "own"}
    assert (read(outside / "a.h5", 1, "#own") == 0).all()


def test_huge_data_set_without_values_is_refused_by_its_shape(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", (50_000, 50_000), np.uint8, chunks=(1000, 1000))
        file.create_dataset("rows", (10**9, 64, 64), np.uint8, chunks=(1, 64, 64))
    with refused("declares 50000x50000 pixels"):
        read(tmp_path / "a.h5", 1, "#x")
    assert (read(tmp_path / "a.h5", 1, "#rows/999999999") == 0).all()
