"""Texts and pictures of the section with example images."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from medfold.competition.recipe import Recipe
from medfold.report.heat_maps import HeatMaps
from medfold.report.page import Section
from medfold.report.sections import explanations
from tests.support.helpers import competition_facts, picture

SAMPLES = pd.DataFrame({"id": ["a", "b"], "image": ["a.png", "b.png"]})


@pytest.mark.parametrize(
    ("task", "explains_grade", "expected"),
    [
        ("binary", False, "a positive"),
        ("multiclass", False, "the named class or label"),
        ("multilabel", False, "the named class or label"),
        ("ordinal", True, "a higher grade"),
        ("ordinal", False, "the named class or label"),
    ],
)
def test_heat_maps_are_evidence_for_what_the_task_predicts(task, explains_grade, expected):
    assert explanations._evidence(competition_facts(task), SimpleNamespace(explains_grade=explains_grade)) == expected


def caption(task: str, targets, predictions, row: int, column: int) -> str:
    facts = competition_facts(task)
    probabilities = SimpleNamespace(targets=np.array(targets), predictions=np.array(predictions))
    ensemble = SimpleNamespace(probabilities=probabilities, oof=SimpleNamespace(fold=np.array([2, 0])))
    return explanations._captions(SimpleNamespace(facts=facts), SAMPLES, ensemble)(row, column)


@pytest.mark.parametrize(
    ("task", "targets", "predictions", "row", "column", "expected"),
    [
        ("binary", [0, 1], [[0.25], [0.5]], 1, 0, "b, target: true 1, predicted 0.500, fold 0"),
        ("multiclass", [0, 2], [[0.2, 0.3, 0.5]] * 2, 1, 0, "b, true 2, predicted 0 (0.200), fold 0"),
        ("multilabel", [[0, 1], [1, 1]], [[0.2, 0.3]] * 2, 0, 1, "a, b: true 1, predicted 0.300, fold 2"),
    ],
)
def test_caption_has_id_truth_prediction_and_fold(task, targets, predictions, row, column, expected):
    assert caption(task, targets, predictions, row, column) == expected


def described(found: HeatMaps) -> Section:
    section = Section("images", "Images")
    explanations._describe(section, found, "a positive")
    return section


def texts_of(section: Section) -> list[str]:
    return [part["text"] for part in section.parts]


def test_method_and_evidence_are_described():
    (text,) = texts_of(described(replace(HeatMaps(), method="Grad-CAM")))
    assert text.startswith("Heat maps (Grad-CAM) of the net that was not trained on the image: the evidence for")
    assert "for a positive. They show what influenced the prediction, not why it is right." in text


def test_agreement_with_random_weights_is_a_mean():
    texts = texts_of(described(replace(HeatMaps(), method="Grad-CAM", agreement=[0.1, 0.5])))
    assert "with its weights in random order: 0.30 (1: the same maps" in texts[1]


def test_pointing_game_compares_hits_with_chance():
    found = replace(HeatMaps(), method="Grad-CAM", hits=np.array([1, 1, 0, 1]), chance=np.array([0.25, 0.5, 0.5, 0.75]))
    section = described(found)
    expected = "the hottest point is in or beside the finding in 75% of 4 true positives (a random point: 50%)"
    assert f"{expected}. " in texts_of(section)[1]
    assert section.summary == f"heat maps: {expected}"


@pytest.fixture
def show(tmp_path):
    """Returns a function: the picture of the image a.png for a recipe with this preparation."""
    facts = competition_facts()
    paths = SimpleNamespace(raw_root=lambda root: tmp_path)
    store = SimpleNamespace(pixels=np.full((2, 8, 8, 1), 77, np.uint8), rows=pd.Series({"a": 1}))

    def run(**preparation):
        recipe = Recipe.model_validate({"preparation": {"size": 8, **preparation}})
        return explanations._picture(SimpleNamespace(facts=facts, paths=paths), recipe, store, SAMPLES.iloc[0])

    return run


def test_raw_image_is_shown_if_the_net_saw_all_of_it(show, tmp_path):
    pixels = picture(tmp_path / "a.png", shape=(20, 10))
    np.testing.assert_array_equal(show(), np.stack([pixels] * 3, axis=-1))


@pytest.mark.parametrize("images", [{"fit": "pad"}, {"fit": "crop"}, {"steps": ["clahe"]}])
def test_prepared_image_is_shown_if_its_content_was_moved_or_changed(show, tmp_path, images):
    picture(tmp_path / "a.png", shape=(20, 10))
    assert show(**images).shape == (8, 8, 3)
    assert (show(**images) == 77).all()


def test_prepared_image_is_shown_if_the_raw_one_cannot_be_read(show, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert (show() == 77).all()
