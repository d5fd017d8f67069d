"""Names in any writing system and of any length inside the English of the page."""

import pytest

from medfold.report.names import is_long, isolate, join_names, text_width


@pytest.mark.parametrize("name", ["benign", "Größe", "恶性肿瘤", "3", 3, "", "опухоль"])
def test_left_to_right_name_is_unchanged(name):
    assert isolate(name) == str(name)


@pytest.mark.parametrize("name", ["שפיר", "ورم خبيث", "stage שני", "٣"])
def test_right_to_left_name_is_isolated(name):
    assert isolate(name) == f"\u2068{name}\u2069"


def test_listed_isolates_each_name():
    assert join_names(["a", "שפיר", "b"]) == "a, \u2068שפיר\u2069, b"


def test_double_width_letters_count_twice():
    assert [text_width(name) for name in ("abc", "恶性", "שפיר", "ｱ")] == [3, 4, 4, 1]
    assert (is_long("a" * 44), is_long("a" * 45), is_long("恶" * 22), is_long("恶" * 23)) == (False, True, False, True)
