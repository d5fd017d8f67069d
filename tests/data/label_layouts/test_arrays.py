"""Label layout `arrays`: images and labels as arrays of one file."""

import numpy as np
import pytest

from medfold.data.label_layouts import LAYOUTS
from tests.support.helpers import competition_facts, refused


def arrays_file(path, labels_shape=(-1, 1), drop=None, classes=3):
    rng = np.random.default_rng(0)
    content = {}
    for part, count in (("train", 6), ("val", 3), ("test", 4)):
        content[f"{part}_images"] = rng.integers(0, 256, (count, 8, 8), dtype=np.uint8)
        content[f"{part}_labels"] = (np.arange(count) % classes).astype(np.uint8).reshape(labels_shape)
    content.pop(drop, None)
    path.mkdir(exist_ok=True)
    np.savez(path / "x.npz", **content)


ARRAYS = {"labels": {"layout": "arrays", "file": "x.npz", "targets": ["label"], "train_arrays": ["train", "val"]}}


@pytest.mark.parametrize("shape", [(-1, 1), (-1,)])
def test_arrays_join_train_and_val(tmp_path, shape):
    arrays_file(tmp_path / "raw", shape)
    train, test, solution = LAYOUTS["arrays"](competition_facts("multiclass", **ARRAYS), tmp_path / "raw")
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
    with refused(message):
        LAYOUTS["arrays"](competition_facts("multiclass", **ARRAYS), tmp_path / "raw")


def test_one_hot_arrays_give_classes_and_damaged_files_raise(tmp_path):
    path = tmp_path / "a.npz"
    images, marks = np.zeros((6, 8, 8), np.uint8), np.eye(3)[[0, 1, 2, 0, 1, 2]]
    np.savez_compressed(path, train_images=images, train_labels=marks, test_images=images, test_labels=marks)
    labels = {"layout": "arrays", "file": "a.npz", "targets": ["label"]}
    facts = competition_facts(task="multiclass", classes=["x", "y", "z"], labels=labels, score={"metric": "accuracy"})
    train, _, solution = LAYOUTS["arrays"](facts, tmp_path)
    assert train["label"].tolist() == ["x", "y", "z"] * 2
    assert solution["label"].tolist() == ["x", "y", "z"] * 2
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[80] ^= 0xFF
    for content in (whole[: len(whole) // 2], bytes(flipped), b"", b"no archive", whole[:-4]):
        path.write_bytes(content)
        with refused(r"a.npz: (damaged|not an array of numbers)"):
            LAYOUTS["arrays"](facts, tmp_path)
    np.savez(path, train_images=np.array([{}], object), train_labels=marks)
    with refused("not an array of numbers: an array of Python objects"):
        LAYOUTS["arrays"](facts, tmp_path)
    np.save(tmp_path / "single.npy", images)
    (tmp_path / "single.npy").rename(path)
    with refused("not an .npz archive but a single array"):
        LAYOUTS["arrays"](facts, tmp_path)


@pytest.mark.parametrize("array", ["train_images", "train_labels", "test_labels"])
def test_single_value_in_place_of_an_array_is_refused(tmp_path, array):
    arrays_file(tmp_path / "raw")
    with np.load(tmp_path / "raw" / "x.npz") as content:
        arrays = dict(content)
    np.savez(tmp_path / "raw" / "x.npz", **arrays | {array: np.array(1)})
    with refused(r"labels of shape \(\d, 1\), expected \(\d, 1\)"):
        LAYOUTS["arrays"](competition_facts("multiclass", **ARRAYS), tmp_path / "raw")
