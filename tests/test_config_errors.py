"""Errors in configuration files: unknown and missing keys, and what was expected and received."""

from datetime import date

import pytest
from pydantic import Field

from medfold import config
from medfold.competition import CompetitionFacts, Recipe
from medfold.errors import UserError
from tests.support.helpers import competition_facts, refused


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"training": {"epoch": 3}}, r"unknown key 'training.epoch' \(did you mean 'training.epochs'\?\)"),
        ({"trainin": {}}, r"unknown key 'trainin' \(did you mean 'training'\?\)"),
        ({"epochs": 3}, r"unknown key 'epochs' \(did you mean 'training.epochs'\?\)"),
        ({"training": {"lr": 3}}, r"unknown key 'training.lr' \(did you mean 'training.learning_rate'\?\)"),
        ({"training": {"epochs": "many"}}, "'training.epochs': .*received 'many'"),
        ({"training": {"epochs": -1}}, "'training.epochs': .*received -1"),
        ({"preparation": {"fit": "squash"}}, "'preparation.fit': .*received 'squash'"),
    ],
)
def test_error_in_a_recipe_names_the_key(content, message):
    with refused(message) as caught:
        config.validated(Recipe, content, "baseline.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ({"preparation": {"size": "abc"}}, "'preparation.size': expected a whole number, received 'abc'"),
        ({"preparation": {"size": 5.5}}, "'preparation.size': expected a whole number, received 5.5"),
        ({"preparation": {"size": 5000}}, "'preparation.size': expected at most 2048, received 5000"),
        ({"preparation": {"size": 4}}, "'preparation.size': expected at least 8, received 4"),
        ({"preparation": {"size": None}}, "'preparation.size': expected a whole number, received nothing"),
        (
            {"preparation": {"size": {"width": 4}}},
            "'preparation.size': expected a whole number, received 'key: value' pairs",
        ),
        (
            {"preparation": {"fit": "squash"}},
            "'preparation.fit': expected one of stretch, pad, crop; received 'squash'",
        ),
        ({"preparation": {"steps": "clahe"}}, "'preparation.steps': expected a list, received 'clahe'; write [clahe]"),
        ({"training": 3}, "'training': expected 'key: value' pairs, received 3"),
        ({"training": {"epochs": True}}, "'training.epochs': expected a whole number, received true"),
        ({"training": {"mixup": False}}, "'training.mixup': expected a number, received false"),
        ({"training": {"mixup": float("inf")}}, "'training.mixup': expected a number, received inf"),
        ({"training": {"weight_decay": float("nan")}}, "'training.weight_decay': expected a number, received nan"),
        ({"training": {"mixup": "some"}}, "'training.mixup': expected a number, received 'some'"),
        ({"training": {"mixup": "0,01"}}, "'training.mixup': expected a number, received '0,01'; write 0.01"),
        ({"training": {"mixup": 0, 1: None}}, "'training': expected text as a key, received 1; a number has a point"),
        ({"training": {"jit_compile": "x"}}, "'training.jit_compile': expected true or false or auto, received 'x'"),
        ({"tta": "maybe"}, "'tta': expected true or false, received 'maybe'"),
        ({"augment": 5}, "'augment': expected text or a list, received 5"),
        ({"augment": [{"D4": 5}]}, "'augment.0.D4': expected 'key: value' pairs, received 5"),
        ({"backbone": {"name": ["a"]}}, "'backbone.name': expected text, received ['a']"),
        ({"preparation": {"zzz": 1}}, "unknown key 'preparation.zzz' (known: size, steps, fit)"),
        ({"images": {"size": 4}}, "'preparation.size': expected at least 8, received 4"),
        (
            {"preparation": {"fit": 1}, "tta": 3},
            "'preparation.fit': expected one of stretch, pad, crop; received 1; 'tta': ",
        ),
    ],
)
def test_invalid_recipe_value_says_expected_and_received(content, line):
    with pytest.raises(UserError) as caught:
        config.validated(Recipe, content, "baseline.yaml")
    assert str(caught.value).startswith(f"baseline.yaml: {line}")


