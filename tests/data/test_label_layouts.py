"""Label layouts of tables and arrays: parts, mapped labels, long tables, lists, one-hot columns."""

import numpy as np
import pytest

from medfold.data.label_layouts import LAYOUTS, read_test_table
from medfold.errors import UserError
from tests.support import dicom_files
from tests.support.helpers import competition, picture

NUMBERS = range(8)


@pytest.fixture
def raw(tmp_path):
    for number in NUMBERS:
        picture(tmp_path / "images" / f"{number}.png", seed=number)
    return tmp_path


def facts(images=None, **labels):
    labels = {"file": "table.csv", "id": "id", "targets": ["sick"], **labels}
    images = {"train": "images/{id}.png", "channels": 1, **(images or {})}
    return competition("binary", labels=labels, images=images, upload="local")


def rows_of(raw, split, sick):
    rows = [f"{number},{split[number]},{sick[number]}" for number in NUMBERS]
    (raw / "table.csv").write_text("\n".join(["id,split,sick", *rows]) + "\n")


PARTS = ["train", "Train", "training", "train", "val", "test", "test", "Testing"]
SICK = ["0", "1", "1.0", " 0", "1", "0", "1", "1"]


def test_part_column_splits_rows_and_hides_test_labels(raw, capsys):
    rows_of(raw, PARTS, SICK)
    train, test, solution = LAYOUTS["wide"](facts(part="split"), raw)
    assert train["id"].tolist() == list("01234")
    assert train["sick"].tolist() == list("01101")
    assert (test["id"].tolist(), "sick" in test) == (list("567"), False)
    assert solution[["id", "sick"]].to_numpy().tolist() == [["5", "0"], ["6", "1"], ["7", "1"]]
    told = " ".join(capsys.readouterr().out.split())
    assert "by column 'split': 5 rows to train on, 1 of the validation part among them, 3 to test on" in told


def test_validation_part_is_the_test_part_if_there_is_none(raw):
    rows_of(raw, ["train"] * 5 + ["val"] * 3, [*SICK[:5], "", "", ""])
    train, test, solution = LAYOUTS["wide"](facts(part="split"), raw)
    assert (len(train), len(test), solution) == (5, 3, None)
    alone = read_test_table(facts(part="split"), raw)  # as a notebook meets it
    assert alone.to_numpy().tolist() == test[["id", "image", "unit"]].to_numpy().tolist()


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (["train"] * 6 + ["", "test"], "row 8, column 'split': found nothing, which is not a part"),
        (["fold1"] * 8, "row 2, column 'split': found fold1, which is not a part"),
        (["train"] * 8, "column 'split' has rows of train only"),
        (["test"] * 8, "column 'split' has rows of test only"),
    ],
)
def test_unusable_part_column_raises(raw, split, message):
    rows_of(raw, split, SICK)
    with pytest.raises(UserError, match=message):
        LAYOUTS["wide"](facts(part="split"), raw)


def test_id_in_several_parts_is_refused(raw):
    rows_of(raw, PARTS, SICK)
    with (raw / "table.csv").open("a") as file:
        file.write("0,test,0\n")
    with pytest.raises(UserError, match="1 id in several parts: 0"):
        LAYOUTS["wide"](facts(part="split", repeated="same"), raw)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"holdout": 0.2}, "'labels.part' and 'labels.holdout' both define the test part"),
        ({"test": "test.csv"}, "'labels.part' and 'labels.test' both define"),
        ({"layout": "long", "value": "sick"}, "'labels.part' is for tables with a row for each image"),
        ({"layout": "one_hot", "map": {"?": "0"}}, "'labels.map' has no meaning for labels.layout one_hot"),
    ],
)
def test_part_column_that_contradicts_other_facts_is_refused(more, message):
    with pytest.raises(ValueError, match=message):
        facts(part="split", **more)


