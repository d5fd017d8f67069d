"""The section `images` of a draft: channels, frames, pages."""

import numpy as np
import tifffile

from medfold.scaffold import draft_facts
from tests.support.drafts import drafted, facts_and_doubts, table, write_images
from tests.support.helpers import picture


def test_few_grey_images_keep_three_channels(tmp_path):
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        write_images(tmp_path, f"{label}/{{n}}.png")
        for number in range(6, 30):
            picture(tmp_path / label / f"{number}.png", shape=(12, 10, 3), seed=int(rng.integers(999)))
    facts, report = drafted(tmp_path)
    assert facts["images"]["channels"] == 3
    assert "images examined are grey: do the colours of the others mean anything?" in report


def test_multi_page_tiffs_are_reported(tmp_path):
    write_images(tmp_path, "a/{n}.tif", "b/{n}.tif")
    pages = np.zeros((4, 8, 8), np.uint8)
    tifffile.imwrite(tmp_path / "a" / "0.tif", pages, photometric="minisblack")
    assert "images.frame: files have up to 4 pages" in drafted(tmp_path)[1]


def test_several_frames_in_array_files_are_reported(tmp_path):
    for number in range(6):
        path = tmp_path / ("a", "b")[number % 2] / f"{number}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, np.random.default_rng(number).integers(0, 255, (5, 20, 20), np.uint8))
    assert "images.frame: files have 5 pages or frames, and the first is used" in facts_and_doubts(tmp_path)[1]


def test_few_colour_images_among_grey_ones_are_found(tmp_path):
    for number in range(160):
        shape = (12, 10, 3) if 40 <= number < 45 else (12, 10)
        picture(tmp_path / "images" / f"{number:03}.png", seed=number, shape=shape)
    table(tmp_path, "labels.csv", "image,label", *(f"{n:03},{n % 2}" for n in range(160)))
    facts, said = facts_and_doubts(tmp_path)
    assert facts["images"]["channels"] == 3
    assert "155 of the 160 images examined are grey" in said


def test_rows_without_an_image_are_a_doubt(tmp_path):
    write_images(tmp_path, "images/{n}.png", "images/a{n}.jpg")
    names = [*range(6), *(f"a{number}" for number in range(6)), "missing"]
    table(tmp_path, "labels.csv", "image,label", *(f"{name},{n % 2}" for n, name in enumerate(names)))
    found = draft_facts(tmp_path)
    assert found.facts["images"]["train"] == ["images/{id}.jpg", "images/{id}.png"]
    what = "images.max_unreadable: 1 of 13 rows have no image; to leave them out, add max_unreadable: 0.08"
    assert what in map(str, found.doubts)
    assert found.num_images == 13


def test_images_of_a_long_table_are_counted_once(tmp_path):
    write_images(tmp_path, "images/ID_{n}.png", "images/ID_a{n}.png")
    names = [*range(6), *(f"a{number}" for number in range(6))]
    rows = [f"ID_{name}_{label},{n % 2}" for n, name in enumerate(names) for label in ("epidural", "any")]
    table(tmp_path, "train.csv", "ID,Label", *rows)
    found = draft_facts(tmp_path)
    assert (found.facts["labels"]["layout"], found.num_images) == ("long", 12)
