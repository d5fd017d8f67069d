"""Prediction with an ensemble: folds averaged as in test.csv, runs combined, limits; nets are imitated."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from medfold.competition.recipe import Recipe
from medfold.ensemble import ensemble_predictor
from medfold.ensemble.ensemble_predictor import EnsemblePredictor, MemberRun, PredictionLimit
from medfold.ensemble.methods import mean_of
from medfold.scoring.cross_fitting import FittedTransform
from tests.support.helpers import competition_facts

MEAN = FittedTransform.from_function(mean_of)
FACTS = competition_facts()


def member(name: str, size: int = 8, weights: tuple[str, ...] = ("0",)) -> MemberRun:
    recipe = Recipe.model_validate({"preparation": {"size": size}})
    return MemberRun(name, recipe, [Path(each) for each in weights])


class FakeRun:
    """A run that predicts the mean of an image's pixels; it notes what it was asked."""

    def __init__(self, facts, member, batch_size):
        self.num_folds, self.num_views = len(member.weights_files), 2 * len(member.weights_files)
        self.asked = []

    def __call__(self, pixels, limit):
        self.asked.append((pixels.shape, limit))
        return pixels.mean(axis=(1, 2)) / 255


@pytest.fixture
def imitated(monkeypatch):
    monkeypatch.setattr(ensemble_predictor, "_RunPredictor", FakeRun)


def test_runs_of_equal_preparation_get_the_same_pixels(imitated):
    predictor = EnsemblePredictor(FACTS, [member("a", 8), member("b", 16), member("c", 8)], MEAN)
    assert [settings.size for settings in predictor.preparations] == [8, 16]
    assert predictor.num_runs == 3
    small, large = np.zeros((2, 8, 8, 1), np.uint8), np.full((2, 16, 16, 1), 255, np.uint8)
    limit = PredictionLimit(1, 1)
    first, second, third = predictor.predict([small, large], limit)
    assert (first.tolist(), second.tolist(), third.tolist()) == ([[0], [0]], [[1], [1]], [[0], [0]])
    assert [run.asked for run in predictor._runs] == [[((2, size, size, 1), limit)] for size in (8, 16, 8)]


def test_cost_counts_passes_within_the_limit(imitated):
    predictor = EnsemblePredictor(FACTS, [member("a"), member("b", weights=("0", "1", "2"))], MEAN)
    assert predictor.limits == PredictionLimit(max_folds=3, max_views=6)
    assert predictor.cost(predictor.limits) == 1 * 2 + 3 * 6
    assert predictor.cost(PredictionLimit(2, 3)) == 1 * 2 + 2 * 3
    assert predictor.cost(PredictionLimit(1, 1)) == 2


def test_predictions_are_combined_by_unit_or_by_image(imitated):
    predictor = EnsemblePredictor(FACTS, [member("a"), member("b")], MEAN)
    predictions = [np.array([[0.1], [0.3]]), np.array([[0.5], [0.9]])]
    by_image = predictor.combine(["x", "y"], predictions)
    assert by_image.to_numpy().tolist() == [["x", pytest.approx(0.3)], ["y", pytest.approx(0.6)]]
    by_unit = predictor.combine(["x", "y"], predictions, pd.Series({"x": "u", "y": "u"}, dtype=object))
    assert by_unit.to_numpy().tolist() == [["u", pytest.approx(0.45)]]


def test_another_way_to_combine_replaces_that_of_the_ensemble(imitated):
    never = FittedTransform([("a map that is not registered", {})])
    predictor = EnsemblePredictor(FACTS, [member("a")], never)
    assert predictor.combine(["x"], [np.array([[0.25]])], fitted=MEAN)["target"].tolist() == [0.25]
    with pytest.raises(KeyError):
        predictor.combine(["x"], [np.array([[0.25]])])


class FakeNet:
    """A net with one weight, which it predicts for every image."""

    def __init__(self, weight):
        self.weight = weight

    def get_weights(self):
        return self.weight

    def set_weights(self, weight):
        self.weight = weight


@pytest.fixture
def imitated_nets(monkeypatch):
    """Replaces medfold.prediction: a weights file is named by the weight that it holds; notes rows and views."""
    asked = []

    class FakePredictor:
        num_views = 4

        def __init__(self, net, symmetry, tta, batch_size):
            self._net = net

        def __call__(self, pixels, rows, num_views=None):
            asked.append((len(rows), num_views))
            return np.full((len(rows), 1), self._net.weight)

    fakes = SimpleNamespace(
        Predictor=FakePredictor,
        load_net=lambda facts, recipe, file: FakeNet(float(file.name)),
        read_weights=lambda net, file: net.set_weights(float(file.name)),
    )
    monkeypatch.setitem(sys.modules, "medfold.prediction", fakes)
    return asked


def test_prediction_of_a_run_is_the_mean_of_its_folds_each_rounded_as_in_test_csv(imitated_nets):
    run = ensemble_predictor._RunPredictor(FACTS, member("a", weights=("0.12345678949", "0.3", "0.6")), 64)
    assert (run.num_folds, run.num_views) == (3, 4)
    assert imitated_nets == [(1, 1)]  # compiled by a prediction of one image in one view
    pixels = np.zeros((2, 8, 8, 1), np.uint8)
    assert run(pixels, None)[:, 0].tolist() == [sum(np.array([0.123456789, 0.3, 0.6]) / 3)] * 2
    assert imitated_nets[1:] == [(2, None)] * 3


def test_limit_leaves_out_folds_and_views(imitated_nets):
    run = ensemble_predictor._RunPredictor(FACTS, member("a", weights=("0.1", "0.3", "0.8")), 64)
    assert run(np.zeros((1, 8, 8, 1), np.uint8), PredictionLimit(2, 3)).tolist() == [[pytest.approx(0.2)]]
    assert imitated_nets[1:] == [(1, 3)] * 2
    assert run(np.zeros((1, 8, 8, 1), np.uint8), PredictionLimit(1, 1)).tolist() == [[0.1]]  # the first fold again
