"""Search of images: the file of each row of a table."""

import pandas as pd
import pytest

from medfold.raw_files.image_search import find_images, match_path_endings
from tests.support.helpers import competition_facts, picture, refused


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
    return find_images(table, ["train/{id}.png"], competition_facts(images=images), tmp_path, **options).tolist()


def test_share_of_missing_images_that_is_tolerated_is_a_warning(tmp_path, capsys):
    expected = [f"train/{number}.png" for number in range(10)]
    assert find(tmp_path, 8, tolerate=0.2) == expected
    text = "2 images are missing, no more than images.max_unreadable allows: train/8.png, train/9.png"
    assert text in capsys.readouterr().out


@pytest.mark.parametrize(("num_present", "message"), [(7, "3 images are missing: train/7.png"), (0, "10 images are")])
def test_more_missing_images_are_refused(tmp_path, num_present, message):
    with refused(message):
        find(tmp_path, num_present, tolerate=0.2)


def test_incomplete_rows_get_the_path_of_the_first_pattern(tmp_path, capsys):
    assert find(tmp_path, 1, tolerate=0, complete=False) == [f"train/{number}.png" for number in range(10)]
    assert capsys.readouterr().out == ""
