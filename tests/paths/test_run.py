"""Paths of a run and of its folds: files of earlier versions are found under their former names."""

import pytest

from medfold.paths import FoldPaths


@pytest.mark.parametrize("existing", ["state.npz", "before-state.npz"])
def test_checkpoint_of_an_earlier_version_keeps_its_name(tmp_path, existing):
    fold = FoldPaths(tmp_path)
    assert fold.checkpoint.name == "checkpoint.npz"
    (tmp_path / existing).touch()
    assert fold.checkpoint.name == "state.npz"


@pytest.mark.parametrize(
    ("attribute", "current", "former"),
    [
        ("timing", "timing.json", "log.json"),
        ("self_check_warnings", "self_check_warnings.json", "checks.json"),
        ("weights", "net.weights.h5", "weights.h5"),
    ],
)
def test_file_of_an_earlier_version_is_found(tmp_path, attribute, current, former):
    fold = FoldPaths(tmp_path)
    assert getattr(fold, attribute).name == current
    (tmp_path / former).touch()
    assert getattr(fold, attribute).name == former
