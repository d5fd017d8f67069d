"""Prediction of images in batches: unreadable ones are left out, and the rest if the time is up."""

from collections import deque

import pytest

from medfold.new_images import image_predictions
from medfold.new_images.ensemble_predictor import PredictionLimit
from medfold.new_images.image_predictions import predict_images
from tests.support.helpers import competition_facts, picture
from tests.support.mean_predictor import MeanPredictor

LIMIT = PredictionLimit(1, 1)
NAMES = ["a.png", "b.png", "broken.png", "c.png"]


class PredictorOnTwoGpus(MeanPredictor):
    """Mean pixels; four batches are under way before the first is predicted."""

    num_processes = 2

    def predict(self, batches):
        under_way = deque()
        for predicted in super().predict(batches):
            under_way.append(predicted)
            if len(under_way) == 4:
                yield under_way.popleft()
        yield from under_way


class Budget:
    """Time for a number of batches."""

    def __init__(self, num_batches):
        self.num_batches, self.recorded = num_batches, []

    def next_limit(self):
        return LIMIT if len(self.recorded) < self.num_batches else None

    def record(self, num_images, seconds, limit):
        self.recorded.append((num_images, seconds, limit))


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
    assert (predictor.limits, budget.recorded) == ([LIMIT], [(2, 3.0, LIMIT)])


def test_batches_under_way_at_the_end_of_the_time_are_kept(folder):
    for seed in range(10):
        picture(folder / f"{seed}.png", seed)
    names = [f"{seed}.png" for seed in range(10)]
    in_full = predict_images(competition_facts(), MeanPredictor(), folder, names)
    predictor, budget = PredictorOnTwoGpus(), Budget(num_batches=1)
    found = predict_images(competition_facts(), predictor, folder, names, budget)
    assert found.is_predicted.tolist() == [True] * 8 + [False] * 2
    assert found.run_predictions[0].tolist() == in_full.run_predictions[0][:8].tolist()
    assert budget.recorded == [(2, 1.5, LIMIT)] * 4  # half of the seconds: two batches were predicted at a time


def test_without_a_readable_image_the_predictions_are_empty(folder):
    found = predict_images(competition_facts(), MeanPredictor(), folder, ["broken.png"])
    assert [values.shape for values in found.run_predictions] == [(0, 1), (0, 1)]
