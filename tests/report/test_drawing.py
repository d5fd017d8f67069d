"""Contents of figures: shades and width of a confusion table, the axis of intervals, pairs of images."""

import numpy as np
import pytest

from medfold.report.drawing import (
    MAX_COUNTED_CLASSES,
    CaptionedImage,
    ConfusionTable,
    Drawing,
    ImageRow,
    Interval,
    IntervalTable,
    title_attribute,
)
from medfold.report.names import MAX_SHORT_WIDTH


def test_shades_are_shares_of_the_row_in_nine_steps():
    table = ConfusionTable(np.array([[3, 1], [0, 0]]), ["no", "yes"])
    assert table.shades == [[6, 2], [0, 0]]
    assert ConfusionTable(np.array([[5, 0], [9, 9]]), ["no", "yes"]).shades == [[8, 0], [4, 4]]


@pytest.mark.parametrize(
    ("names", "shows_names", "is_wide"),
    [
        (["no", "yes"], True, False),  # 5 + 5 for two columns, 3 for the row
        (["a" * 7, "b" * 7], True, False),  # 21 letters
        (["a" * 7, "b" * 8], True, True),  # 23
        (["a" * 20, "b" * 20], True, True),  # 60
        (["a" * 20, "b" * 21], False, True),  # 62
        (["病" * 10, "b" * 20], True, True),  # a Chinese letter takes the width of two
        ([*"abcde"], True, True),  # 26: a count takes five letters
        (["病" * 11, "b" * 20], False, True),
    ],
)
def test_width_follows_from_the_letters_of_a_row(names, shows_names, is_wide):
    table = ConfusionTable(np.eye(2, dtype=int), names)
    assert (table.shows_names, table.is_wide) == (shows_names, is_wide)


def test_counts_are_shown_for_few_classes():
    for count, expected in ((MAX_COUNTED_CLASSES, True), (MAX_COUNTED_CLASSES + 1, False)):
        names = [str(number) for number in range(count)]
        assert ConfusionTable(np.eye(count, dtype=int), names).shows_counts is expected


def intervals(*values: tuple[float, float, float], overall: float) -> IntervalTable:
    return IntervalTable([Interval(f"row {n}", *row) for n, row in enumerate(values)], "AUC", overall)


def test_axis_holds_all_values_with_a_margin():
    table = intervals((0.6, 0.5, 0.7), (0.9, 0.8, 1.0), overall=0.75)
    assert table.position(0.75) == "50.00%"
    assert table.position(0.5) == "5.36%"  # 0.06 / 1.12
    assert table.position(1.0) == "94.64%"


def test_axis_ignores_undefined_values():
    table = intervals((0.5, np.nan, np.nan), (1.0, np.nan, np.nan), overall=0.75)
    assert table.position(0.5) == "5.36%"


def test_axis_of_a_single_value_has_a_width():
    table = intervals((0.7, 0.7, 0.7), overall=0.7)
    assert table.position(0.7) == "50.00%"
    assert table.position(0.2) == "0.00%"


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.3, 1.1, ["0.4", "0.6", "0.8", "1.0"]),
        (0.8, 0.96, ["0.80", "0.84", "0.88", "0.92", "0.96"]),
        (0.0, 1.0, ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        (0.7, 0.8, ["0.700", "0.725", "0.750", "0.775", "0.800"]),
        (-2.0, 3.0, ["-1.5", "0.0", "1.5", "3.0"]),
    ],
)
def test_ticks_have_as_many_digits_as_they_need(low, high, labels):
    assert [label for _, label in intervals((low, low, high), overall=high).ticks] == labels


def test_sheet_of_two_images_a_row_shows_pairs():
    image = CaptionedImage("data:", ["a"])
    pair, three = ImageRow("", [image] * 2), ImageRow("", [image] * 3)
    assert Drawing("a", "A", "text", sheet=[pair, pair]).shows_pairs is True
    assert Drawing("a", "A", "text", sheet=[pair, three]).shows_pairs is False


def test_only_long_names_have_a_title():
    assert title_attribute("a" * MAX_SHORT_WIDTH) == ""
    assert title_attribute("a" * (MAX_SHORT_WIDTH + 1)) == "a" * (MAX_SHORT_WIDTH + 1)
