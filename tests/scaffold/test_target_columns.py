"""The target columns of a label table."""

import pytest

from medfold.errors import UserError
from tests.support.drafts import drafted, facts_and_doubts, pictures, rows, table, write_labelled, write_table


def test_column_whose_values_are_sample_columns_is_target(tmp_path):
    text = rows("id,sex,dx", lambda row: f"{row},{'mf'[row % 2]},{('mel', 'nv', 'bkl')[row % 3]}")
    write_table(tmp_path, text)
    (tmp_path / "sample_submission.csv").write_text("id,bkl,mel,nv\n900,0,0,1\n")
    facts, report = drafted(tmp_path)
    assert facts["labels"]["targets"] == ["dx"]
    assert facts["task"] == "multiclass"
    assert sorted(facts["classes"]) == ["bkl", "mel", "nv"]
    assert "its values are columns of sample_submission.csv" in report


def test_ambiguous_label_column_is_reported(tmp_path):
    write_labelled(tmp_path, "id,smoker,coughs", [f"{n % 2},{n // 2 % 2}" for n in range(8)])
    facts, report = drafted(tmp_path)
    assert facts["labels"]["targets"] == ["smoker"]
    assert "labels.targets: unclear which of smoker, coughs is the label" in report


def test_binary_columns_are_all_targets_not_only_the_likeliest(tmp_path):
    pictures(tmp_path, "train/a{n}.png")
    rows = [f"a{n:03},{n % 2},{int(n % 3 == 0)},{int(n % 4 == 0)}" for n in range(12)]
    table(tmp_path, "train.csv", "image,Mass,Lung tumor,No finding", *rows)
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == ["Mass", "Lung tumor", "No finding"]


@pytest.mark.parametrize(
    ("column", "values"),
    [("lesion", "01"), ("exam", "01"), ("subject", ["healthy", "ill"]), ("case", ["case", "control"])],
)
@pytest.mark.parametrize("age", [False, True])
def test_column_named_like_a_group_is_the_label_if_its_values_are_classes(tmp_path, column, values, age):
    pictures(tmp_path, "images/a{n}.png", count=40)
    ages = [f",{n % 50}" if age else "" for n in range(40)]
    table(
        tmp_path,
        "labels.csv",
        f"image,{column}{',age' * age}",
        *(f"a{n:03},{values[n % 2]}{ages[n]}" for n in range(40)),
    )
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == [column]
    assert "group" not in facts["labels"]


def test_column_of_patient_ids_is_not_a_label(tmp_path):
    pictures(tmp_path, "images/a{n}.png", count=40)
    table(tmp_path, "labels.csv", "image,patient", *(f"a{n:03},P{n // 8}" for n in range(40)))
    with pytest.raises(
        UserError, match="no column of image, patient could be a label.* Rename the label column to 'label'"
    ):
        drafted(tmp_path)


CLASSES = "xyz"


@pytest.mark.parametrize(
    ("header", "row", "target"),
    [
        (
            "img_id,patient_id,skin_cancer_history,diagnostic",
            lambda n: f"a{n:03},P{n // 2},{n % 2},{CLASSES[n % 3]}",
            "diagnostic",
        ),
        ("image_id,dx,dx_type", lambda n: f"a{n:03},{CLASSES[n % 3]},{n % 2}", "dx"),
        (
            "Image name,Retinopathy grade,Risk of macular edema,,,",
            lambda n: f"a{n:03},{n % 5},{n % 3},,,",
            "Retinopathy grade",
        ),
        ("image,diagnosis,patient_smoker", lambda n: f"a{n:03},{CLASSES[n % 3]},{n % 2}", "diagnosis"),
    ],
)
def test_target_is_the_column_with_a_diagnosis_name(tmp_path, header, row, target):
    pictures(tmp_path, "images/a{n}.png", count=40)
    table(tmp_path, "labels.csv", header, *(row(n) for n in range(40)))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == [target]
    assert facts["labels"].get("group") in (None, "patient_id")


def test_label_without_the_name_of_one_is_a_doubt(tmp_path):
    write_labelled(tmp_path, "image,exam_date,site", [f"2020-01-{1 + n:02},{'AB'[n % 2]}" for n in range(12)])
    facts, said = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == ["site"]
    assert "labels.targets: no column is named like a label; site is used" in said
