"""Label layout `long`: a row per image and label."""

import pytest

from medfold.data.label_layouts import LAYOUTS
from tests.support.helpers import competition_facts, picture, refused


def test_repeated_rows_of_a_long_table_are_refused(raw):
    (raw / "table.csv").write_text("id,present\n0_a,1\n0_b,0\n0_a,0\n")
    labels = {"layout": "long", "file": "table.csv", "value": "present", "targets": ["a", "b"], "holdout": 0.5}
    images = {"train": "images/{id}.png", "channels": 1}
    with refused("1 row appears more than once: 0_a. Write how to merge them: labels.repeated: same, max or majority"):
        LAYOUTS["long"](competition_facts("multilabel", labels=labels, images=images, upload="none"), raw)


@pytest.fixture
def long(tmp_path):
    raw = tmp_path / "raw"
    for name in ("train/ID_1", "train/ID_2", "test/ID_3"):
        picture(raw / f"{name}.png")
    rows = ["ID_1_any_kind,1", "ID_1_kind,0", "ID_2_kind,1", "ID_2_any_kind,1", "ID_2_kind,1"]
    (raw / "train.csv").write_text("\n".join(["ID,Label", *rows, ""]))
    (raw / "sample.csv").write_text("ID,Label\nID_3_kind,0.5\nID_3_any_kind,0.5\n")
    labels = {"layout": "long", "file": "train.csv", "id": "ID", "value": "Label", "targets": ["kind", "any_kind"]}
    submission = {"sample": "sample.csv", "id": "ID", "layout": "long"}
    return raw, competition_facts("multilabel", labels={**labels, "repeated": "same"}, submission=submission)


def test_long_rows_become_columns_by_the_longest_label(long):
    raw, facts = long
    train, test, _ = LAYOUTS["long"](facts, raw)
    assert train[["id", "kind", "any_kind"]].to_numpy().tolist() == [["ID_1", "0", "1"], ["ID_2", "1", "1"]]
    assert test["id"].tolist() == ["ID_3"]


def test_id_of_which_one_label_is_mapped_to_null_is_left_out(long, capsys):
    raw, facts = long
    (raw / "train.csv").write_text((raw / "train.csv").read_text().replace("ID_1_kind,0", "ID_1_kind,?"))
    facts = facts.model_copy(update={"labels": facts.labels.model_copy(update={"map": {"?": None}})})
    train, _, _ = LAYOUTS["long"](facts, raw)
    assert train["id"].tolist() == ["ID_2"]
    assert "2 of 5 rows are left out" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("ID_2_kind,0", r"1 id has rows with different labels: ID_2 kind \('Label' is . in row \d, . in row \d\)"),
        ("ID_2_sort,0", "row 7: 'ID_2_sort' is not <id>_<label>"),
        ("ID_2_kind,2", "row 7, column 'Label': found 2"),
        ("ID_4_kind,0", "1 id has no row for some of the labels: ID_4"),
    ],
)
def test_faulty_long_rows_raise(long, row, message):
    raw, facts = long
    (raw / "train.csv").write_text((raw / "train.csv").read_text() + f"{row}\n")
    with refused(message):
        LAYOUTS["long"](facts, raw)
