"""Images and labels as arrays of one .npz file."""

import numpy as np
import pytest

from medfold.raw_files.label_arrays import class_numbers, open_arrays
from tests.support.helpers import refused, zipped


def test_arrays_are_opened_by_name(tmp_path):
    np.savez(tmp_path / "x.npz", labels=np.arange(3))
    with open_arrays(tmp_path / "x.npz") as content:
        assert list(content) == ["labels"]
        assert content["labels"].tolist() == [0, 1, 2]


def test_missing_array_file_is_refused(tmp_path):
    with refused("x.npz: no such file"), open_arrays(tmp_path / "x.npz"):
        pass


def test_array_with_a_damaged_header_is_refused(tmp_path):
    header = b"\x93NUMPY\x01\x00\x10\x00{'descr': ({[(     "
    (tmp_path / "train.npz").write_bytes(zipped({"labels.npy": header}))
    with refused(r"train\.npz: damaged"), open_arrays(tmp_path / "train.npz") as arrays:
        _ = arrays["labels"]


def test_array_of_objects_raises_when_it_is_read(tmp_path):
    np.savez(tmp_path / "x.npz", labels=np.array([{}], object))
    with refused("an array of Python objects"), open_arrays(tmp_path / "x.npz") as content:
        content["labels"]


@pytest.mark.parametrize(
    ("labels", "numbers"),
    [
        (np.eye(3)[[2, 0, 1]], [2, 0, 1]),
        (np.array([[1, 1, 0], [0, 0, 1]]), None),
        (np.array([[0, 0, 0], [0, 0, 1]]), None),
        (np.array([[0, 1], [1, 0]]), None),
        (np.array([2, 0, 1]), None),
        (np.array([[2, 0, 0]]), None),
    ],
    ids=["one 1 in each row", "two in a row", "none in a row", "two columns", "numbers", "other values"],
)
def test_class_numbers_are_those_of_one_hot_labels(labels, numbers):
    found = class_numbers(labels)
    assert (found if found is None else found.tolist()) == numbers
