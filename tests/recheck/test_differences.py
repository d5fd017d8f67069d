"""Differences that a recheck has found, also of damaged files."""

from zipfile import BadZipFile

import pytest

from medfold.errors import UserError
from medfold.recheck.differences import collect_differences


def found_before(error):
    yield "oof.csv differs"
    raise error


def test_differences_are_listed_in_their_order():
    assert collect_differences(iter(["first", "second"])) == ["first", "second"]


@pytest.mark.parametrize(
    ("error", "difference"),
    [
        (UserError("damaged (empty)", "oof.csv", "Restore it"), "oof.csv: damaged (empty)"),
        (BadZipFile("cut\n off"), "its files do not fit together (BadZipFile: cut off)"),
        (KeyError("fold"), "its files do not fit together (KeyError: 'fold')"),
    ],
)
def test_damaged_file_counts_as_one_difference(error, difference):
    assert collect_differences(found_before(error)) == ["oof.csv differs", difference]


def test_other_errors_are_raised():
    with pytest.raises(ZeroDivisionError):
        collect_differences(found_before(ZeroDivisionError()))
