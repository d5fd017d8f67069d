"""The group of a draft: columns, folders or headers of patients."""

import re

import pandas as pd
import pytest

from medfold.scaffold import Draft
from medfold.scaffold.group_facts import MANY_ROWS, MIN_GROUPS, group_by_column, group_by_pattern
from tests.support import dicom_files
from tests.support.drafts import drafted, facts_and_doubts, pictures, rows, table, write_table


def test_patient_id_is_preferred_as_group(tmp_path):
    text = rows("id,Patient Age,Patient ID,label", lambda row: f"{row},{row % 7},P{row // 3},{row % 2}")
    facts, _ = drafted(write_table(tmp_path, text))
    assert facts["labels"]["group"] == "Patient ID"


def test_patient_age_is_not_used_as_group(tmp_path):
    text = rows("id,Patient Age,Patient Sex,label", lambda row: f"{row},{row % 7},{'MF'[row % 2]},{row % 2}")
    facts, report = drafted(write_table(tmp_path, text))
    assert "group" not in facts["labels"]
    assert "labels.group: patients unknown" in report


def test_folders_named_in_a_column_are_groups_not_classes(tmp_path):
    for study in range(6):
        pictures(tmp_path, f"images/s{study}/i{study}{{n}}.png", count=4)
    rows = [f"s{study},i{study}{n:03},{study % 3}" for study in range(6) for n in range(4)]
    table(tmp_path, "annotations.csv", "study_id,image_id,breast_birads", *rows)
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == ["breast_birads"]
    assert facts["labels"]["group"] == "study_id"


@pytest.mark.parametrize("end", ["", ".dicom"])
@pytest.mark.parametrize("how", ["table", "folders"])
def test_patient_ids_of_dicom_headers_are_the_groups(tmp_path, how, end):
    rows = ["image,label"]
    for number in range(12):
        made = dicom_files.dataset(dicom_files.smooth((16, 16), seed=number), PatientID=f"P{number // 3}")
        folder = "scans" if how == "table" else ("normal", "sick")[number // 3 % 2]
        (tmp_path / folder).mkdir(exist_ok=True)
        dicom_files.save(tmp_path / folder / f"1.2.840.{number}{end}", made)
        rows.append(f"1.2.840.{number},{number // 3 % 2}")
    if how == "table":
        table(tmp_path, "labels.csv", *rows)
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["labels"]["group"], facts["images"]["dicom_headers"]) == ("PatientID", ["PatientID"])
    assert facts["images"]["train"] == ("scans/{id}" if how == "table" else "{label}/{id}") + end


def test_column_of_few_patients_is_a_group_or_a_doubt(tmp_path):
    pictures(tmp_path, "images/{n}.png", count=40)
    table(tmp_path, "labels.csv", "image,patient,label", *(f"{n:03},p{n % 4},{n % 2}" for n in range(40)))
    assert facts_and_doubts(tmp_path)[0]["labels"]["group"] == "patient"
    table(tmp_path, "labels.csv", "image,patient,label", *(f"{n:03},p{n % 2},{n // 2 % 2}" for n in range(40)))
    facts, said = facts_and_doubts(tmp_path)
    assert "group" not in facts["labels"]
    assert "column 'patient' has 2 values in 40 rows: unclear whether each is a patient" in said


def test_patient_folders_in_paths_give_a_group_pattern(tmp_path):
    pictures(tmp_path, *(f"train/patient{p:05}/study1/view{{n}}.jpg" for p in range(6)), count=3)
    rows = [f"CheX/train/patient{p:05}/study1/view{n:03}.jpg,{p % 2}" for p in range(6) for n in range(3)]
    table(tmp_path, "train.csv", "Path,Edema", *rows)
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["group_pattern"] == r"(?:.*/)?(?P<group>patient\d+)/"


@pytest.mark.parametrize(
    ("column", "num_values", "num_rows", "is_group"),
    [
        ("patient", 3, MANY_ROWS + 1, True),
        ("patient", 2, MANY_ROWS + 1, False),
        ("patient", 2, MANY_ROWS, True),
        ("lesion", MIN_GROUPS, MANY_ROWS + 1, True),
        ("lesion", MIN_GROUPS - 1, MANY_ROWS + 1, False),
        ("lesion", MIN_GROUPS - 1, MANY_ROWS, True),
    ],
)
def test_few_values_in_many_rows_are_categories(column, num_values, num_rows, is_group):
    draft = Draft({"labels": {}})
    values = [f"v{number % num_values}" for number in range(num_rows)]
    assert group_by_column(draft, pd.DataFrame({column: values}), []) is is_group
    assert draft.facts["labels"] == ({"group": column} if is_group else {})
    assert len(draft.doubts) == (0 if is_group else 1)


@pytest.mark.parametrize(("used", "num_values"), [(["patient"], 5), ([], 1), ([], 10)], ids=["used", "one", "unique"])
def test_columns_that_are_used_or_group_nothing_are_left_out(used, num_values):
    draft = Draft({"labels": {}})
    table = pd.DataFrame({"patient": [f"v{number % num_values}" for number in range(10)]})
    assert group_by_column(draft, table, used) is False
    assert (draft.facts["labels"], draft.doubts) == ({}, [])


@pytest.mark.parametrize(
    ("ids", "id", "group"),
    [
        (["patient01/a", "patient02/b"], "patient07/c", "patient07"),
        (["x/sub-1/a", "y/sub-2/b"], "z/sub-3/a", "sub-3"),
        (["a_left", "a_right"], "b_left", "b"),
        (["a_L", "b_R"], "c_R", "c"),
        (["a_left", "a"], None, None),
        (["patient01/a", "case02/b"], None, None),
    ],
)
def test_folders_of_patients_and_sides_become_a_pattern(ids, id, group):
    draft = Draft({"labels": {}})
    assert group_by_pattern(draft, pd.Series(ids)) is (group is not None)
    if group is not None:
        pattern = draft.facts["labels"]["group_pattern"]
        assert re.match(pattern, id)["group"] == group
