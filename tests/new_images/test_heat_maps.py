"""Heat maps of new images: one picture for each image, with the mean map of all nets; the nets are imitated."""

import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from medfold.competition import Recipe
from medfold.images import overlay
from medfold.new_images import MemberRun, heat_maps
from medfold.new_images.heat_maps import HeatMapSummary, check_same_image_area, write_heat_maps
from tests.support.helpers import competition_facts, picture, refused

FACTS = competition_facts()


def recipe(**preparation) -> Recipe:
    return Recipe.model_validate({"preparation": {"size": 8, **preparation}})


class FakeExplainer:
    """Gives every image the same map, and notes what it explains."""

    def __init__(self, heat: np.ndarray, method: str = "Grad-CAM", grade: bool = False):
        self.heat, self.method, self.explains_grade, self.asked = heat, method, grade, []

    def __call__(self, pixels, columns):
        self.asked.append((pixels.shape, columns.tolist()))
        return np.stack([self.heat] * len(pixels))


LEFT = np.array([[1, 0], [1, 0]], np.float32)
TOP = np.array([[1, 1], [0, 0]], np.float32)


@pytest.fixture
def explain(tmp_path, monkeypatch):
    """Returns a function that explains images by explainers, a list for each run."""

    def run(names, explainers, recipes=None, columns=None):
        recipes = recipes or [recipe()] * len(explainers)
        weights_files = [[Path(f"{run}/{fold}") for fold in range(len(each))] for run, each in enumerate(explainers)]
        members = [MemberRun(str(run), each, weights_files[run]) for run, each in enumerate(recipes)]
        explainer_of = lambda facts, recipe, file: explainers[int(file.parent.name)][int(file.name)]  # noqa: E731
        fakes = SimpleNamespace(load_net=explainer_of, GradCam=lambda net: net)
        monkeypatch.setitem(sys.modules, "medfold.prediction", fakes)
        columns = np.zeros(len(names), int) if columns is None else np.array(columns)
        return write_heat_maps(FACTS, members, tmp_path / "in", names, columns, tmp_path / "out")

    return run


def read(path) -> np.ndarray:
    return cv2.imread(str(path))[..., ::-1].astype(int)


def test_picture_shows_the_mean_map_of_all_nets(explain, tmp_path):
    pixels = picture(tmp_path / "in" / "a.png", shape=(20, 10))[..., None]
    facts = explain(["a.png"], [[FakeExplainer(LEFT)], [FakeExplainer(TOP), FakeExplainer(TOP)]])
    heat = np.mean([cv2.resize(each, (10, 20)) for each in (LEFT, TOP, TOP)], axis=0)
    np.testing.assert_allclose(read(tmp_path / "out" / "a.png.png"), overlay(pixels, heat), atol=1)
    assert facts == HeatMapSummary(["Grad-CAM"], explains_grade=False)


def test_every_image_has_a_picture_named_by_its_path(explain, tmp_path):
    names = ["a.png", "deep/b.png", "deep/er/c.png"]
    for name in names:
        picture(tmp_path / "in" / name)
    explain(names, [[FakeExplainer(LEFT)]])
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["a.png.png", "deep__b.png.png", "deep__er__c.png.png"]
    assert heat_maps.picture_name("a/red.png|a/green.png") == "a__red.png.png"


def test_images_are_explained_in_chunks_with_their_own_columns(explain, tmp_path, monkeypatch):
    monkeypatch.setattr(heat_maps, "CHUNK_SIZE", 2)
    names = [f"{number}.png" for number in range(5)]
    for name in names:
        picture(tmp_path / "in" / name)
    explainer = FakeExplainer(LEFT)
    explain(names, [[explainer]], columns=[4, 3, 2, 1, 0])
    assert explainer.asked == [((2, 8, 8, 1), [4, 3]), ((2, 8, 8, 1), [2, 1]), ((1, 8, 8, 1), [0])]
    assert len(list((tmp_path / "out").iterdir())) == 5


def test_former_folder_is_replaced(explain, tmp_path):
    picture(tmp_path / "in" / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "of_before.png").touch()
    explain(["a.png"], [[FakeExplainer(LEFT)]])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png.png"]


def test_facts_name_each_method_once_and_the_grade_only_if_all_explain_it(explain, tmp_path):
    picture(tmp_path / "in" / "a.png")
    cam, other = FakeExplainer(LEFT, grade=True), FakeExplainer(TOP, "input gradients", grade=True)
    assert explain(["a.png"], [[cam, other], [cam]]) == HeatMapSummary(["Grad-CAM", "input gradients"], True)
    assert explain(["a.png"], [[cam], [FakeExplainer(TOP)]]).explains_grade is False


@pytest.mark.parametrize(
    ("settings", "shape"), [({}, (20, 10)), ({"fit": "pad"}, (8, 8)), ({"steps": ["crop_foreground"]}, (8, 8))]
)
def test_moved_content_is_shown_as_it_was_prepared(explain, tmp_path, settings, shape):
    picture(tmp_path / "in" / "a.png", shape=(20, 10))
    explain(["a.png"], [[FakeExplainer(LEFT)]], [recipe(**settings)])
    assert read(tmp_path / "out" / "a.png.png").shape[:2] == shape


@pytest.mark.parametrize(
    ("shape", "expected"), [((512, 100), (512, 100)), ((1024, 100), (512, 50)), ((10, 5120), (1, 512))]
)
def test_large_pictures_are_shrunk(explain, tmp_path, shape, expected):
    picture(tmp_path / "in" / "a.png", shape=shape)
    explain(["a.png"], [[FakeExplainer(LEFT)]])
    assert read(tmp_path / "out" / "a.png.png").shape[:2] == expected


@pytest.mark.parametrize("other", [{"fit": "crop"}, {"steps": ["clahe"]}])
def test_runs_that_use_different_parts_of_an_image_are_refused(other):
    check_same_image_area({"a": recipe(), "b": recipe(size=16)})
    keys = r"\(preparation\.steps, preparation\.fit\)"
    with refused(rf"^EXPLAIN=1: a and c use different parts of an image {keys}\. Explain them one by one$"):
        check_same_image_area({"a": recipe(), "b": recipe(), "c": recipe(**other)})