def test_label_map_translates_values_or_drops_rows(raw, capsys):
    rows_of(raw, PARTS, ["-1", "1", "-1.0", "?", "1", "", "0", " 1"])
    meaning = {-1: 0, "?": None, "": None}
    train, test, solution = LAYOUTS["wide"](facts(part="split", map=meaning), raw)
    assert train[["id", "sick"]].to_numpy().tolist() == [["0", "0"], ["1", "1"], ["2", "0"], ["4", "1"]]
    assert (test["id"].tolist(), solution["sick"].tolist()) == (["6", "7"], ["0", "1"])
    told = " ".join(capsys.readouterr().out.split())
    assert "1 of 5 rows are left out because labels.map maps their labels to null" in told
    with pytest.raises(UserError, match=r"row 5, column 'sick': found \?, expected one of 0, 1.*labels.map: ..\?.: 0"):
        LAYOUTS["wide"](facts(part="split", map={-1: 0}), raw)


def test_label_map_to_unknown_class_is_refused():
    with pytest.raises(ValueError, match="'labels.map' maps a value to 'ill', which is not one of 0, 1"):
        facts(part="split", map={"?": "ill"})


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


def test_folders_take_groups_from_pattern_fields_or_headers(tmp_path):
    for number in range(6):
        made = dicom_files.dataset(dicom_files.smooth((16, 16), seed=number), PatientID=f"P{number // 2}")
        folder = tmp_path / ("normal", "sick", "unclear")[number // 2] / f"case{number // 2}"
        folder.mkdir(parents=True, exist_ok=True)
        dicom_files.save(folder / f"{number}.dcm", made)
    images = {"train": "{label}/{case}/{id}.dcm", "headers": ["PatientID"]}
    labels = {"layout": "folders", "file": "", "holdout": 0.5, "map": {"normal": 0, "sick": 1, "unclear": None}}
    train, *_ = LAYOUTS["folders"](facts(images, group="case", **labels), tmp_path)
    assert (train["id"].tolist(), train["sick"].tolist()) == (list("0123"), list("0011"))
    assert train["patient"].tolist() == ["train case0"] * 2 + ["train case1"] * 2
    train, *_ = LAYOUTS["folders"](facts(images, group="PatientID", **labels), tmp_path)
    assert train["patient"].tolist() == ["P0", "P0", "P1", "P1"]
    with pytest.raises(UserError, match="no field of images.train and no header is called 'lesion'"):
        LAYOUTS["folders"](facts(images, group="lesion", **labels), tmp_path)


def test_list_labels_ignore_case_and_follow_the_map(tmp_path):
    for number in range(3):
        picture(tmp_path / "images" / f"{number}.png", seed=number)
    (tmp_path / "table.csv").write_text("id,found\n0,Mass|edema\n1,Tumor\n2,mass|unclear\n")
    labels = {"layout": "lists", "file": "table.csv", "value": "found", "targets": ["Mass", "Edema"], "separator": "|"}
    labels |= {"holdout": 0.3, "map": {"Tumor": "Mass", "unclear": None}}
    made = competition("multilabel", labels=labels, images={"train": "images/{id}.png", "channels": 1}, upload="local")
    train, *_ = LAYOUTS["lists"](made, tmp_path)
    assert train[["id", "Mass", "Edema"]].to_numpy().tolist() == [["0", "1", "1"], ["1", "1", "0"]]


def test_images_are_found_by_the_end_of_their_path(tmp_path, capsys):
    for number in range(4):
        picture(tmp_path / "train" / f"{number}.png", seed=number)
    rows = "".join(f"/content/drive/train/{number}.png,{number % 2}\n" for number in range(4))
    (tmp_path / "table.csv").write_text("id,sick\n" + rows)
    train, *_ = LAYOUTS["wide"](facts({"train": "{id}"}, holdout=0.5), tmp_path)
    assert train["image"].tolist() == [f"train/{number}.png" for number in range(4)]
    told = " ".join(capsys.readouterr().out.split())
    assert "4 images are found by the end of the path: /content/drive/train/0.png is train/0.png" in told


def test_test_part_without_a_table_is_all_matching_files(raw):
    for number in (7, 8):
        picture(raw / "test" / f"{number:05}.png", seed=number)
    (raw / "table.csv").write_text("id,sick\n" + "".join(f"{number},{number % 2}\n" for number in range(6)))
    train, test, solution = LAYOUTS["wide"](facts({"test": "test/{id}.png"}), raw)
    assert (len(train), test["id"].tolist(), solution) == (6, ["00007", "00008"], None)
    with pytest.raises(UserError, match="no test image matches probe/{id}.png. Folders found: ., images, test"):
        LAYOUTS["wide"](facts({"test": "probe/{id}.png"}), raw)


def test_repeated_rows_of_a_long_table_are_refused(raw):
    (raw / "table.csv").write_text("id,present\n0_a,1\n0_b,0\n0_a,0\n")
    labels = {"layout": "long", "file": "table.csv", "value": "present", "targets": ["a", "b"], "holdout": 0.5}
    images = {"train": "images/{id}.png", "channels": 1}
    with pytest.raises(UserError, match="1 row appears more than once: 0_a. Set labels.repeated"):
        LAYOUTS["long"](competition("multilabel", labels=labels, images=images, upload="local"), raw)


def arrays_file(path, labels_shape=(-1, 1), drop=None, classes=3):
    rng = np.random.default_rng(0)
    content = {}
    for part, count in (("train", 6), ("val", 3), ("test", 4)):
        content[f"{part}_images"] = rng.integers(0, 256, (count, 8, 8), dtype=np.uint8)
        content[f"{part}_labels"] = (np.arange(count) % classes).astype(np.uint8).reshape(labels_shape)
    content.pop(drop, None)
    path.mkdir(exist_ok=True)
    np.savez(path / "x.npz", **content)


ARRAYS = {"labels": {"layout": "arrays", "file": "x.npz", "targets": ["label"], "train": ["train", "val"]}}


@pytest.mark.parametrize("shape", [(-1, 1), (-1,)])
def test_arrays_join_train_and_val(tmp_path, shape):
    arrays_file(tmp_path / "raw", shape)
    train, test, solution = LAYOUTS["arrays"](competition("multiclass", **ARRAYS), tmp_path / "raw")
    assert train["id"].tolist()[5:8] == ["train00005", "val00000", "val00001"]
    assert train["image"].iloc[6] == "x.npz#val_images/0"
    assert train["label"].tolist() == ["0", "1", "2", "0", "1", "2", "0", "1", "2"]
    assert "label" not in test
    assert solution["label"].tolist() == ["0", "1", "2", "0"]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"drop": "val_labels"}, "no array 'val_images' or 'val_labels'"),
        ({"labels_shape": (1, -1)}, r"labels of shape \(1, 6\), expected \(6, 1\)"),
        ({"classes": 4}, "found 3, expected one of 0, 1, 2"),
    ],
)
def test_faulty_arrays_raise(tmp_path, made, message):
    arrays_file(tmp_path / "raw", **made)
    with pytest.raises(UserError, match=message):
        LAYOUTS["arrays"](competition("multiclass", **ARRAYS), tmp_path / "raw")


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
    return raw, competition("multilabel", labels={**labels, "repeated": "same"}, submission=submission)


