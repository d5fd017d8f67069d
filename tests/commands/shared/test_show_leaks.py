"""Leaks as lines: none, counts with examples, near-duplicates in one or in several folds."""

from medfold.commands.shared.show_leaks import leak_lines, show_leaks
from medfold.folds import LeakReport

CLEAN = LeakReport(split_groups=[], duplicates=[], contradicting_duplicates=[], duplicates_in_test=[])


def test_clean_data_has_none(small, capsys):
    assert {value for _, value in leak_lines(CLEAN)} == {"none"}
    show_leaks(small, CLEAN)
    assert "all of them" not in capsys.readouterr().out


def test_leaks_are_printed_with_the_table_that_holds_all(small, capsys):
    show_leaks(small, LeakReport([3], [["a", "b"]], [], [["c", "z"]]))
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "audit groups in two folds 3",
        "exact duplicates in train 1, each in one fold: a = b",
        "duplicates with different labels none",
        "train images found in test 1: c = z",
        "all of them: data/small/leaks.csv",
    ]


def test_images_of_one_value_are_a_line_of_their_own():
    lines = dict(leak_lines(LeakReport([], [], [], [], images_of_one_value=[["a"], ["b"], ["c"], ["d"]])))
    assert lines["images of one value"] == "4, which are not copies of each other: a, b, c and 1 more"


def test_long_lists_of_leaks_are_shortened_to_a_count_and_examples():
    copies = [[f"{cluster}-{number:03}" for number in range(500)] for cluster in "abcde"]
    line = dict(leak_lines(LeakReport([], copies, [], [])))["exact duplicates in train"]
    assert line.startswith("5, each in one fold: a-000 = a-001 = a-002 and 497 more, b-000 = b-001")
    assert line.endswith("c-002 and 497 more and 2 more")
    assert len(line) < 250


def test_near_duplicates_in_several_folds_come_with_the_setting_that_joins_them():
    pairs = [["a", "b"], ["a", "c"]]
    lines = dict(leak_lines(LeakReport([], [], [], [], pairs, [["a", "c"]], [["e", "x"], ["f", "z"]])))
    split = "2 pairs, 1 of them in different folds (folds.duplicates: near joins them): a ~ b, a ~ c"
    assert lines["near-duplicates in train"] == split
    assert lines["near-duplicates of train in test"] == "2 pairs: e ~ x, f ~ z"


def test_near_duplicates_within_folds_need_no_advice():
    lines = dict(leak_lines(LeakReport([], [], [], [], [["a", "b"]], [], [])))
    assert lines["near-duplicates in train"] == "1 pair, each in one fold: a ~ b"
    assert lines["near-duplicates of train in test"] == "none"
    assert "near-duplicates in train" not in dict(leak_lines(CLEAN))
