"""Label layout `wide`: a row per image, a column per target."""

import pytest

from medfold.data.label_layouts import LAYOUTS
from tests.support.helpers import picture, refused


def test_wide_reads_labels_patients_and_images(wide):
    raw, facts = wide
    train, test, solution = LAYOUTS["wide"](facts, raw)
    assert train[["id", "image", "patient", "target", "sex"]].to_numpy().tolist() == [
        ["a", "train/a.png", "p1", "0", "F"],
        ["b", "train/b.png", "p1", "1", "F"],
        ["c", "train/c.png", "p2", "1", "M"],
    ]
    assert test["id"].tolist() == ["e", "d"]
    assert solution is None


@pytest.mark.parametrize(
    ("break_raw_data", "message"),
    [
        (lambda raw: (raw / "train/b.png").unlink(), "1 image is missing: train/b.png"),
        (lambda raw: (raw / "test/e.png").unlink(), "1 image is missing: test/e.png"),
        (lambda raw: (raw / "train.csv").unlink(), "train.csv: no such file"),
        (
            lambda raw: (raw / "train.csv").write_text("id,patient,sex,targets\na,p1,F,0\n"),
            "no column 'target' .did you",
        ),
        (lambda raw: (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\nb,p1,F,2\n"), "row 3.*found 2"),
        (lambda raw: (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\nb,p1,F,\n"), "found nothing"),
        (lambda raw: (raw / "train.csv").write_text(""), "not a readable table"),
        (lambda raw: (raw / "sample.csv").write_text("image,target\nd,0\n"), "no column 'id'"),
    ],
)
def test_faulty_raw_data_is_refused(wide, break_raw_data, message):
    raw, facts = wide
    break_raw_data(raw)
    with refused(message) as caught:
        LAYOUTS["wide"](facts, raw)
    assert "\n" not in str(caught.value)


REPEATED = "id,reader,target\na,1,0\na,2,1\na,3,1\nb,1,1\nb,2,0\nc,1,0\nc,1,0\n"


@pytest.fixture
def read_repeated(wide):
    """Returns a function that reads a table with several rows of an id, as `labels.repeated` says."""
    raw, facts = wide

    def read(how, more_rows=""):
        (raw / "train.csv").write_text(REPEATED + more_rows)
        labels = facts.labels.model_copy(update={"repeated": how, "group": None, "keep_columns": ()})
        return LAYOUTS["wide"](facts.model_copy(update={"labels": labels}), raw)[0]

    return read


@pytest.mark.parametrize(("how", "more_rows"), [("max", ""), ("majority", "c,4,0\n")])
def test_repeated_rows_are_joined_as_labels_repeated_says(read_repeated, how, more_rows):
    train = read_repeated(how, more_rows)
    assert train[["id", "target"]].to_numpy().tolist() == [["a", "1"], ["b", "1"], ["c", "0"]]


def test_repeated_rows_that_differ_are_refused_where_they_must_be_the_same(read_repeated):
    with refused(r"2 ids have rows with different labels: a, b \('target' is 0 in row 2, 1 in row 3\)\. Choose"):
        read_repeated("same")


def test_repeated_rows_are_left_for_the_sample_table_to_refuse(read_repeated):
    assert read_repeated("refuse")["id"].duplicated().sum() == 4


def test_repeated_rows_that_agree_are_merged(wide):
    raw, facts = wide
    (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\na,p1,M,0\nb,p1,F,1\nc,p2,M,1\n")
    facts = facts.model_copy(update={"labels": facts.labels.model_copy(update={"repeated": "same"})})
    train = LAYOUTS["wide"](facts, raw)[0]
    assert train[["id", "sex", "target"]].to_numpy().tolist() == [["a", "F", "0"], ["b", "F", "1"], ["c", "M", "1"]]


def test_images_without_label_are_left_out_with_a_warning(wide, capsys):
    raw, facts = wide
    picture(raw / "train/x.png")
    assert LAYOUTS["wide"](facts, raw)[0]["id"].tolist() == ["a", "b", "c"]
    assert "1 image has no label, left out: train/x.png" in capsys.readouterr().out
