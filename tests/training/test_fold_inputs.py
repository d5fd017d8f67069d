"""Inputs of a fold: which are the validation samples."""

from medfold.paths import FoldPaths
from medfold.training.fold_inputs import FoldInputs
from tests.support.small_tasks import task


def test_samples_of_the_fold_are_the_validation_samples(tmp_path):
    inputs = task("binary")
    fold = FoldInputs(inputs, 1, FoldPaths(tmp_path / "fold1"))
    expected = inputs.train["fold"] == 1
    assert 0 < expected.sum() < len(expected)
    assert fold.is_validation.tolist() == expected.tolist()
    assert fold.validation["id"].tolist() == inputs.train["id"][expected].tolist()
    assert fold.validation_targets.tolist() == inputs.targets[expected].tolist()


def test_topic_names_the_fold(tmp_path):
    assert FoldInputs(task("binary"), 2, FoldPaths(tmp_path / "fold2")).topic == "fold 2"
