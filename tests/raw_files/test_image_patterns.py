"""Path patterns: filled from table rows, matched against paths."""

import pandas as pd
import pytest

from medfold.errors import UserError
from medfold.raw_files.image_patterns import (
    PathPattern,
    fill_pattern,
    find_images,
    match_path_endings,
    pattern_fields,
)
from tests.support.helpers import competition, picture


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
        ("{site}/{id}.png", "images.train: .*field 'site'.*Columns: id"),
        ("one.png", "images.train: 'one.png' has no field.*Add {id}"),
    ],
)
def test_fill_pattern_with_unknown_or_no_field_raises(pattern, message):
    with pytest.raises(UserError, match=message):
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


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["train/a.png", "test/a.png"], ["train/a.png"]),
        (["x/a.png", "y/a.png"], ["x/a.png", "y/a.png"]),  # equally good
        (["train/b.png"], []),
    ],
)
def test_match_path_endings_returns_the_longest_matches(paths, found):
    assert match_path_endings("/content/drive/train/a.png", paths) == found


def find(tmp_path, num_present: int, tolerate: float, **options) -> list[str]:
    """Finds the images of ten rows, of which this number exists."""
    for number in range(num_present):
        picture(tmp_path / "train" / f"{number}.png")
    (tmp_path / "train").mkdir(exist_ok=True)
    images = {"train": "train/{id}.png", "test": "test/{id}.png", "channels": 1, "tolerate": tolerate}
    table = pd.DataFrame({"id": [str(number) for number in range(10)]})
    return find_images(table, ["train/{id}.png"], competition(images=images), tmp_path, **options).tolist()


def test_share_of_missing_images_that_is_tolerated_is_a_warning(tmp_path, capsys):
    expected = [f"train/{number}.png" for number in range(10)]
    assert find(tmp_path, 8, tolerate=0.2) == expected
    text = "2 images are missing, no more than images.max_unreadable allows: train/8.png, train/9.png"
    assert text in capsys.readouterr().out


@pytest.mark.parametrize(("num_present", "message"), [(7, "3 images are missing: train/7.png"), (0, "10 images are")])
def test_more_missing_images_are_refused(tmp_path, num_present, message):
    with pytest.raises(UserError, match=message):
        find(tmp_path, num_present, tolerate=0.2)


def test_incomplete_rows_get_the_path_of_the_first_pattern(tmp_path, capsys):
    assert find(tmp_path, 1, tolerate=0, complete=False) == [f"train/{number}.png" for number in range(10)]
    assert capsys.readouterr().out == ""
