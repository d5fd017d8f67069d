"""Inputs of a fold: which samples are held out."""

from medfold.paths import FoldPaths
from medfold.training.fold.fold_inputs import FoldInputs
from tests.support.small_tasks import task


def test_samples_of_the_fold_are_held_out(tmp_path):
    inputs = task("binary")
    fold = FoldInputs(inputs, 1, FoldPaths(tmp_path / "fold1"))
    expected = inputs.train["fold"] == 1
    assert 0 < expected.sum() < len(expected)
    assert fold.is_held_out.tolist() == expected.tolist()
    assert fold.held_out["id"].tolist() == inputs.train["id"][expected].tolist()
    assert fold.held_out_targets.tolist() == inputs.targets[expected].tolist()


def test_topic_names_the_fold(tmp_path):
    assert FoldInputs(task("binary"), 2, FoldPaths(tmp_path / "fold2")).topic == "fold 2"
