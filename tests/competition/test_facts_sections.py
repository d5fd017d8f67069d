"""The sections of competition.yaml: reserved names and patterns."""

import pytest
from pydantic import ValidationError

from medfold.competition.facts_sections import FoldFacts, ImageFacts, LabelFacts, ScoreFacts
from tests.support.helpers import competition_facts


@pytest.mark.parametrize("name", ["group", "id", "image", "fold", "part", "unit"])
def test_target_with_reserved_name_is_refused(name):
    with pytest.raises(ValueError, match=f"'labels.targets' has '{name}', which is reserved for medfold's own tables"):
        competition_facts(labels={"targets": [name]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": {"train": "train/{id.png", "channels": 1, "test": "t/{id}.png"}}, "not a pattern"),
        (
            {"images": {"train": "train/{}.png", "channels": 1, "test": "t/{id}.png"}},
            "has an empty field {}; write the name of a column in it",
        ),
        (
            {"images": {"train": "train\\{id}.png", "channels": 1, "test": "t/{id}.png"}},
            "has a backslash; write / between folders",
        ),
        ({"images": {"train": "/mine/{id}.png", "channels": 1, "test": "t/{id}.png"}}, "must be a path below raw/"),
        ({"images": {"train": "../mine/{id}.png", "channels": 1, "test": "t/{id}.png"}}, "must be a path below raw/"),
        ({"labels": {"targets": ["target"], "group_pattern": "("}}, "not a regular expression"),
    ],
)
def test_invalid_patterns_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        competition_facts(**change)


@pytest.mark.parametrize(
    ("windows", "read"), [("brain", ["brain"]), ([40, 400], [(40, 400)]), (["brain", [40, 400]], ["brain", (40, 400)])]
)
def test_single_window_needs_no_list(windows, read):
    facts = {"train": "{id}.dcm", "test": "{id}.dcm", "channels": len(read), "windows": windows}
    assert ImageFacts.model_validate(facts).windows == read


def labels(**changes) -> LabelFacts:
    return LabelFacts.model_validate({"targets": ["target"], **changes})


def images(**changes) -> ImageFacts:
    return ImageFacts.model_validate({"train": "train/{id}.png", **changes})


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (labels, {"targets": []}, "targets"),
        (labels, {"targets": ["a", "b", "a"]}, "'labels.targets' has 'a' twice"),
        (labels, {"keep_columns": ["age", "fold"]}, "'labels.keep_columns' has 'fold', which is reserved"),
        (
            labels,
            {"group": "subject", "keep_columns": ["subject"]},
            "'labels.keep_columns' would publish the group column 'subject'",
        ),
        (labels, {"targets": [["a"]]}, "targets"),
        (labels, {"holdout": 0}, "holdout"),
        (labels, {"holdout": 0.51}, "holdout"),
        (labels, {"separator": ""}, "separator"),
        (images, {"channels": 0}, "'images.channels' must be 1 to 8, found 0"),
        (images, {"channels": [*"abcdefghi"]}, "'images.channels' must be 1 to 8, found 9"),
        (images, {"channels": 1, "windows": ["lung", [40, 80]]}, "'images.channels' is 1, and 'images.windows' has 2"),
        (images, {"train": "train/{id:5x}.png"}, "'5x' is not a padding such as 05d"),
        (images, {"max_unreadable": 1.01}, "max_unreadable"),
        (ScoreFacts.model_validate, {"metric": None}, "not filled in yet; see the competition's page"),
        (ScoreFacts.model_validate, {"metric": "fbeta", "beta": 0}, "beta"),
        (FoldFacts.model_validate, {"k": 1}, "k"),
        (FoldFacts.model_validate, {"seed": -1}, "seed"),
    ],
)
def test_invalid_values_are_refused(make, changes, message):
    with pytest.raises(ValidationError, match=message):
        make(**changes) if make in (labels, images) else make(changes)


def test_values_at_the_bounds_are_taken():
    assert labels(holdout=0.5).holdout == 0.5
    assert images(channels=8).num_channels == 8
    assert images(max_unreadable=1).max_unreadable == 1
    assert FoldFacts(k=2, seed=0).model_dump() == {"k": 2, "seed": 0, "method": "auto", "duplicates": "exact"}


def test_names_and_values_of_labels_become_text():
    facts = labels(targets=[0, 1], map={-1: 1, "?": None, 2.5: "x"})
    assert facts.targets == ["0", "1"]
    assert facts.map == {"-1": "1", "?": None, "2.5": "x"}


def test_single_pattern_becomes_a_list():
    facts = images(test=["a/{id}.png", "b/{id:05d}.png"])
    assert facts.train == ["train/{id}.png"]
    assert facts.test == ["a/{id}.png", "b/{id:05d}.png"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, 3), ({"channels": 1}, 1), ({"channels": ["red", "green"]}, 2), ({"windows": ["lung"] * 3}, 3)],
)
def test_named_channels_are_counted(changes, expected):
    assert images(**changes).num_channels == expected