def test_long_rows_become_columns_by_the_longest_label(long):
    raw, facts = long
    train, test, _ = LAYOUTS["long"](facts, raw)
    assert train[["id", "kind", "any_kind"]].to_numpy().tolist() == [["ID_1", "0", "1"], ["ID_2", "1", "1"]]
    assert test["id"].tolist() == ["ID_3"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("ID_2_kind,0", "1 id has rows with different labels: ID_2 kind"),
        ("ID_2_sort,0", "row 7: 'ID_2_sort' is not <id>_<label>"),
        ("ID_2_kind,2", "row 7, column 'Label': found 2"),
        ("ID_4_kind,0", "1 id has no row for some of the labels: ID_4"),
    ],
)
def test_faulty_long_rows_raise(long, row, message):
    raw, facts = long
    (raw / "train.csv").write_text((raw / "train.csv").read_text() + f"{row}\n")
    with pytest.raises(UserError, match=message):
        LAYOUTS["long"](facts, raw)


def test_lists_of_labels_become_columns(tmp_path):
    raw = tmp_path / "raw"
    for name in ("train/a", "train/b", "train/c", "test/d"):
        for channel in ("red", "green"):
            picture(raw / f"{name}_{channel}.png")
    (raw / "train.csv").write_text("Id,Target\na,2 0\nb,\nc,1\n")
    (raw / "sample.csv").write_text("Id,Predicted\nd,0\n")
    facts = competition(
        "multilabel",
        labels={"layout": "lists", "file": "train.csv", "id": "Id", "value": "Target", "targets": [0, 1, 2]},
        images={"train": "train/{id}_{channel}.png", "test": "test/{id}_{channel}.png", "channels": ["red", "green"]},
        submission={"sample": "sample.csv", "id": "Id", "layout": "lists"},
    )
    train, *_ = LAYOUTS["lists"](facts, raw)
    assert train[["0", "1", "2"]].to_numpy().tolist() == [["1", "0", "1"], ["0", "0", "0"], ["0", "1", "0"]]
    assert train["image"].iloc[0] == "train/a_red.png|train/a_green.png"
    (raw / "train" / "b_green.png").unlink()
    with pytest.raises(UserError, match="1 image is missing: train/b_green.png"):
        LAYOUTS["lists"](facts, raw)
    (raw / "train.csv").write_text("Id,Target\na,2 7\n")
    with pytest.raises(UserError, match="row 2, column 'Target': unknown label '7'"):
        LAYOUTS["lists"](facts, raw)


