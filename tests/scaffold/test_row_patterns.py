"""Patterns of image paths, from the rows of a table."""

import pytest

from tests.support.drafts import facts_and_doubts, pictures, table


@pytest.mark.parametrize("front", ["Chex/", "/content/drive/", "C:\\data\\"])
def test_paths_in_a_table_are_matched_by_their_end(tmp_path, front):
    pictures(tmp_path, "view/p{n}.png")
    end = "view\\" if "\\" in front else "view/"
    table(tmp_path, "train.csv", "Path,Edema", *(f"{front}{end}p{n:03}.png,{n % 2}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["id"] == "Path"
    assert facts["images"]["train"] == "{id}"
