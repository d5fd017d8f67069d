"""Prediction with an ensemble: folds averaged as in test.csv, runs combined, limits; nets are imitated."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from medfold.competition import Recipe
from medfold.ensemble import mean_of
from medfold.images import ImageBatch
from medfold.new_images.ensemble_predictor import EnsemblePredictor, LimitedBatch, MemberRun, PredictionLimit
from medfold.scoring import FittedTransform
from tests.support.helpers import competition_facts

MEAN = FittedTransform.from_function(mean_of)
FACTS = competition_facts()


def member(name: str, size: int = 8, weights: tuple[str, ...] = ("0",), tta: bool = True) -> MemberRun:
    recipe = Recipe.model_validate({"images": {"size": size}, "tta": tta})
    return MemberRun(name, recipe, [Path(each) for each in weights])


class FakeNet:
    """A net with one weight."""

    def __init__(self, weight):
        self.weight = weight

    def get_weights(self):
        return self.weight

    def set_weights(self, weight):
        self.weight = weight


@pytest.fixture
def asked(monkeypatch):
    """Replaces medfold.prediction by nets that predict their weight, the name of the weights file, plus the mean pixel.

    Returns what they were asked: the shapes of the pixels and the number of views, in order.
    """
    asked = []

    class FakePredictor:
        def __init__(self, net, symmetry, tta, batch_size):
            self._net, self.num_views = net, 4 if tta else 1

        def __call__(self, pixels, rows, num_views=None):
            asked.append((pixels.shape, num_views))
            return pixels[rows].mean(axis=(1, 2)) / 255 + self._net.weight

    fakes = SimpleNamespace(
        Predictor=FakePredictor,
        load_net=lambda facts, recipe, file: FakeNet(float(file.name)),
        read_weights=lambda net, file: net.set_weights(float(file.name)),
    )
    monkeypatch.setitem(sys.modules, "medfold.prediction", fakes)
    return asked


def predict(predictor, pixels, limit=None):
    """Returns the prediction of each run for one batch, one array of pixels per preparation."""
    batch = LimitedBatch(ImageBatch(np.arange(len(pixels[0])), pixels, {}), limit)
    ((found, predictions),) = predictor.predict([batch])
    assert found is batch
    return predictions.runs


def test_runs_of_equal_preparation_get_the_same_pixels(asked):
    predictor = EnsemblePredictor(FACTS, [member("a", 8), member("b", 16), member("c", 8)], MEAN)
    assert [settings.size for settings in predictor.preparations] == [8, 16]
    assert predictor.num_runs == 3
    small, large = np.zeros((2, 8, 8, 1), np.uint8), np.full((2, 16, 16, 1), 255, np.uint8)
    limit = PredictionLimit(1, 1)
    asked.clear()
    first, second, third = predict(predictor, [small, large], limit)
    assert (first.tolist(), second.tolist(), third.tolist()) == ([[0], [0]], [[1], [1]], [[0], [0]])
    assert asked == [((2, size, size, 1), 1) for size in (8, 16, 8)]


def test_cost_counts_passes_within_the_limit(asked):
    predictor = EnsemblePredictor(FACTS, [member("a", tta=False), member("b", weights=("0", "1", "2"))], MEAN)
    assert predictor.limits == PredictionLimit(max_folds=3, max_views=4)
    assert predictor.cost(predictor.limits) == 1 * 1 + 3 * 4
    assert predictor.cost(PredictionLimit(2, 3)) == 1 * 1 + 2 * 3
    assert predictor.cost(PredictionLimit(1, 1)) == 2


def test_predictions_are_combined_by_unit_or_by_image(asked):
    predictor = EnsemblePredictor(FACTS, [member("a"), member("b")], MEAN)
    predictions = [np.array([[0.1], [0.3]]), np.array([[0.5], [0.9]])]
    by_image = predictor.combine(["x", "y"], predictions)
    assert by_image.to_numpy().tolist() == [["x", pytest.approx(0.3)], ["y", pytest.approx(0.6)]]
    by_unit = predictor.combine(["x", "y"], predictions, pd.Series({"x": "u", "y": "u"}, dtype=object))
    assert by_unit.to_numpy().tolist() == [["u", pytest.approx(0.45)]]


def test_another_way_to_combine_replaces_that_of_the_ensemble(asked):
    never = FittedTransform([("a map that is not registered", {})])
    predictor = EnsemblePredictor(FACTS, [member("a")], never)
    assert predictor.combine(["x"], [np.array([[0.25]])], fitted=MEAN)["target"].tolist() == [0.25]
    with pytest.raises(KeyError):
        predictor.combine(["x"], [np.array([[0.25]])])


def test_prediction_of_a_run_is_the_mean_of_its_folds_each_rounded_as_in_test_csv(asked):
    predictor = EnsemblePredictor(FACTS, [member("a", weights=("0.12345678949", "0.3", "0.6"))], MEAN)
    assert predictor.limits == PredictionLimit(3, 4)
    assert asked == [((1, 8, 8, 1), 1)]  # compiled by a prediction of one image in one view
    (predicted,) = predict(predictor, [np.zeros((2, 8, 8, 1), np.uint8)])
    assert predicted[:, 0].tolist() == [sum(np.array([0.123456789, 0.3, 0.6]) / 3)] * 2
    assert asked[1:] == [((2, 8, 8, 1), None)] * 3


def test_batch_without_a_readable_image_asks_no_net(asked):
    predictor = EnsemblePredictor(FACTS, [member("a")], MEAN)
    batch = LimitedBatch(ImageBatch(np.array([], int), [], {0: "damaged"}), None)
    asked.clear()
    assert list(predictor.predict([batch])) == [(batch, ([], 0.0))]
    assert asked == []


def test_limit_leaves_out_folds_and_views(asked):
    predictor = EnsemblePredictor(FACTS, [member("a", weights=("0.1", "0.3", "0.8"))], MEAN)
    pixels = [np.zeros((1, 8, 8, 1), np.uint8)]
    assert predict(predictor, pixels, PredictionLimit(2, 3))[0].tolist() == [[pytest.approx(0.2)]]
    assert asked[1:] == [((1, 8, 8, 1), 3)] * 2
    assert predict(predictor, pixels, PredictionLimit(1, 1))[0].tolist() == [[0.1]]  # the first fold again
