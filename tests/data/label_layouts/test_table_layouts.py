"""What the layouts with a table share: the split column, mapped labels, ids in train and in test."""

import pytest

from medfold.data.label_layouts import LAYOUTS
from tests.support.helpers import picture, refused
from tests.support.label_tables import SICK, SPLITS, facts, rows_of


def test_split_column_divides_rows_and_hides_test_labels(raw, capsys):
    rows_of(raw, SPLITS, SICK)
    train, test, solution = LAYOUTS["wide"](facts(split="split"), raw)
    assert train["id"].tolist() == list("01234")
    assert train["sick"].tolist() == list("01101")
    assert (test["id"].tolist(), "sick" in test) == (list("567"), False)
    assert solution[["id", "sick"]].to_numpy().tolist() == [["5", "0"], ["6", "1"], ["7", "1"]]
    told = " ".join(capsys.readouterr().out.split())
    assert "by column 'split': 5 rows to train on, 1 of the validation set among them, 3 to test on" in told


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (["train"] * 6 + ["", "test"], "row 8, column 'split': found nothing, which is not a split"),
        (["fold1"] * 8, "row 2, column 'split': found fold1, which is not a split"),
        (["train"] * 8, "column 'split' has rows of train only"),
        (["test"] * 8, "column 'split' has rows of test only"),
    ],
)
def test_unusable_split_column_is_refused(raw, split, message):
    rows_of(raw, split, SICK)
    with refused(message):
        LAYOUTS["wide"](facts(split="split"), raw)


def test_id_in_several_parts_is_refused(raw):
    rows_of(raw, SPLITS, SICK)
    with (raw / "table.csv").open("a") as file:
        file.write("0,test,0\n")
    with refused("1 id in several splits: 0"):
        LAYOUTS["wide"](facts(split="split", repeated="same"), raw)


@pytest.mark.parametrize("upload", ["none", "csv"])
def test_labels_of_a_test_table_are_a_solution_for_the_local_leaderboard_only(tmp_path, upload):
    for part, numbers in (("train", "0123"), ("test", "45")):
        for number in numbers:
            picture(tmp_path / part / f"{number}.png", seed=int(number))
    (tmp_path / "table.csv").write_text("id,sick\n0,0\n1,1\n2,0\n3,1\n")
    (tmp_path / "test.csv").write_text("id,sick\n4,0\n5,1\n")
    images = {"train": "train/{id}.png", "test": "test/{id}.png"}
    described = facts(images, test_file="test.csv").model_copy(update={"upload": upload})
    _, test, solution = LAYOUTS["wide"](described, tmp_path)
    assert (test["id"].tolist(), "sick" in test) == (["4", "5"], False)
    if upload == "none":
        assert solution[["id", "sick", "usage"]].to_numpy().tolist() == [["4", "0", "Private"], ["5", "1", "Private"]]
    else:
        assert solution is None


def test_label_map_translates_values_or_drops_rows(raw, capsys):
    rows_of(raw, SPLITS, ["-1", "1", "-1.0", "?", "1", "", "0", " 1"])
    meaning = {-1: 0, "?": None, "": None}
    train, test, solution = LAYOUTS["wide"](facts(split="split", map=meaning), raw)
    assert train[["id", "sick"]].to_numpy().tolist() == [["0", "0"], ["1", "1"], ["2", "0"], ["4", "1"]]
    assert (test["id"].tolist(), solution["sick"].tolist()) == (["6", "7"], ["0", "1"])
    told = " ".join(capsys.readouterr().out.split())
    assert "1 of 5 rows are left out because labels.map maps their labels to null" in told
    message = r"row 5, column 'sick': found \?, expected one of 0, 1.*labels.map: ..\?.: <0 or 1>"
    with refused(message):
        LAYOUTS["wide"](facts(split="split", map={-1: 0}), raw)


def test_ids_shared_by_both_tables_get_a_folder_prefix(tmp_path, capsys):
    for part in ("train", "test"):
        for number in range(4):
            picture(tmp_path / part / f"{number}.png", seed=number)
    (tmp_path / "table.csv").write_text("id,sick\n" + "".join(f"{number},{number % 2}\n" for number in range(4)))
    (tmp_path / "test.csv").write_text("id\n0\n1\n")
    images = {"train": "train/{id}.png", "test": "test/{id}.png"}
    train, test, _ = LAYOUTS["wide"](facts(images, test="test.csv"), tmp_path)
    assert (train["id"].tolist(), test["id"].tolist()) == ([f"train/{number}" for number in range(4)], ["0", "1"])
    assert train["unit"].tolist() == train["id"].tolist()
    assert "2 ids are in train and test: training ids are prefixed with the folder: train/0" in capsys.readouterr().out
    images["test"] = "train/{id}.png"
    train, _, _ = LAYOUTS["wide"](facts(images, test="test.csv"), tmp_path)
    assert train["id"].tolist() == list("0123")  # the same images: a leak, which is refused