def test_label_that_contains_the_separator_is_refused():
    labels = {"targets": ["Mass", "Pleural fluid"]}
    with pytest.raises(ValueError, match="a list separated by ' ' cannot contain 'Pleural fluid'"):
        competition("multilabel", labels=labels, submission={"layout": "lists"}, score={"metric": "macro_f1"})
    labels["separator"] = "|"
    competition("multilabel", labels=labels, submission={"layout": "lists"}, score={"metric": "macro_f1"})


def test_one_hot_columns_give_one_class_per_image(tmp_path):
    raw = tmp_path / "raw"
    rows = ["1,0,0", "0,1.0,0", " 0,False,TRUE"]
    for number in range(3):
        picture(raw / f"i{number}.png", seed=number)
    header = "image,mel,nv,bcc\n"
    (raw / "train.csv").write_text(header + "".join(f"i{number},{row}\n" for number, row in enumerate(rows)))
    labels = {"layout": "one_hot", "file": "train.csv", "id": "image", "targets": ["label"], "holdout": 0.3}
    facts = competition(
        task="multiclass",
        classes=["mel", "nv", "bcc"],
        labels=labels,
        images={"train": "{id}.png"},
        score={"metric": "accuracy"},
    )
    train, test, _ = LAYOUTS["one_hot"](facts, raw)
    assert (train["label"].tolist(), test) == (["mel", "nv", "bcc"], None)
    (raw / "train.csv").write_text(header + "i0,1,1,0\ni1,0,0,0\ni2,0,0,1\n")
    with pytest.raises(
        UserError, match="train.csv: 2 rows do not have one 1 and else 0 in mel, nv, bcc: i0, i1. With several"
    ):
        LAYOUTS["one_hot"](facts, raw)


def test_one_hot_arrays_give_classes_and_damaged_files_raise(tmp_path):
    path = tmp_path / "a.npz"
    images, marks = np.zeros((6, 8, 8), np.uint8), np.eye(3)[[0, 1, 2, 0, 1, 2]]
    np.savez_compressed(path, train_images=images, train_labels=marks, test_images=images, test_labels=marks)
    labels = {"layout": "arrays", "file": "a.npz", "targets": ["label"]}
    facts = competition(task="multiclass", classes=["x", "y", "z"], labels=labels, score={"metric": "accuracy"})
    train, _, solution = LAYOUTS["arrays"](facts, tmp_path)
    assert train["label"].tolist() == ["x", "y", "z"] * 2
    assert solution["label"].tolist() == ["x", "y", "z"] * 2
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[80] ^= 0xFF
    for content in (whole[: len(whole) // 2], bytes(flipped), b"", b"no archive", whole[:-4]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"a.npz: (damaged|not an array of numbers)"):
            LAYOUTS["arrays"](facts, tmp_path)
    np.savez(path, train_images=np.array([{}], object), train_labels=marks)
    with pytest.raises(UserError, match="not an array of numbers: an array of Python objects"):
        LAYOUTS["arrays"](facts, tmp_path)
    np.save(tmp_path / "single.npy", images)
    (tmp_path / "single.npy").rename(path)
    with pytest.raises(UserError, match="not an .npz archive but a single array"):
        LAYOUTS["arrays"](facts, tmp_path)
