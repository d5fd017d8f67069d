"""Fitted transforms, applied and in files."""

import numpy as np
import pytest

from medfold.scoring.fitted_transform import FittedTransform
from tests.support import transform_steps  # noqa: F401 - registers the steps
from tests.support.helpers import refused


def test_fitted_transform_round_trips_through_file(tmp_path):
    fitted = FittedTransform([("summed", {}), ("times", {"number": np.array([0.1, 1 / 3])}), ("plus", {"number": 7})])
    fitted.save(tmp_path / "a.npz")
    fitted.save(tmp_path / "b.npz")
    given = np.random.default_rng(0).random((3, 5, 2))
    np.testing.assert_array_equal(
        FittedTransform.load(tmp_path / "a.npz").apply(given), given.sum(axis=0) * [0.1, 1 / 3] + 7
    )
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"steps": np.array("no JSON")},
        {"steps": np.array('{"a": 1}')},
        {"steps": np.array("[1]")},
        {"steps": np.array('["a"]'), "1 b": np.array(0)},
        {"steps": np.array('["a"]'), "x b": np.array(0)},
        {"steps": np.array('["a"]'), "0 b": np.array([None])},
    ],
)
def test_file_of_another_form_is_refused(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    with refused("a.npz: damaged, or not what medfold wrote. Restore it from a backup, or remove it"):
        FittedTransform.load(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"", b"PK", b"text", b"\x93NUMPY"])
def test_file_that_is_no_archive_of_arrays_is_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with refused("a.npz: damaged, or not what medfold wrote"):
        FittedTransform.load(tmp_path / "a.npz")
