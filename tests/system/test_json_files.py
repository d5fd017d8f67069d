"""JSON files: atomic writing, checksums, names of earlier versions."""

import pytest

from medfold.system import json_files
from tests.support.helpers import refused


def test_write_json_refuses_nan_and_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        json_files.write({"value": float("nan")}, tmp_path / "a.json")
    assert json_files.read(tmp_path / "a.json") is None


def test_json_of_an_earlier_version_is_read_with_the_current_names(tmp_path):
    path = tmp_path / "x.json"
    json_files.write({"mark": 1, "b": 2}, path, sealed=True)
    assert json_files.read(path, {"content_id": "mark"}) == {"content_id": 1, "b": 2}


def test_sealed_json_is_read_back_without_its_checksum_and_refused_after_a_change(tmp_path):
    path = tmp_path / "x.json"
    value = {"score": 0.875, "folds": [0, 1], "by name": {"1": None}}
    json_files.write(value, path, sealed=True)
    assert json_files.read(path) == value
    path.write_text(path.read_text().replace("0.875", "0.876"))
    with refused(r"x\.json: changed since medfold wrote it"):
        json_files.read(path)
