"""Patterns of image paths, from the rows of a table."""

import pandas as pd
import pytest

from medfold.scaffold.id_column import Ids
from medfold.scaffold.image_files import ImageFiles
from medfold.scaffold.row_patterns import find_patterns
from tests.support.drafts import facts_and_doubts, pictures, table


@pytest.mark.parametrize("front", ["Chex/", "/content/drive/", "C:\\data\\"])
def test_paths_in_a_table_are_matched_by_their_end(tmp_path, front):
    pictures(tmp_path, "view/p{n}.png")
    end = "view\\" if "\\" in front else "view/"
    table(tmp_path, "train.csv", "Path,Edema", *(f"{front}{end}p{n:03}.png,{n % 2}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["id"] == "Path"
    assert facts["images"]["train"] == "{id}"


def patterns(tmp_path, images: list[str], ids: Ids, split: str = "train", **columns: list[str]) -> list[str]:
    """Finds the patterns that lead from the rows of a table to these images."""
    return find_patterns(ImageFiles(tmp_path, images), pd.DataFrame(columns), ids, split)[0]


NUMBERS = [str(number) for number in range(6)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("images/{n}.png", "images/{id}.png"),
        ("{n}.jpeg", "{id}.jpeg"),
        ("images/{n:0>4}.png", "images/{id:0>4}.png"),
        ("images/site{n}/{n}.png", "images/{site}/{id}.png"),
    ],
)
def test_values_of_a_row_become_the_names_of_their_columns(tmp_path, path, expected):
    images = [path.format(n=number) for number in NUMBERS]
    sites = [f"site{number}" for number in NUMBERS]
    assert patterns(tmp_path, images, Ids("scan", 1.0), scan=NUMBERS, site=sites) == [expected]


def test_most_frequent_pattern_comes_first_and_covers_its_rows(tmp_path):
    images = [*(f"a/{number}.png" for number in NUMBERS[:2]), *(f"b/{number}.png" for number in NUMBERS[2:])]
    found, of_rows = find_patterns(
        ImageFiles(tmp_path, images), pd.DataFrame({"scan": NUMBERS}), Ids("scan", 1.0), "train"
    )
    assert found == ["b/{id}.png", "a/{id}.png"]
    assert sorted(of_rows) == sorted(images)


@pytest.mark.parametrize(("split", "expected"), [("train", "train/{id}.png"), ("test", "test/{id}.png")])
def test_images_in_the_folder_of_the_other_split_are_left_out(tmp_path, split, expected):
    images = [f"{folder}/{number}.png" for folder in ("train", "test") for number in NUMBERS]
    assert patterns(tmp_path, images, Ids("scan", 1.0), split, scan=NUMBERS) == [expected]
    only = [f"test/{number}.png" for number in NUMBERS]
    assert patterns(tmp_path, only, Ids("scan", 1.0), split, scan=NUMBERS) == ["test/{id}.png"]


def test_channels_of_a_file_become_a_field(tmp_path):
    images = [f"cells/{number}_{channel}.png" for number in NUMBERS for channel in ("red", "green")]
    found, of_rows = find_patterns(
        ImageFiles(tmp_path, images), pd.DataFrame({"cell": NUMBERS}), Ids("cell", 1.0, ("red", "green")), "train"
    )
    assert found == ["cells/{id}_{channel}.png"]
    assert of_rows[0] == "cells/0_red.png|cells/0_green.png"


def test_label_behind_a_long_id_is_no_part_of_the_name(tmp_path):
    rows = [f"{number}_{label}" for number in NUMBERS for label in ("mild", "severe")]
    images = [f"images/{number}.png" for number in NUMBERS]
    ids = Ids("row", 1.0, ("mild", "severe"), is_long=True)
    assert patterns(tmp_path, images, ids, row=rows) == ["images/{id}.png"]


def test_table_without_rows_has_no_pattern(tmp_path):
    assert patterns(tmp_path, ["images/1.png"], Ids("scan", 1.0), scan=[]) == []
