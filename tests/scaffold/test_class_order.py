"""Order of classes: the negative one first, numbers by their value."""

import pytest

from medfold.scaffold.class_order import is_healthy, negative_first, sort_classes


@pytest.mark.parametrize("name", ["normal", "No_Tumor", "non-cancer", "Healthy Control", "N"])
def test_word_for_healthy_is_found_in_a_name(name):
    assert is_healthy(name)


@pytest.mark.parametrize("name", ["abnormal", "nodule", "tumor", "north", ""])
def test_word_for_healthy_is_not_a_part_of_a_word(name):
    assert not is_healthy(name)


def test_two_healthy_classes_keep_their_order():
    assert negative_first(["sick", "normal"]) == ["normal", "sick"]
    assert negative_first(["normal", "benign"]) == ["normal", "benign"]


@pytest.mark.parametrize(
    "expected", [["9", "10"], ["-1", "0", "2", "10"], ["2", "10", "10a", "b"], ["A", "a"], ["1.5", "10.5", "9.5"], []]
)
def test_classes_are_sorted_by_number_then_by_name(expected):
    assert sort_classes(reversed(expected)) == expected
