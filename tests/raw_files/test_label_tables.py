"""Labels in tables: spellings of classes."""

import pandas as pd
import pytest

from medfold.raw_files import label_tables
from tests.support.helpers import competition_facts, refused


def checked(values: list[str], **facts) -> list[str]:
    table = pd.DataFrame({"target": values})
    label_tables.check_classes(table, "target", competition_facts(**facts), "labels.csv")
    return table["target"].tolist()


def test_labels_that_differ_by_case_or_spaces_are_merged(capsys):
    classes = ["Normal", "Pneumonia"]
    assert checked(["normal", " Normal", "Pneumonia ", "PNEUMONIA"], classes=classes) == [
        "Normal",
        "Normal",
        "Pneumonia",
        "Pneumonia",
    ]
    said = capsys.readouterr().out
    assert "target: 4 values are read as a class in spite of other case or spaces" in said
    assert checked(["0", "1.0", "1", "0.0"]) == ["0", "1", "1", "0"]
    assert capsys.readouterr().out == ""


def test_classes_that_differ_by_case_are_kept_apart():
    assert checked(["a", "A", "b"], task="multiclass", classes=["a", "A", "b"]) == ["a", "A", "b"]
    assert checked(["1.0", "2.0", "1.0"], classes=["1.0", "2.0"]) == ["1.0", "2.0", "1.0"]
    with refused("row 2, column 'target': found B, expected one of a, A, b"):
        checked(["B"], task="multiclass", classes=["a", "A", "b"])


def test_many_unknown_values_raise_for_the_first_row():
    table = pd.DataFrame({"target": [f"{number / 7:.9f}" for number in range(100_000)]})
    with refused("row 2, column 'target': found 0.000000000"):
        label_tables.check_classes(table, "target", competition_facts(), "labels.csv")


@pytest.mark.parametrize(
    ("values", "fix"),
    [
        (
            ["benign", "malignant"],
            r"Correct it; or set classes: \[benign, malignant\], the positive one last; or map",
        ),
        (["0", ""], r"Fill it in; or leave these images out: labels.map: \{.*: null\}"),
        (["0", "1", "20"], r"Correct it; or map it: labels.map: \{.20.: <0 or 1>\}, or null"),
    ],
)
def test_unknown_class_says_what_to_do(values, fix):
    with refused(fix):
        label_tables.check_classes(pd.DataFrame({"target": values}), "target", competition_facts(), "labels.csv")
