"""Path patterns: filled from table rows, matched against paths."""

import pandas as pd
import pytest

from medfold.raw_files.path_patterns import PathPattern, fill_pattern, pattern_fields
from tests.support.helpers import refused


def test_pattern_fields_are_listed_once():
    assert pattern_fields("{site}/{id}/{id}_{view}.png") == ["site", "id", "view"]
    assert pattern_fields("all.npy") == []


@pytest.mark.parametrize(
    ("pattern", "id", "path"),
    [
        ("{id}.png", "7", "7.png"),
        ("{id:05d}.png", "7", "00007.png"),
        ("{id:05d}.png", "7.0", "00007.png"),
        ("{id:0>5}.png", "a7", "000a7.png"),
        ("{id:05d}.png", "a7", "a7.png"),  # not a number
    ],
)
def test_fill_pattern_formats_values(pattern, id, path):
    assert fill_pattern(pattern, pd.DataFrame({"id": [id]}), "images.train").tolist() == [path]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{site}/{id}.png", "images.train: .*field 'site'.*Use one of its columns: id"),
        ("one.png", "images.train: 'one.png' has no field.*Add {id}"),
    ],
)
def test_pattern_with_unknown_or_no_field_is_refused(pattern, message):
    with refused(message):
        fill_pattern(pattern, pd.DataFrame({"id": ["a", "b"]}), "images.train")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("no/p1/p1_x.png", {"label": "no", "patient": "p1", "id": "x"}),
        ("no/p1/p2_x.png", None),  # two values for {patient}
        ("no/deep/p1/p1_x.png", None),  # a field does not cross folders
        ("no/p1/p1_x.jpg", None),
    ],
)
def test_path_pattern_returns_fields_of_a_matching_path(path, fields):
    assert PathPattern("{label}/{patient}/{patient}_{id}.png").match(path) == fields


def test_path_pattern_escapes_special_characters():
    pattern = PathPattern("scan (1)/{The site}.{id}.png")
    assert pattern.match("scan (1)/north.7.png") == {"The site": "north", "id": "7"}
    assert pattern.match("scan 1/north.7.png") is None
