"""The sections of competition.yaml: reserved names and patterns."""

import pytest

from medfold.competition.facts_sections import ImageFacts
from tests.support.helpers import competition


@pytest.mark.parametrize("name", ["group", "id", "image", "fold", "part", "unit"])
def test_target_with_reserved_name_is_refused(name):
    with pytest.raises(ValueError, match=f"'labels.targets' has '{name}', which is reserved for medfold's own tables"):
        competition(labels={"targets": [name]})


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
        competition(**change)


@pytest.mark.parametrize(
    ("windows", "read"), [("brain", ["brain"]), ([40, 400], [(40, 400)]), (["brain", [40, 400]], ["brain", (40, 400)])]
)
def test_single_window_needs_no_list(windows, read):
    facts = {"train": "{id}.dcm", "test": "{id}.dcm", "channels": len(read), "windows": windows}
    assert ImageFacts.model_validate(facts).windows == read
