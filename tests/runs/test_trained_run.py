"""A run with its trained folds, opened for use."""

import pytest

from medfold.runs.trained_run import TrainedRun
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


@pytest.fixture
def run(folded):
    """A run of which two of three folds are trained."""
    finished_run(folded, "one", folds=[0, 2])
    return TrainedRun.open(folded, "one")


def test_opened_run_has_its_settings_and_trained_folds(folded, run):
    assert (run.name, run.trained_folds, run.num_folds) == ("one", [0, 2], 3)
    assert run.weights_files == [folded.paths.run("one").fold(number).weights for number in (0, 2)]
    assert run.recipe.model_dump(mode="json") == run.metadata.recipe
    assert run.is_optimistic is False


def test_run_that_chose_epochs_on_its_folds_is_optimistic(folded):
    finished_run(folded, "best", best=True)
    assert TrainedRun.open(folded, "best").is_optimistic is True


def test_oof_table_joins_the_trained_folds(folded, run):
    table = run.read_oof(folded.facts)
    assert table["fold"].unique().tolist() == [0, 2]
    assert table.index.tolist() == list(range(len(table)))


def test_run_with_a_damaged_fold_is_not_opened(folded, run):
    run.paths.fold(2).test.write_text("id\n")
    with refused("fold2: test.csv is missing or changed since the training"):
        TrainedRun.open(folded, "one")


def test_untrained_run_is_not_opened(folded, run):
    for number in run.trained_folds:
        run.paths.fold(number).trained_marker.unlink()
    with refused("run 'one' has no trained fold"):
        TrainedRun.open(folded, "one")
