"""The first look at images: size, colour, pages; unreadable ones and those that crash their decoder by name."""

import h5py
import numpy as np
import tifffile

from medfold.images import DECODER_CRASHED, examination
from medfold.images.examination import ExaminedImage, examine_images, list_members
from medfold.images.worker_pool import WorkerDied
from tests.support.helpers import picture, refused


def test_size_colour_and_pages_are_found(tmp_path):
    picture(tmp_path / "grey.png", shape=(12, 10))
    picture(tmp_path / "coloured.png", shape=(9, 31, 3))
    tifffile.imwrite(tmp_path / "pages.tif", np.zeros((4, 8, 8), np.uint8), photometric="minisblack")
    (tmp_path / "text.png").write_bytes(b"no picture")
    grey, coloured, pages, text = examine_images(tmp_path, ["grey.png", "coloured.png", "pages.tif", "text.png"])
    assert grey == ExaminedImage("", 12, True, 1)
    assert coloured == ExaminedImage("", 31, False, 1)
    assert pages == ExaminedImage("", 8, True, 4)
    assert text.unreadable_reason
    assert text.num_frames == 1
    assert examine_images(tmp_path, []) == []


def test_image_that_crashes_its_decoder_is_unreadable(tmp_path, monkeypatch):
    monkeypatch.setattr(examination, "map_in_workers", lambda *_: [[(1, ExaminedImage(""))], [(0, WorkerDied())]])
    assert examine_images(tmp_path, ["a", "b"]) == [ExaminedImage(DECODER_CRASHED), ExaminedImage("")]


def test_members_of_an_hdf5_file_are_listed(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"], file["y"] = [1], [2]
    assert sorted(list_members(tmp_path / "a.h5")) == ["x", "y"]
    (tmp_path / "b.h5").write_bytes(b"no HDF5")
    with refused("b.h5: "):
        list_members(tmp_path / "b.h5")


def test_hdf5_file_that_crashes_its_process_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(examination, "map_in_workers", lambda *_: [[(0, WorkerDied())]])
    with refused("a.h5: reading it crashes the process. Replace it"):
        list_members(tmp_path / "a.h5")
