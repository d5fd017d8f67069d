"""The task and the classes, from the values of the target columns."""

import pytest

from medfold.scaffold import draft_facts
from tests.support.drafts import drafted, facts_and_doubts, pictures, rows, table, write_labelled, write_table
from tests.support.helpers import refused


@pytest.mark.parametrize(
    ("values", "task", "names", "separator"),
    [
        (["tumor", "no tumor"], "binary", ["no tumor", "tumor"], None),
        (["No Finding", "Pneumonia"], "binary", ["No Finding", "Pneumonia"], None),
        (["Basal cell carcinoma", "Melanoma", "Benign nevus"], "multiclass", None, None),
        (["nodule|mass (lung)", "mass (lung)", "nodule"], "multilabel", ["mass (lung)", "nodule"], "|"),
        (["A|B", "A", "No Finding"], "multilabel", ["A", "B", "No Finding"], "|"),
        (["x; y", "x", "y; z", "z"], "multilabel", ["x", "y", "z"], ";"),
        (["['a', 'b']", "['a']", "['b', 'c']", "['a', 'c']"], "multilabel", ["a", "b", "c"], ","),
        (["0 1", "1", "2 0", "0 1 2", "2"], "multilabel", ["0", "1", "2"], " "),
    ],
)
def test_text_labels_become_classes_or_label_lists(tmp_path, values, task, names, separator):
    text = rows("id\tlabel", lambda row: f"{row}\t{values[row % len(values)]}")
    facts, _ = drafted(write_table(tmp_path, text))
    assert facts["task"] == task
    if task == "multilabel":
        assert facts["labels"]["targets"] == names
        assert facts["labels"].get("separator", " ") == separator
    elif names:
        assert facts["classes"] == names


def test_one_hot_columns_become_classes(tmp_path):
    write_labelled(
        tmp_path,
        "image,sex,MEL,NV,BCC",
        [f"{n % 2},{int(n % 3 == 0)},{int(n % 3 == 1)},{int(n % 3 == 2)}" for n in range(9)],
    )
    facts, report = drafted(tmp_path)
    assert (facts["task"], facts["classes"]) == ("multiclass", ["MEL", "NV", "BCC"])
    assert facts["labels"] | {"holdout": 0.2} == {
        "file": "train.csv",
        "layout": "one_hot",
        "id": "image",
        "targets": ["label"],
        "holdout": 0.2,
    }
    assert "labels.layout: one_hot (3 columns, one of them 1 in each row" in report


def test_other_binary_columns_become_labels(tmp_path):
    write_labelled(tmp_path, "image,age,N,D,G", [f"{40 + n},{n % 2},{n // 2 % 2},{n // 4 % 2}" for n in range(9)])
    facts, _ = drafted(tmp_path)
    assert (facts["task"], facts["labels"]["targets"]) == ("multilabel", ["N", "D", "G"])


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        ("id,boneage,male", lambda n: f"{30 + 7 * n},{n % 2 == 0}", "boneage"),
        ("id,target", lambda n: f"{n / 7:.3f}", "target"),
        ("id,sex,score_label", lambda n: f"{'MF'[n % 2]},{1000 - 3 * n}", "score_label"),
    ],
)
def test_numeric_targets_raise_as_regression(tmp_path, header, row, column):
    write_labelled(tmp_path, header, [row(n) for n in range(30)])
    with refused(f"column '{column}' has 30 different numbers: regression"):
        draft_facts(tmp_path)


def test_unlabelled_rows_are_dropped_and_case_is_ignored(tmp_path):
    pictures(tmp_path, "images/a{n}.png")
    words = ["Yes", "no", "YES", "", "no", "Yes"]
    table(tmp_path, "labels.csv", "image,label", *(f"a{n:03},{words[n % 6]}" for n in range(12)))
    found = draft_facts(tmp_path)
    assert (found.facts["classes"], found.facts["labels"]["map"]) == (["no", "Yes"], {"": None})
    reasons = {key: why for key, _, why in found.reasons[::-1]}
    assert reasons["labels.map"] == "2 of 12 rows have no label: they are left out"
    assert reasons["classes"] == "YES differ from them by case only: the same classes"


def test_empty_and_minus_one_cells_are_mapped_and_reported(tmp_path):
    pictures(tmp_path, "train/a{n}.png")
    rows = [f"a{n:03},{['', '1.0', '-1.0'][n % 3]},{['0.0', ''][n % 2]},{n % 2}.0" for n in range(12)]
    table(tmp_path, "train.csv", "image,Edema,Mass,Fracture", *[row.replace(",0.0,", ",1.0,", 2) for row in rows])
    facts, said = facts_and_doubts(tmp_path)
    assert (facts["task"], facts["labels"]["targets"]) == ("multilabel", ["Edema", "Mass", "Fracture"])
    assert facts["labels"]["map"] == {"": "0", "-1": "1"}
    assert "10 empty cells are read as 0 and 4 cells of -1 (uncertain?) are read as 1; use null to leave" in said


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [((-1, 1), "binary", ["-1", "1"]), ((1, 2, 3, 4), "ordinal", ["1", "2", "3", "4"])],
    ids=["signs", "grades from 1"],
)
def test_numeric_classes_are_in_order(tmp_path, values, task, classes):
    pictures(tmp_path, "a{n}.png")
    table(tmp_path, "labels.csv", "image,label", *(f"a{n:03},{values[n % len(values)]}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["task"], facts["classes"]) == (task, classes)


def test_two_word_values_are_classes_and_eyes_are_not_channels(tmp_path):
    pictures(tmp_path, "images/{n}_left.png", "images/{n}_right.png")
    views = ("left CC", "left MLO", "left LM", "right CC", "right MLO", "right LM")
    table(tmp_path, "labels.csv", "image,view_class", *(f"{n:03}_left,{views[n % 6]}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["task"], facts["classes"]) == ("multiclass", sorted(views))
    table(tmp_path, "labels.csv", "patient,label", *(f"{n:03},{n % 2}" for n in range(12)))
    with refused("no column has the names of the 24 images"):
        draft_facts(tmp_path)
