"""A run: what is refused before images are prepared or a run is created."""

import pytest

from medfold.commands.train import train
from medfold.errors import UserError
from tests.support.helpers import finished_run


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"backbone": {"name": "resnet8"}}, r"unknown backbone 'resnet8' \(did you mean 'resnet9'\?\)"),
        ({"backbone": {"name": "MobileNetV2", "weights": "gone.h5"}}, "gone.h5: no such weights file"),
        ({"augment": "fundsu"}, r"unknown pipeline 'fundsu' \(did you mean 'fundus'\?\)"),
        ({"training": {"epochs": 0}}, "nothing is trained"),
        ({"training": {"head_epochs": 1}}, "a backbone without weights has no features"),
        ({"head": "both"}, "task binary has no ordered classes"),
    ],
)
def test_untrainable_recipe_raises_before_images_are_prepared(small, overrides, message):
    with pytest.raises(UserError, match=message):
        train(small, overrides=overrides)
    assert not small.paths.measurements.exists()
    assert not small.paths.runs.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": "many"}, "JOBS=many"),
        ({"workers": "-1"}, "WORKERS=-1"),
        ({"folds": [7]}, "FOLD"),
        ({"run": "a b"}, "RUN"),
    ],
)
def test_invalid_options_leave_no_files(small, options, message):
    with pytest.raises(UserError, match=message):
        train(small, **options)
    assert not small.paths.measurements.exists()
    assert not small.paths.runs.exists()


def test_refused_settings_create_no_run(folded):
    impossible = {"backbone": {"name": "simple_cnn"}, "training": {"accumulate": 10**6}}
    with pytest.raises(UserError, match="no step is ever taken"):
        train(folded, overrides=impossible, run="new")
    assert not folded.paths.run("new").folder.exists()
    finished_run(folded, "begun", folds=[1])
    with pytest.raises(UserError, match="started differently"):
        train(folded, overrides=impossible, run="begun")
    assert folded.paths.run("begun").fold(1).done.is_file()


def test_checkpoint_of_a_fold_killed_when_it_was_done_is_removed(folded):
    finished_run(folded, "begun", folds=[0, 1, 2])
    run_paths = folded.paths.run("begun")
    left = [run_paths.fold(1).folder / name for name in ("checkpoint.npz", "before-checkpoint.npz")]
    for path in left:
        path.write_bytes(b"state")
    train(folded, run="begun", folds=[0])  # of other folds nothing is removed
    assert all(path.is_file() for path in left)
    train(folded, run="begun")
    assert not any(path.exists() for path in left)
    assert run_paths.fold(1).done.is_file()


@pytest.mark.slow
def test_recipe_keys_without_effect_are_reported(folded, capsys):
    train(folded, overrides={"training": {"focal_gamma": 3.0, "head_learning_rate": 0.1}}, folds=[0])
    output = capsys.readouterr().out
    assert "no effect: training.head_learning_rate (training.head_epochs is 0)" in output
    assert "no effect: training.focal_gamma (training.loss is cross_entropy)" in output
