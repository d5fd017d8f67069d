"""HDF5 files of images: members, rows, frames, threads."""

import threading

import numpy as np
import pytest

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
