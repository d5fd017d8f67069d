"""Files of an unknown competition, sorted by what they may be."""

import numpy as np

from medfold.scaffold.raw_folder import RawFolder
from tests.support.drafts import pictures, table, write_images
from tests.support.helpers import picture, refused


def test_files_are_sorted_by_what_they_may_be(tmp_path):
    write_images(tmp_path, "train/a{n}.png", "test/t{n}.png", "train/a{n}_mask.png")
    np.savez(tmp_path / "arrays.npz", a=np.zeros(2))
    for name in ("train.csv", "test/names.csv", "sample_submission.csv"):
        table(tmp_path, name, "id,label", "a0,1")
    table(tmp_path, "old/sample_submission.csv", "id,label", "a0,0.5")
    (tmp_path / "damaged.xlsx").write_text("x")
    folder = RawFolder.from_path(tmp_path)
    assert len(folder.files) == 18 + 6
    assert len(folder.image_files.files) == 12
    assert folder.arrays == ["arrays.npz"]
    assert folder.train_tables == ["damaged.xlsx", "old/sample_submission.csv", "train.csv"]
    assert folder.test_tables == ["test/names.csv"]
    assert folder.sample_path == "sample_submission.csv"
    path, content = folder.read_sample_submission()
    assert (path, content.to_dict("list")) == ("sample_submission.csv", {"id": ["a0"], "label": ["1"]})
    with refused("damaged.xlsx: not a readable table"):
        folder.read_table("damaged.xlsx")


def test_validation_table_is_the_test_table_only_without_another_test_set(tmp_path):
    for name in ("train.csv", "valid.csv", "latest.csv"):
        table(tmp_path, name, "id,label", "a0,1")
    folder = RawFolder.from_path(tmp_path)
    assert (folder.train_tables, folder.test_tables) == (["latest.csv", "train.csv"], ["valid.csv"])
    assert folder.read_sample_submission() is None
    table(tmp_path, "sample_submission.csv", "id,label", "t0,1")
    assert RawFolder.from_path(tmp_path).test_tables == []
    table(tmp_path, "test.csv", "id", "t0")
    assert RawFolder.from_path(tmp_path).test_tables == ["test.csv"]


def test_folder_that_repeats_the_files_beside_it_is_a_copy(tmp_path):
    pictures(tmp_path, "normal/a{n}.png", "sick/b{n}.png", count=2)
    for path in list(tmp_path.rglob("*.png")):
        copy = tmp_path / "all" / path.relative_to(tmp_path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    folder = RawFolder.from_path(tmp_path)
    assert folder.copies == ["all"]
    assert folder.files == ["normal/a000.png", "normal/a001.png", "sick/b000.png", "sick/b001.png"]
    picture(tmp_path / "all" / "sick" / "c.png")
    folder = RawFolder.from_path(tmp_path)
    assert (folder.copies, len(folder.files)) == ([], 9)
