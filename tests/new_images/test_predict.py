"""Prediction of new images: joined by path, unreadable ones left out."""

import cv2
import numpy as np
import pandas as pd
import pytest

from medfold.ensemble import FittedEnsemble, combine_runs, mean_of
from medfold.new_images import MEAN_TRANSFORM
from medfold.new_images.predict import member_runs, predict_new_images
from medfold.scoring import FittedTransform
from tests.support.finished_runs import finished_run
from tests.support.helpers import competition_facts, picture, refused
from tests.support.mean_predictor import MeanPredictor

FACTS = competition_facts()


class FakePredictor(MeanPredictor):
    """The mean of two runs, one row per image."""

    def combine(self, ids, predictions, unit=None, fitted=None):
        runs = {}
        for number, values in enumerate(predictions):
            runs[f"run {number}"] = pd.DataFrame({"id": ids, "target": values[:, 0]})
        own = pd.Series(ids, index=ids, dtype=object)
        return combine_runs(FACTS, runs, own, fitted or FittedTransform.from_function(mean_of))


MEAN = FittedEnsemble(MEAN_TRANSFORM, None, "arithmetic mean", ("a", "b"))


def predict(folder, names, ensemble=MEAN):
    return predict_new_images(FACTS, FakePredictor(), ensemble, folder, names)


def test_predictions_have_the_path_of_each_image(tmp_path):
    (tmp_path / "deep").mkdir()
    cv2.imwrite(str(tmp_path / "deep" / "a.png"), np.zeros((20, 10), np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), np.full((7, 9), 255, np.uint8))
    found = predict(tmp_path, ["deep/a.png", "b.png"])
    assert found.table.to_numpy().tolist() == [["deep/a.png", pytest.approx(0.25)], ["b.png", pytest.approx(0.75)]]
    assert found.unreadable == {}


def test_unreadable_images_are_left_out_with_their_reasons(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    found = predict(tmp_path, ["b.png", "a.png"])
    assert found.table["id"].tolist() == ["a.png"]
    assert list(found.unreadable) == ["b.png"]


def test_images_none_of_which_can_be_read_are_refused(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"no picture")
    with refused(rf"^IMAGES={tmp_path}: none of 2 images can be read; a\.png: .*Check that the files are complete$"):
        predict(tmp_path, ["a.png", "b.png"])


def test_single_image_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with refused(rf"^IMAGES={tmp_path}/a\.png: none of 1 image can be read"):
        predict(tmp_path, ["a.png"])


def test_probabilities_stand_beside_ranks(tmp_path):
    picture(tmp_path / "a.png")
    ensemble = FittedEnsemble(MEAN_TRANSFORM, MEAN_TRANSFORM, "rank mean", ("a", "b"))
    table = predict(tmp_path, ["a.png"], ensemble).table
    assert list(table.columns) == ["id", "target", "probability of target"]
    assert table["probability of target"].tolist() == table["target"].tolist()


def test_members_have_the_weights_of_their_trained_folds(folded):
    finished_run(folded, "one", folds=[0, 2])
    (only,) = member_runs(folded, ["one"])
    assert only.name == "one"
    assert only.weights_files == [folded.paths.run("one").fold(fold).weights for fold in (0, 2)]


def test_untrained_member_is_refused(folded):
    finished_run(folded, "one", folds=[0, 2])
    with refused("run 'two' is not trained"):
        member_runs(folded, ["one", "two"])
