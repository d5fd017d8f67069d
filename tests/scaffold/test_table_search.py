"""The search for the table of labels."""

import pandas as pd
import pytest

from medfold.errors import UserError
from medfold.scaffold import draft_facts
from medfold.scaffold.image_files import ImageFiles
from medfold.scaffold.table_search import find_labels
from tests.support.drafts import (
    drafted,
    facts_and_doubts,
    pictures,
    rows,
    table,
    write_images,
    write_labelled,
    write_table,
)
from tests.support.helpers import refused


def test_tables_are_sorted_by_what_they_are(tmp_path):
    pictures(tmp_path, "a{n}.png")
    table(tmp_path, "labels.csv", "image,label", *(f"a{n:03},{n % 2}" for n in range(12)))
    table(tmp_path, "ages.csv", "image,age", *(f"a{n:03},{n}" for n in range(12)))
    table(tmp_path, "sites.csv", "site,scanner", "A,GE")
    (tmp_path / "damaged.xlsx").write_text("x")
    (tmp_path / "notes.txt").write_bytes(b"\0")
    image_files = ImageFiles(tmp_path, [f"a{n:03}.png" for n in range(12)])
    paths = ["ages.csv", "damaged.xlsx", "labels.csv", "notes.txt", "sites.csv"]
    found = find_labels(image_files, paths)
    assert (found.best.path, found.best.ids.column) == ("labels.csv", "image")
    assert [other.path for other in found.others] == ["ages.csv"]
    assert (list(found.unmatched), list(found.unreadable)) == (["sites.csv"], ["damaged.xlsx"])
    assert find_labels(image_files, ["sites.csv", "damaged.xlsx"]).best is None
    with refused("damaged.xlsx: not a readable table"):
        find_labels(image_files, ["damaged.xlsx"])


def test_gzipped_latin_1_table_with_semicolons_is_read(tmp_path):
    import gzip

    text = rows("id;befund", lambda row: f"{row};{('gut', 'schön')[row % 2]}")
    write_table(tmp_path, "")
    (tmp_path / "train.csv").unlink()
    (tmp_path / "train.csv.gz").write_bytes(gzip.compress(text.encode("latin-1")))
    facts, _ = drafted(tmp_path)
    assert facts["labels"]["file"] == "train.csv.gz"
    assert facts["classes"] == ["gut", "schön"]


def test_label_table_without_image_names_is_refused(tmp_path):
    write_images(tmp_path, "left/{n}.png", "right/{n}.png")
    (tmp_path / "labels.csv").write_text("name,label\n" + "".join(f"scan{n},{n % 2}\n" for n in range(12)))
    with pytest.raises(
        UserError,
        match=r"labels.csv: 12 rows, .* the 12 images: .*name scan0, label 0",
    ):
        draft_facts(tmp_path)
    (tmp_path / "labels.csv").write_text("site,scanner\nA,GE\n")  # a table about something else
    assert drafted(tmp_path)[0]["classes"] == ["left", "right"]


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
def test_labels_in_excel_or_parquet_are_read(tmp_path, ending):
    write_labelled(tmp_path, "id,label", ["01", "02", "03"] * 4)
    table = pd.read_csv(tmp_path / "train.csv", dtype=str)
    (tmp_path / "train.csv").unlink()
    write = {"xlsx": table.to_excel, "parquet": table.to_parquet}[ending]
    write(tmp_path / f"train.{ending}", index=False)
    facts, _ = drafted(tmp_path)
    assert facts["labels"]["file"] == f"train.{ending}"
    assert facts["classes"] == ["01", "02", "03"]


def test_table_with_labels_is_preferred_to_lesion_table(tmp_path):
    pictures(tmp_path, "images/a{n}.png")
    table(tmp_path, "GroundTruth.csv", "image,melanoma", *(f"a{n:03},{n % 2}" for n in range(12)))
    table(tmp_path, "Meta.csv", "image,lesion_id", *(f"a{n:03},L{n // 2}" for n in range(12)))
    facts, said = facts_and_doubts(tmp_path)
    assert (facts["labels"]["file"], facts["labels"]["targets"]) == ("GroundTruth.csv", ["melanoma"])
    assert "Meta.csv has names of images, too: not used" in said


def test_labels_of_patients_instead_of_images_are_refused(tmp_path):
    for patient in range(8):
        pictures(tmp_path, f"train/{patient:05}/FLAIR/Image-{{n}}.png", count=4)
    table(tmp_path, "train_labels.csv", "id,value", *(f"{patient:05},{patient % 2}" for patient in range(8)))
    with refused("train_labels.csv: column 'id' has names of image folders, not of images"):
        draft_facts(tmp_path)


def test_list_of_class_folders_is_not_a_label_table(tmp_path):
    names = ("adenoma", "cyst", "normal", "stone", "tumor", "ulcer", "wart")
    pictures(tmp_path, *(f"{name}/{name}{{n}}.png" for name in names), count=3)
    table(tmp_path, "classes.csv", "name,number", *(f"{name},{number}" for number, name in enumerate(names)))
    assert facts_and_doubts(tmp_path)[0]["classes"] == list(names)


@pytest.mark.parametrize("end", [".png", ""], ids=["names", "stems"])
def test_table_without_header_is_refused(tmp_path, end):
    pictures(tmp_path, "a{n}.png")
    table(tmp_path, "labels.csv", *(f"a{n:03}{end},{n % 2}" for n in range(12)))
    with pytest.raises(
        UserError,
        match=f"header is missing.*a000{end}, 0.* such as: image,label",
    ):
        draft_facts(tmp_path)


def test_name_list_and_test_table_are_not_label_tables(tmp_path):
    pictures(tmp_path, "train/a{n}.png", "test/t{n}.png")
    table(tmp_path, "train/labels.csv", "image,label", *(f"a{n:03}.png,{n % 2}" for n in range(12)))
    table(tmp_path, "test/labels.csv", "image,label", *(f"t{n:03}.png,{n % 2}" for n in range(12)))
    table(tmp_path, "train_list.txt", "name", *(f"a{n:03}.png" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["labels"]["file"], facts["labels"]["test_file"]) == ("train/labels.csv", "test/labels.csv")
    assert (facts["images"]["train"], facts["images"]["test"]) == ("train/{id}", "test/{id}")


def test_table_named_after_labels_is_preferred_to_one_with_hardly_more_images(tmp_path):
    write_images(tmp_path, "images/{n}.png", "images/a{n}.png")
    names = [*range(6), *(f"a{number}" for number in range(6)), "missing"]
    table(
        tmp_path,
        "labels.csv",
        "image,diagnosis",
        *(f"{name},{'xy'[n % 2]}" for n, name in enumerate(names[:9])),
        "b,x",
    )
    table(tmp_path, "second_reader.csv", "image,reader,grade", *(f"{name},A,{n % 3}" for n, name in enumerate(names)))
    facts, said = facts_and_doubts(tmp_path)
    assert facts["labels"]["file"] == "labels.csv"
    other = "labels.file: second_reader.csv has names of images, too: not used. Columns: image, reader, grade"
    assert other in said
