"""Texts and pictures of the section with example images."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from medfold.competition import Recipe
from medfold.report.heat_maps import HeatMaps
from medfold.report.page import Section
from medfold.report.sections import explanations
from tests.support.helpers import competition_facts, picture

SAMPLES = pd.DataFrame({"id": ["a", "b"], "image": ["a.png", "b.png"], "unit": ["a", "b"]})
SIZES = pd.DataFrame({"id": ["a", "b"], "height": 20, "width": 10})
TRUE_LABELS = {"binary": [0, 1], "multiclass": [0, 2], "ordinal": [0, 2], "multilabel": [[0, 1], [1, 1]]}
GRAD_CAM = HeatMaps(method="Grad-CAM")


@pytest.fixture
def make_section(tmp_path, monkeypatch):
    """Returns a function: the section of a run with these heat maps; its pictures are arrays, not JPEG.

    The raw images are in `tmp_path`. All values of the prepared ones are 77.
    """
    weights = tmp_path / "net.weights.h5"
    weights.touch()
    store = SimpleNamespace(pixels=np.full((2, 8, 8, 1), 77, np.uint8), rows=pd.Series({"a": 1, "b": 0}))

    def make(found: HeatMaps, task: str = "binary", predictions=((0.25,), (0.5,)), **preparation) -> Section:
        recipe = Recipe.model_validate({"preparation": {"size": 8, **preparation}})
        run_paths = SimpleNamespace(fold=lambda number: SimpleNamespace(weights=weights))
        run = SimpleNamespace(name="one", recipe=recipe, paths=run_paths)
        fakes = {
            "store_key": lambda competition, preparation: "key",
            "load_store": lambda paths, key: store,
            "compute_heat_maps": lambda *arguments: found,
            "jpeg": lambda pixels: pixels,
            "IMAGE_SIZE": 20,
        }
        for name, fake in fakes.items():
            monkeypatch.setattr(explanations, name, fake)
        competition = SimpleNamespace(
            facts=competition_facts(task), paths=SimpleNamespace(raw_root=lambda root: tmp_path)
        )
        ensemble = SimpleNamespace(
            runs=[run],
            run_names=["one"],
            oof=SimpleNamespace(unit_ids=["a", "b"], folds=np.array([2, 0])),
            oof_probabilities=SimpleNamespace(targets=np.array(TRUE_LABELS[task]), predictions=np.array(predictions)),
            score=SimpleNamespace(trained_folds=[0, 2]),
        )
        return explanations.explanations_section(competition, SimpleNamespace(train=SAMPLES), ensemble, SIZES)

    return make


def texts_of(section: Section) -> list[str]:
    return [part["text"] for part in section.parts if part["kind"] == "text"]


def tiles_of(section: Section) -> dict:
    """Returns the images of all galleries by their caption."""
    galleries = [part["content"] for part in section.parts if part["kind"] == "gallery"]
    return {tile.text: tile for tiles in galleries for tile in tiles}


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
def test_heat_maps_are_evidence_for_what_the_task_predicts(make_section, task, explains_grade, expected):
    predictions = [[0.2, 0.3, 0.5][: {"binary": 1, "multilabel": 2}.get(task, 3)]] * 2
    section = make_section(replace(GRAD_CAM, explains_grade=explains_grade), task, predictions)
    assert f": the evidence for {expected}. " in texts_of(section)[0]


@pytest.mark.parametrize(
    ("task", "predictions", "expected"),
    [
        ("binary", [[0.25], [0.5]], "b, target: true 1, predicted 0.500, fold 0"),
        ("multiclass", [[0.5, 0.3, 0.2]] * 2, "b, true 2, predicted 0 (0.500), fold 0"),
        ("multilabel", [[0.2, 0.3]] * 2, "a, b: true 1, predicted 0.300, fold 2"),
    ],
)
def test_caption_has_id_truth_prediction_and_fold(make_section, task, predictions, expected):
    assert expected in tiles_of(make_section(GRAD_CAM, task, predictions))


def test_method_and_evidence_are_described(make_section):
    (text,) = texts_of(make_section(GRAD_CAM))
    assert text.startswith("Heat maps (Grad-CAM) of the net that was not trained on the image: the evidence for")
    assert "for a positive. They show what influenced the prediction, not why it is right." in text


def test_agreement_with_random_weights_is_a_mean(make_section):
    texts = texts_of(make_section(replace(GRAD_CAM, agreement=[0.1, 0.5])))
    assert "with its weights in random order: 0.30 (1: the same maps" in texts[1]


def test_pointing_game_compares_hits_with_chance(make_section):
    hits, chance = np.array([1, 1, 0, 1]), np.array([0.25, 0.5, 0.5, 0.75])
    section = make_section(replace(GRAD_CAM, hits=hits, chance=chance))
    expected = "the hottest point is in or beside the finding in 75% of 4 true positives (a random point: 50%)"
    assert f"{expected}. " in texts_of(section)[1]
    assert section.summary == f"heat maps: {expected}"


@pytest.fixture
def show(make_section):
    """Returns a function: the picture of the image a.png for a recipe with this preparation."""

    def show(**preparation):
        tiles = tiles_of(make_section(GRAD_CAM, **preparation))
        return tiles["a, target: true 0, predicted 0.250, fold 2"].raw_picture

    return show


def test_raw_image_is_shown_if_the_net_saw_all_of_it(show, tmp_path):
    pixels = picture(tmp_path / "a.png", shape=(20, 10))
    np.testing.assert_array_equal(show(), np.stack([pixels] * 3, axis=-1))


@pytest.mark.parametrize("images", [{"fit": "pad"}, {"fit": "crop"}, {"steps": ["clahe"]}])
def test_prepared_image_is_shown_if_its_content_was_moved_or_changed(show, tmp_path, images):
    picture(tmp_path / "a.png", shape=(20, 10))
    assert show(**images).shape == (20, 20, 3)
    assert (show(**images) == 77).all()


def test_prepared_image_is_shown_if_the_raw_one_cannot_be_read(show, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert (show() == 77).all()


def test_heat_map_covers_its_image_alone(make_section):
    section = make_section(replace(GRAD_CAM, maps={(0, 0): np.eye(4, dtype=np.float32)}))
    with_map, without = (tiles_of(section)[caption] for caption in sorted(tiles_of(section)))
    assert with_map.map_description == "Heat map of the evidence for a positive"
    assert (with_map.picture != with_map.raw_picture).any()
    assert without.map_description == ""
    np.testing.assert_array_equal(without.picture, without.raw_picture)
