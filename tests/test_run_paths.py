"""Paths of a run and of its folds: files of earlier versions are found under their former names."""

import pytest

from medfold.run_paths import FoldPaths


@pytest.mark.parametrize("existing", ["state.npz", "before-state.npz"])
def test_checkpoint_of_an_earlier_version_keeps_its_name(tmp_path, existing):
    fold = FoldPaths(tmp_path)
    assert fold.checkpoint.name == "checkpoint.npz"
    (tmp_path / existing).touch()
    assert fold.checkpoint.name == "state.npz"


def test_duration_of_an_earlier_version_is_found(tmp_path):
    fold = FoldPaths(tmp_path)
    assert fold.timing.name == "timing.json"
    (tmp_path / "log.json").touch()
    assert fold.timing.name == "log.json"


def test_self_check_warnings_of_an_earlier_version_are_found(tmp_path):
    fold = FoldPaths(tmp_path)
    assert fold.self_check_warnings.name == "self_check_warnings.json"
    (tmp_path / "checks.json").touch()
    assert fold.self_check_warnings.name == "checks.json"


def test_weights_of_an_earlier_version_are_found(tmp_path):
    fold = FoldPaths(tmp_path)
    assert fold.weights.name == "net.weights.h5"
    (tmp_path / "weights.h5").touch()
    assert fold.weights.name == "weights.h5"
