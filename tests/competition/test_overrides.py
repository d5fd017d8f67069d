"""SET= as text, as keys, and in the name of a run."""

import json

import pytest

from medfold.competition import load_recipe
from medfold.competition.overrides import format_overrides, parse_overrides, run_name
from medfold.paths import ProjectPaths
from tests.support.helpers import refused


def test_overrides_change_nested_keys(project_folder):
    overrides = parse_overrides("training.epochs=3 tta=false augment=[HorizontalFlip]")
    assert overrides == {"training": {"epochs": 3}, "tta": False, "augment": ["HorizontalFlip"]}
    loaded = load_recipe(ProjectPaths.find().competition("small"), "baseline", overrides)
    assert (loaded.training.epochs, loaded.tta, loaded.training.batch_size) == (3, False, 8)


def test_quoted_override_keeps_its_spaces():
    overrides = parse_overrides(r"backbone.weights='C:\my nets\net.weights.h5' tta=false")
    assert overrides == {"backbone": {"weights": r"C:\my nets\net.weights.h5"}, "tta": False}
    compact = parse_overrides('augment=[{"GaussNoise":{"p":0.3}}]')
    assert compact == {"augment": [{"GaussNoise": {"p": 0.3}}]}


def test_overrides_in_json_are_parsed_unchanged():
    overrides = {
        "augment": [{"GaussNoise": {"std_range": [1e-05, 0.01]}}],
        "tta": False,
        "backbone": {"name": "my 'x'"},
    }
    assert parse_overrides(json.dumps(overrides)) == overrides


@pytest.mark.parametrize("text", ["training.epochs", "=3", "training..epochs=3", "a=[1", "a='b", "{a: 1}"])
def test_malformed_override_raises(text):
    with refused("^SET: ('.+': (expected key=value without spaces|the value is not YAML)|not JSON)"):
        parse_overrides(text)


def test_run_name_has_seed_and_hash_of_overrides():
    assert run_name("baseline", 0, {}) == "baseline"
    assert run_name("baseline", 2, {}) == "baseline-s2"
    named = run_name("baseline", 0, {"tta": False})
    assert named.startswith("baseline-")
    assert len(named) == len("baseline-") + 6


@pytest.mark.parametrize(
    "text",
    [
        "training.epochs=3 tta=false",
        "training.learning_rate=0.0003 preparation.size=96",
        "backbone.weights='my weights.h5' backbone.name=MobileNetV2",
        "preparation.steps=[circle_crop,clahe]",
        "backbone.weights='123'",
    ],
)
def test_format_overrides_gives_the_typed_text(text):
    overrides = parse_overrides(text)
    assert format_overrides(overrides) == text
    assert parse_overrides(format_overrides(overrides)) == overrides


def test_run_name_is_the_same_for_former_names():
    assert run_name("baseline", 0, {"training": {"ema": 0.5}}) == "baseline-0f4dc0"
    assert run_name("baseline", 0, {"training": {"ema_decay": 0.5}}) == "baseline-0f4dc0"
    assert run_name("baseline", 0, {"images": {"size": 96}}) == "baseline-4ad8b6"
    assert run_name("baseline", 0, {"preparation": {"size": 96}}) == "baseline-4ad8b6"
