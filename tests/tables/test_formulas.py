"""What a spreadsheet would run as a formula."""

import pytest

from medfold.tables.formulas import is_formula


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "-", "=HYPERLINK(1)"])
def test_formulas_are_recognised(text):
    assert is_formula(text)


@pytest.mark.parametrize("text", ["", "a=1", "-5", "+3.5", "-.5e3", "1-2", "x@y", "patient+1"])
def test_numbers_and_names_are_no_formulas(text):
    assert not is_formula(text)