@pytest.mark.parametrize(
    ("section", "key", "value", "line"),
    [
        ("labels", "targets", [], "expected at least 1 item, received []"),
        ("labels", "separator", "", "expected at least 1 character, received ''"),
        ("labels", "holdout", 0, "expected more than 0, received 0"),
        ("labels", "holdout", 2, "expected at most 0.5, received 2"),
        ("images", "channels", "two", "expected a whole number or a list, received 'two'"),
        ("images", "expected_shape", [32], "expected at least 2 items, received [32]"),
        ("images", "expected_shape", [32, 32, 1], "expected at most 2 items, received [32, 32, 1]"),
        ("score", "beta", float("inf"), "expected a number, received inf"),
        ("folds", "seed", 2**32, "expected at most 4294967295, received 4294967296"),
        ("images", "range", [1], "expected at least 2 items, received [1]"),
        ("images", "range", [1, 2, 3], "expected at most 2 items, received [1, 2, 3]"),
        ("images", "range", [5, 5], "the two values are equal, so every image would be black; expected [low, high]"),
        ("images", "frame", "all", "expected one of first, middle, last, montage or a whole number; received 'all'"),
        ("score", "metric", None, "not filled in yet; see the competition's page, or the metrics in docs/reference.md"),
    ],
)
def test_invalid_fact_says_expected_and_received(section, key, value, line):
    facts = competition_facts().model_dump()
    facts[section][key] = value
    with pytest.raises(UserError) as caught:
        config.validated(CompetitionFacts, facts, "competition.yaml")
    assert str(caught.value) == f"competition.yaml: '{section}.{key}': {line}"


def test_error_of_a_section_names_its_key_once():
    facts = competition_facts().model_dump()
    facts["images"]["channels"] = 9
    with pytest.raises(UserError) as caught:
        config.validated(CompetitionFacts, facts, "competition.yaml")
    assert str(caught.value) == "competition.yaml: 'images.channels' must be 1 to 8, found 9"


class Numbers(config.StrictModel):
    slug: str = Field(default="a", pattern="^[a-z]+$", max_length=3)
    share: float = Field(default=0.5, lt=1)
    day: date | None = None


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ({"slug": "A"}, "'slug': expected text of the form ^[a-z]+$, received 'A'"),
        ({"slug": "abcd"}, "'slug': expected at most 3 characters, received 'abcd'"),
        ({"share": 1}, "'share': expected less than 1, received 1"),
        ({"share": "a" * 200}, f"'share': expected a number, received '{'a' * 76}..."),
        ({"share": "a" * 79}, f"'share': expected a number, received '{'a' * 76}..."),  # 81 with its quotes
        ({"share": "a" * 78}, f"'share': expected a number, received '{'a' * 78}'"),
        ({"day": "today"}, "'day': input should be a valid date or datetime, input is too short, received 'today'"),
    ],
)
def test_invalid_plugin_option_says_expected_and_received(content, line):
    """The last is a type of problem without plain words, which keeps pydantic's message."""
    with pytest.raises(UserError) as caught:
        config.validated(Numbers, content, None)
    assert str(caught.value) == line


def test_misspelt_key_that_is_required_is_reported_once():
    facts = competition_facts().model_dump()
    facts["score"] = {"metrc": "auc"}
    with pytest.raises(UserError) as caught:
        config.validated(CompetitionFacts, facts, "competition.yaml")
    hint = "(did you mean 'score.metric', which is required?)"
    assert str(caught.value) == f"competition.yaml: unknown key 'score.metrc' {hint}"


def test_missing_fact_raises_with_its_key():
    facts = competition_facts().model_dump()
    del facts["score"]
    with refused("'score' is missing"):
        config.validated(CompetitionFacts, facts, "competition.yaml")


@pytest.mark.parametrize(
    ("model", "content", "line"),
    [
        (Recipe, {"labels": {}}, "unknown key 'labels': it belongs in other.yaml"),
        (Recipe, {"preparation": {"channels": 1}}, "unknown key 'preparation.channels': 'images.channels' belongs in "),
        (Recipe, {"images": {"channels": 1}}, "unknown key 'preparation.channels': 'images.channels' belongs in "),
        (CompetitionFacts, {"preparation": {"size": 32}}, "unknown key 'preparation': it belongs in other.yaml"),
        (CompetitionFacts, {"images": {"size": 32}}, "unknown key 'images.size': 'preparation.size' belongs in other"),
    ],
)
def test_key_of_another_file_is_refused_with_that_file(model, content, line):
    other = CompetitionFacts if model is Recipe else Recipe
    content = config.merge({} if model is Recipe else competition_facts().model_dump(), content)
    with pytest.raises(UserError) as caught:
        config.validated(model, content, "this.yaml", (other, "other.yaml"))
    assert str(caught.value).startswith(f"this.yaml: {line}")
