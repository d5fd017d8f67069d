"""The comparison of two runs on the same images."""

import shutil

import numpy as np
import pytest

from medfold.competition import Competition
from medfold.data import make_dataset
from medfold.runs import read_predictions
from medfold.runs.comparison import compare_runs
from medfold.scoring import METRICS, bootstrap_interval, metric_of, paired_difference
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused
from tests.support.small_project import add_variant


def test_several_runs_are_compared_as_their_mean(two_runs):
    finished_run(two_runs, "strong2", 2.0)
    found = compare_runs(two_runs, ["strong", "strong+strong2"])
    assert found.difference.value > 0
    assert [side.name for side in found.sides] == ["strong", "strong+strong2"]


def test_runs_are_compared_on_common_folds(two_runs):
    finished_run(two_runs, "begun", 2.0, folds=[1])
    found = compare_runs(two_runs, ["weak", "begun"])
    assert (found.folds, found.num_folds) == ([1], 3)
    finished_run(two_runs, "other", 2.0, folds=[2])
    with refused("no trained fold in common"):
        compare_runs(two_runs, ["begun", "other"])


@pytest.mark.parametrize("sides", [["weak"], ["weak", "strong", "weak"]])
def test_other_than_two_sides_are_refused(small, sides):
    with refused(f"expected two runs, received {len(sides)}"):
        compare_runs(small, sides)


def test_equal_sides_are_refused_before_data_and_runs_are_read(small):
    with refused('^RUNS="a a": both sides are the same. Name two different runs$'):
        compare_runs(small, ["a", "a"])
    assert not small.paths.data.exists()


def test_better_run_wins_where_lower_is_better(folded):
    add_variant(folded.project_paths.root, "loss", "metric: auc", "metric: log_loss")
    competition = Competition.open("loss")
    finished_run(competition, "weak", 0.0)
    finished_run(competition, "strong", 2.0)
    found = compare_runs(competition, ["weak", "strong"])
    assert not metric_of(competition.facts).higher_is_better
    assert found.difference.value > 0
    assert found.better_side == "strong"


def test_runs_of_equal_predictions_differ_by_nothing(folded):
    finished_run(folded, "one")
    shutil.copytree(folded.paths.run("one").folder, folded.paths.run("two").folder)
    found = compare_runs(folded, ["one", "two"])
    assert found.better_side is None
    assert (found.difference.value, found.difference.low, found.difference.high) == (0, 0, 0)
    assert found.difference.probability == 0.5


def test_better_side_is_named_whatever_the_order(two_runs):
    assert compare_runs(two_runs, ["weak", "strong"]).better_side == "strong"
    assert compare_runs(two_runs, ["strong", "weak"]).better_side == "strong"


def test_runs_are_compared_by_patients(two_runs):
    dataset = make_dataset(two_runs)
    ids, patients = dataset.train["id"], dataset.train["group"].to_numpy()
    assert len(np.unique(patients)) < len(patients)
    weak, strong = (
        read_predictions(two_runs.facts, two_runs.paths.run(name).oof).set_index("id").loc[ids, ["target"]].to_numpy()
        for name in ("weak", "strong")
    )
    found = compare_runs(two_runs, ["weak", "strong"])
    assert found.difference == paired_difference(METRICS["auc"], dataset.targets, strong, weak, patients)
    interval = bootstrap_interval(METRICS["auc"], dataset.targets, strong, patients)
    assert (found.sides[1].low, found.sides[1].high) == interval
