"""The id column of a label table."""

import numpy as np
import pytest

from medfold.errors import UserError
from medfold.scaffold.from_files import draft_facts
from tests.support.drafts import drafted, facts_and_doubts, pictures, rows, table, write_table


def test_row_number_column_is_not_the_id(tmp_path):
    """A table from df.sample(frac=1).reset_index(drop=True).to_csv(): with its index as id, labels would be wrong."""
    order = np.random.default_rng(0).permutation(60)
    for number, head in enumerate((",id,label", "index,id,label", "row,id,label")):
        text = rows(head, lambda row: f"{row},{order[row]},{order[row] % 2}")
        facts, report = drafted(write_table(tmp_path / str(number), text))
        assert facts["labels"]["id"] == "id"
        assert ("labels.id: values of row are names of images, too" in report) == (number == 2)


def test_index_column_is_the_id_without_another_one(tmp_path):
    write_table(tmp_path, rows("index,label", lambda row: f"{row},{row % 2}"))
    (tmp_path / "test_readme.txt").write_text("Well, this is\na text, with commas, and more, of them\n")
    facts, _ = drafted(tmp_path)
    assert facts["labels"]["id"] == "index"


@pytest.mark.parametrize("column", ["idx", "id", "row_id", "number"])
def test_row_numbers_are_not_ids_beside_file_names(tmp_path, column):
    pictures(tmp_path, "images/{n}.png")
    names = [f"{number:03}.png" for number in reversed(range(12))]
    table(tmp_path, "labels.csv", f"{column},file,label", *(f"{n:03},{names[n]},{n % 2}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["id"] == "file"


def test_ids_that_name_several_images_are_refused(tmp_path):
    pictures(tmp_path, "site_a/{n}.png", "site_b/{n}.png")
    rows = [f"{'AB'[site]},{n:03}.png,{n % 2}" for site in range(2) for n in range(12)]
    table(tmp_path, "labels.csv", "hospital,file,label", *rows)
    with pytest.raises(UserError, match="'000.png' is in 2 rows and names 2 images: site_a/000.png, site_b/000.png"):
        draft_facts(tmp_path)
