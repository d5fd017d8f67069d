"""The id column of a label table."""

import numpy as np
import pandas as pd
import pytest

from medfold.scaffold import draft_facts
from medfold.scaffold.id_column import Ids, find_ids
from medfold.scaffold.image_files import ImageFiles
from tests.support.drafts import drafted, facts_and_doubts, pictures, rows, table, write_table
from tests.support.helpers import refused


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
    with refused("'000.png' is in 2 rows and names 2 images: site_a/000.png, site_b/000.png"):
        draft_facts(tmp_path)


def ids_of(tmp_path, images: list[str], **columns: list[str]) -> Ids | None:
    """Finds the id column of a table, where these images exist."""
    return find_ids(pd.DataFrame(columns), ImageFiles(tmp_path, images))


@pytest.mark.parametrize(("num_images", "is_found"), [(5, False), (6, True)])
def test_ids_have_images_for_more_than_half_of_them(tmp_path, num_images, is_found):
    scans = [f"scan{number}" for number in range(10)]
    found = ids_of(tmp_path, [f"{name}.png" for name in scans[:num_images]], scan=scans, label=["0", "1"] * 5)
    assert found == (Ids("scan", 0.6) if is_found else None)


def test_ids_may_stand_before_a_label(tmp_path):
    long = [f"scan{number}_{label}" for number in range(4) for label in ("mild", "severe")]
    found = ids_of(tmp_path, [f"scan{number}.png" for number in range(4)], row=long, value=["0"] * 8)
    assert found == Ids("row", 1.0, ("mild", "severe"), is_long=True)


def test_ids_may_stand_before_the_channel_of_a_file(tmp_path):
    files = [f"cell{number}_{channel}.png" for number in range(4) for channel in ("blue", "green", "red")]
    found = ids_of(tmp_path, files, cell=[f"cell{number}" for number in range(4)], label=["a", "b", "a", "c"])
    assert found == Ids("cell", 1.0, ("red", "green", "blue"))


def test_other_columns_that_name_images_are_listed(tmp_path):
    scans = [f"scan{number}" for number in range(6)]
    found = ids_of(tmp_path, [f"{name}.png" for name in scans], id=scans, file=[f"{name}.png" for name in scans])
    assert found == Ids("id", 1.0, others=("file",))
