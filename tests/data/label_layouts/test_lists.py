"""Label layout `lists`: a column that lists the labels of an image."""

from medfold.data.label_layouts import LAYOUTS
from tests.support.helpers import competition_facts, picture, refused
from tests.support.label_tables import other_labels


def test_list_labels_ignore_case_and_follow_the_map(tmp_path):
    for number in range(3):
        picture(tmp_path / "images" / f"{number}.png", seed=number)
    (tmp_path / "table.csv").write_text("id,found\n0,Mass|edema\n1,Tumor\n2,mass|unclear\n")
    labels = {"layout": "lists", "file": "table.csv", "value": "found", "targets": ["Mass", "Edema"], "separator": "|"}
    labels |= {"holdout": 0.3, "map": {"Tumor": "Mass", "unclear": None}}
    made = competition_facts(
        "multilabel", labels=labels, images={"train": "images/{id}.png", "channels": 1}, upload="none"
    )
    train, *_ = LAYOUTS["lists"](made, tmp_path)
    assert train[["id", "Mass", "Edema"]].to_numpy().tolist() == [["0", "1", "1"], ["1", "1", "0"]]


def test_lists_of_labels_become_columns(tmp_path):
    raw = tmp_path / "raw"
    for name in ("train/a", "train/b", "train/c", "test/d"):
        for channel in ("red", "green"):
            picture(raw / f"{name}_{channel}.png")
    (raw / "train.csv").write_text("Id,Target\na,2 0\nb,\nc,1\n")
    (raw / "sample.csv").write_text("Id,Predicted\nd,0\n")
    facts = competition_facts(
        "multilabel",
        labels={"layout": "lists", "file": "train.csv", "id": "Id", "value": "Target", "targets": [0, 1, 2]},
        images={"train": "train/{id}_{channel}.png", "test": "test/{id}_{channel}.png", "channels": ["red", "green"]},
        submission={"sample": "sample.csv", "id": "Id", "layout": "lists"},
    )
    train, *_ = LAYOUTS["lists"](facts, raw)
    assert train[["0", "1", "2"]].to_numpy().tolist() == [["1", "0", "1"], ["0", "0", "0"], ["0", "1", "0"]]
    assert train["image"].iloc[0] == "train/a_red.png|train/a_green.png"
    (raw / "train" / "b_green.png").unlink()
    with refused("1 image is missing: train/b_green.png"):
        LAYOUTS["lists"](facts, raw)
    (raw / "train.csv").write_text("Id,Target\na,2 7\n")
    with refused("row 2, column 'Target': unknown label '7'"):
        LAYOUTS["lists"](facts, raw)


def test_label_lists_can_have_another_separator(wide):
    raw, facts = other_labels(
        wide,
        "id,found\na,No Finding\nb,Mass|Pleural fluid\nc,\n",
        group=None,
        keep_columns=(),
        layout="lists",
        value="found",
        separator="|",
        targets=["Mass", "No Finding", "Pleural fluid"],
    )
    facts = facts.model_copy(update={"task": "multilabel"})
    train, _, _ = LAYOUTS["lists"](facts, raw)
    assert train[facts.labels.targets].to_numpy().tolist() == [["0", "1", "0"], ["1", "0", "1"], ["0", "0", "0"]]


def test_ignored_labels_of_a_list_have_no_column(wide):
    raw, facts = other_labels(
        wide,
        "id,found\na,no finding\nb,Mass|No Finding\nc,\n",
        group=None,
        keep_columns=(),
        layout="lists",
        value="found",
        separator="|",
        targets=["Mass", "Nodule"],
        ignore=["No Finding"],
    )
    train, _, _ = LAYOUTS["lists"](facts.model_copy(update={"task": "multilabel"}), raw)
    assert train[facts.labels.targets].to_numpy().tolist() == [["0", "0"], ["1", "0"], ["0", "0"]]
