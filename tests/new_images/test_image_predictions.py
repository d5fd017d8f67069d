"""Prediction of images in batches: unreadable ones are left out, and the rest if the time is up."""

import numpy as np
import pytest

from medfold.competition.recipe_sections import PreparationSettings
from medfold.new_images import image_predictions
from medfold.new_images.ensemble_predictor import PredictionLimit
from medfold.new_images.image_predictions import predict_images
from tests.support.helpers import competition_facts, picture

LIMIT = PredictionLimit(1, 1)
NAMES = ["a.png", "b.png", "broken.png", "c.png"]


class MeanPredictor:
    """Two runs: the first predicts the mean of an image's pixels, the second a half."""

    preparations = (PreparationSettings(size=8),)
    num_runs = 2

    def __init__(self):
        self.limits = []

    def predict(self, pixels, limit):
        self.limits.append(limit)
        return [pixels[0].mean(axis=(1, 2)) / 255, np.full((len(pixels[0]), 1), 0.5)]


class Budget:
    """Time for a number of batches."""

    def __init__(self, num_batches):
        self.num_batches, self.recorded = num_batches, []

    def next_limit(self):
        return LIMIT if len(self.recorded) < self.num_batches else None

    def record(self, num_images, seconds):
        self.recorded.append(num_images)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(image_predictions, "BATCH_SIZE", 2)
    for seed, name in enumerate(NAMES):
        picture(tmp_path / name, seed)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return tmp_path


def test_readable_images_are_predicted_by_each_run(folder):
    predictor = MeanPredictor()
    found = predict_images(competition_facts(), predictor, folder, NAMES)
    assert found.is_predicted.tolist() == [True, True, False, True]
    assert [values.shape for values in found.run_predictions] == [(3, 1), (3, 1)]
    assert found.run_predictions[1].tolist() == [[0.5]] * 3
    assert list(found.unreadable) == [2]
    assert predictor.limits == [None, None]


def test_images_after_the_end_of_the_time_are_not_predicted(folder):
    in_full = predict_images(competition_facts(), MeanPredictor(), folder, NAMES)
    predictor, budget = MeanPredictor(), Budget(num_batches=1)
    found = predict_images(competition_facts(), predictor, folder, NAMES, budget)
    assert found.is_predicted.tolist() == [True, True, False, False]
    assert found.run_predictions[0].tolist() == in_full.run_predictions[0][:2].tolist()
    assert found.unreadable == {}
    assert (predictor.limits, budget.recorded) == ([LIMIT], [2])


def test_without_a_readable_image_the_predictions_are_empty(folder):
    found = predict_images(competition_facts(), MeanPredictor(), folder, ["broken.png"])
    assert [values.shape for values in found.run_predictions] == [(0, 1), (0, 1)]
