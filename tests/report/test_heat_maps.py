"""Heat maps of the report: each image by the net of its fold, with checks against random weights and known findings."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from medfold import prediction
from medfold.competition import PreparationSettings
from medfold.report import heat_maps
from medfold.report.heat_maps import compute_heat_maps

SIZE = 8


class StandIn:
    """Stands for GradCam: the map of an image is the image, plus the number of the net's fold."""

    method, explains_grade, cell = "stand-in", False, (1, 1)

    def __init__(self, net):
        self.net = net

    def __call__(self, images, columns, signed=False):
        return images[..., 0].astype(float) * (-1 if self.net == "random" else 1) + (
            0 if self.net == "random" else self.net
        )


@pytest.fixture
def given(monkeypatch):
    """Ten samples in two folds, the image of each a bright pixel at (x, y) = (number % 8, 2)."""
    pixels = np.zeros((10, SIZE, SIZE, 1), np.uint8)
    for number in range(10):
        pixels[number, 2, number % SIZE] = 200
    samples = pd.DataFrame(
        {"id": [f"i{number}" for number in range(10)], "fold": [0, 1] * 5, "height": 16, "width": 16}
    )
    store = SimpleNamespace(pixels=pixels, rows_of=lambda ids: [int(name[1:]) for name in ids])
    folds = {fold: SimpleNamespace(weights=fold, oof=fold) for fold in (0, 1)}
    monkeypatch.setattr(prediction, "GradCam", StandIn)
    monkeypatch.setattr(prediction, "load_net", lambda facts, recipe, weights: weights)
    monkeypatch.setattr(prediction, "randomise_weights", lambda net: "random")
    return samples, store, folds


def computed(given, monkeypatch, findings=None, predictions=None):
    samples, store, folds = given
    facts = SimpleNamespace(task="binary", prediction_columns=["positive"])
    recipe = SimpleNamespace(preparation=PreparationSettings(size=SIZE))
    monkeypatch.setattr(
        heat_maps, "open_source", lambda competition: SimpleNamespace(finding_positions=lambda: findings)
    )
    monkeypatch.setattr(heat_maps, "read_predictions", lambda facts, fold: predictions[fold])
    competition = SimpleNamespace(facts=facts)
    return compute_heat_maps(competition, recipe, store, samples, folds, np.array([3, 4, 5]), np.zeros(3, int))


def test_map_is_that_of_the_net_of_its_fold(given, monkeypatch):
    found = computed(given, monkeypatch)
    assert sorted(found.maps) == [(3, 0), (4, 0), (5, 0)]
    assert [found.maps[row, 0].min() for row in (3, 4, 5)] == [1, 0, 1]
    assert (found.method, found.explains_grade) == ("stand-in", False)
    assert len(found.hits) == len(found.chance) == 0


def test_maps_of_opposite_sign_disagree(given, monkeypatch):
    assert computed(given, monkeypatch).agreement == pytest.approx([-1.0])  # of the first fold with an image


def test_only_true_positives_are_pointed_at(given, monkeypatch):
    # In pixels of the raw image, which is twice as large; that of i1 is elsewhere.
    findings = pd.DataFrame({"id": ["i0", "i1", "i2"], "x": [0.0, 15.0, 4.0], "y": [4.0, 15.0, 4.0], "radius": 1.0})
    predictions = {
        0: pd.DataFrame({"id": ["i0", "i2"], "positive": [0.9, 0.1]}),
        1: pd.DataFrame({"id": ["i1"], "positive": [0.6]}),
    }
    found = computed(given, monkeypatch, findings, predictions)
    assert found.hits.tolist() == [True, False]
    assert ((found.chance > 0) & (found.chance < 1)).all()
