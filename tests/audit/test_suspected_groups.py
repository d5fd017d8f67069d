"""Suspected groups: columns, parts of ids and folders that may be patients."""

import numpy as np
import pandas as pd
import pytest

from medfold.audit.suspected_groups import find_suspected_groups


def suspected(columns=None, ids=None, images=None, n=200, fold=None):
    ids = pd.Series(ids if ids is not None else [f"{number:05}" for number in range(n)])
    images = pd.Series(images) if images is not None else "images/" + ids + ".png"
    fold = np.arange(len(ids)) % 5 if fold is None else fold
    return find_suspected_groups(ids, images, pd.DataFrame(columns or {}, index=ids.index), fold)


PAIRS = [f"HAM_{number // 2:07}" for number in range(200)]


def test_column_of_recurring_values_is_suspected():
    (lesion,) = suspected({"lesion_id": PAIRS, "age": [f"{40 + n % 30}" for n in range(200)], "sex": list("MF") * 100})
    assert (lesion.name, lesion.setting) == ("lesion_id", "labels.group: lesion_id")
    assert (lesion.num_values, lesion.num_shared_images, lesion.num_split_values) == (100, 200, 100)
    (other,) = suspected({"code": PAIRS})
    assert other.name == "code"


def test_column_with_a_frequent_value_is_suspected_only_by_its_name():
    values = ["big" if n < 150 else f"p{n}" for n in range(200)]
    assert [each.name for each in suspected({"patient": values})] == ["patient"]
    assert not suspected({"code": values})


@pytest.mark.parametrize(
    "values",
    [
        [f"{number:07}" for number in range(200)],  # unique
        [f"{number // 2 / 7:.3f}" for number in range(200)],  # measured
        ["GE", "Philips"] * 100,  # a category
        ["", *["x1"] * 2, *[""] * 197],  # mostly empty
    ],
    ids=["unique", "measured", "a category", "mostly empty"],
)
def test_columns_with_other_values_are_not_suspected(values):
    assert not suspected({"code": values})


@pytest.mark.parametrize(
    "name",
    ["Patient Age", "view_position", "study date", "sex", "SeriesDescription", "BodyPartExamined"],
)
def test_attributes_of_patients_are_not_suspected(name):
    assert not suspected({name: PAIRS})


@pytest.mark.parametrize(
    ("id_of", "name"),
    [
        (lambda number: f"P{number // 4:03}_{number % 4}", "the first part of the ids"),
        (lambda number: f"CNV-{1000 + number // 4}-{number % 4}", "the first 2 parts of the ids"),
        (lambda number: f"SOB_B_A-14-{number // 4}AB-40-{number % 4}", "the first 5 parts of the ids"),
    ],
    ids=["1", "2", "5"],
)
def test_first_parts_of_ids_are_suspected(id_of, name):
    (first,) = suspected(ids=map(id_of, range(200)))
    assert (first.name, first.num_values, first.num_split_values) == (name, 50, 50)


def test_suspected_parts_of_ids_have_a_group_pattern():
    (first,) = suspected(ids=[f"CNV-{1000 + number // 4}-{number % 4}" for number in range(200)])
    assert first.setting == 'labels.group_pattern: "(?:[^_. -]+[_. -]+)[^_. -]+"'


@pytest.mark.parametrize("id_of", ["train_{:04}".format, "{:04}_x".format], ids=["prefix", "suffix"])
def test_equal_or_unique_parts_of_ids_are_not_suspected(id_of):
    assert not suspected(ids=map(id_of, range(200)))


def test_folders_of_images_are_suspected():
    images = [f"images/{number // 4:03}/{number}.png" for number in range(200)]
    assert [each.name for each in suspected(images=images)] == ["the folder of an image"]
    deep = [f"images/patient{number // 4:03}/study1/{number % 4}.png" for number in range(200)]
    assert [(each.name, each.num_values) for each in suspected(images=deep)] == [("folders of level 2", 50)]


def test_folders_of_classes_are_not_suspected():
    assert not suspected(images=[f"class{number % 2}/{number}.png" for number in range(200)])


def test_groups_within_one_fold_are_not_suspected():
    assert not suspected({"lesion_id": PAIRS}, fold=np.arange(200) // 2 % 5)


def test_named_columns_come_first_and_then_those_of_most_images():
    few = [PAIRS[number] if number < 60 else f"u{number}" for number in range(200)]
    columns = {"code": PAIRS, "patient_code": few, "lesion_id": PAIRS}
    assert [each.name for each in suspected(columns)] == ["lesion_id", "patient_code", "code"]
