"""The search for leaks: split groups, duplicates, contradicting labels, train images in test."""

import numpy as np
import pandas as pd

from medfold.folds.leaks import LeakReport, find_leaks
from medfold.images import ONE_VALUE_PREFIX

TRAIN = pd.DataFrame(
    {
        "id": list("abcdefg"),
        "group": [0, 0, 1, 1, 2, 3, 4],
        "fold": [0, 0, 1, 1, 0, 1, 0],
        "pixel_hash": ["h1", "h1", "h2", "h2", "h3", "h4", "h5"],
    }
)
TEST = pd.DataFrame({"id": ["x", "y", "z"], "pixel_hash": ["h9", "h4", "h2"]})


def test_duplicates_contradictions_and_leaks_are_found():
    found = find_leaks(TRAIN, TEST, np.array([1, 1, 0, 1, 0, 0, 1]))
    assert found.split_groups == []
    assert found.duplicates == [["a", "b"], ["c", "d"]]
    assert found.contradicting_duplicates == [["c", "d"]]
    assert found.duplicates_in_test == [["c", "z"], ["d", "z"], ["f", "y"]]
    assert found.table()["ids"].tolist() == ["a = b", "c = d", "c = d", "c = z", "d = z", "f = y"]
    assert found.counts() == {
        "split_groups": 0,
        "duplicates": 2,
        "contradicting_duplicates": 1,
        "duplicates_in_test": 3,
    }


def test_split_groups_are_found():
    found = find_leaks(TRAIN.assign(fold=[0, 1, 1, 1, 0, 1, 2]), TEST, np.zeros(7, int))
    assert found.split_groups == [0]


def test_labels_contradict_if_any_of_several_differs():
    labels = np.zeros((7, 2), int)
    labels[1, 1] = 1
    assert find_leaks(TRAIN, TEST, labels).contradicting_duplicates == [["a", "b"]]


def test_clean_data_has_no_leaks():
    clean = TRAIN.assign(pixel_hash=list("abcdefg"))
    assert set(find_leaks(clean, TEST, np.zeros(7, int)).counts().values()) == {0}


def test_images_of_one_value_are_counted_not_duplicates():
    air = TRAIN.assign(pixel_hash=[f"{ONE_VALUE_PREFIX}{number}" for number in range(4)] + list("efg"))
    found = find_leaks(air, TEST, np.zeros(7, int))
    assert (found.duplicates, found.counts()["images_of_one_value"]) == ([], 4)
    assert found.images_of_one_value == [["a"], ["b"], ["c"], ["d"]]


def test_table_of_leaks_holds_every_copy():
    copies = [[f"{component}-{number:03}" for number in range(500)] for component in "abcde"]
    table = LeakReport([], copies, [], []).table()
    assert len(table) == 5
    assert table["ids"].str.count("=").tolist() == [499] * 5


def test_near_duplicates_in_folds_and_across_train_and_test_are_found():
    pairs = [("a", "b"), ("a", "c"), ("x", "e"), ("f", "z"), ("x", "y")]  # the last one is within the test set
    found = find_leaks(TRAIN, TEST, np.zeros(7, int), pairs)
    assert found.near_duplicates == [["a", "b"], ["a", "c"]]
    assert found.split_near_duplicates == [["a", "c"]]
    assert found.near_duplicates_in_test == [["e", "x"], ["f", "z"]]
    assert found.table().set_index("kind").loc["near_duplicates_in_test", "ids"].tolist() == ["e ~ x", "f ~ z"]
