"""OOF scores of runs while their folds are trained."""

import pytest

from medfold.data import make_dataset
from medfold.training.run_scores import RunScores
from tests.support.finished_runs import finished_run


@pytest.fixture
def reported():
    return []


@pytest.fixture
def scores(folded, reported):
    return RunScores(folded, make_dataset(folded), reported.append)


def test_score_covers_the_folds_that_are_trained_and_each_is_reported(folded, scores, reported):
    for folds in ([0], [0, 1, 2]):
        finished_run(folded, "one", folds=folds)
        scores.fold_trained("one")
        assert scores.of("one").trained_folds == folds
    assert reported == ["one", "one"]


def test_score_is_not_computed_again_for_a_fold_that_was_reported(folded, scores):
    finished_run(folded, "one")
    scores.fold_trained("one")
    folded.paths.run("one").score.unlink()
    assert scores.of("one").trained_folds == [0, 1, 2]
    assert not folded.paths.run("one").score.exists()


def test_run_that_was_trained_before_is_scored_without_a_report(folded, scores, reported):
    finished_run(folded, "one")
    folded.paths.run("one").score.unlink()
    assert scores.of("one").trained_folds == [0, 1, 2]
    assert folded.paths.run("one").score.is_file()
    assert reported == []
