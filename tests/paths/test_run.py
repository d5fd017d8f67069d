"""Paths of a run and of its folds: files of earlier versions are found under their former names."""

import pytest

from medfold.paths import FoldPaths, RunPaths


def test_predictions_are_named_by_the_whole_path_of_the_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = RunPaths(tmp_path / "runs" / "small" / "one", "small", tmp_path)
    assert run.predictions_of(tmp_path / "data" / "images") == run.predictions / "data__images.csv"
    outside = tmp_path.parent / "site" / "images"
    assert run.predictions_of(outside).name.endswith("__site__images.csv")
    deep = tmp_path / "/".join(["a long name of a folder"] * 8)
    assert run.predictions_of(deep) != run.predictions_of(deep.with_name("another"))
    assert len(run.predictions_of(deep).stem) <= 150


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
