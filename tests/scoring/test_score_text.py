"""Scores as text: undefined ones, those without an interval, and what an OOF score covers."""

from dataclasses import replace

import pytest

from medfold.scoring import Difference
from medfold.scoring.score_text import describe_score, format_difference, format_score, format_score_and_interval
from tests.support.helpers import an_oof_score, competition_facts

NAN = float("nan")
SCORE = an_oof_score(value=0.95123, low=0.9, high=0.99, more_metrics={"accuracy": None})


@pytest.mark.parametrize(
    ("value", "low", "expected"),
    [
        (0.95123, 0.9, "AUC 0.9512 (95 % interval 0.9000 to 0.9900)"),
        (0.95123, NAN, "AUC 0.9512 (no interval)"),
        (0.95123, None, "AUC 0.9512 (no interval)"),
        (NAN, 0.9, "AUC undefined"),
        (None, None, "AUC undefined"),
    ],
)
def test_score_has_its_interval_if_both_are_defined(value, low, expected):
    assert format_score_and_interval("AUC", value, low, 0.99) == expected


def test_score_has_four_digits_unless_fewer_are_asked_for():
    assert [format_score(0.95123), format_score(0.95123, 2), format_score(NAN)] == ["0.9512", "0.95", "undefined"]


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (Difference(0.0123, -0.001, 0.0256, 0.9), "+0.0123 (-0.0010 to +0.0256)"),
        (Difference(-0.0123, NAN, NAN, NAN), "-0.0123 (no interval)"),
        (Difference(NAN, NAN, NAN, NAN), "undefined"),
    ],
)
def test_difference_has_a_sign(difference, expected):
    assert format_difference(difference) == expected


def test_oof_score_says_what_it_covers():
    text = describe_score(competition_facts(), SCORE, 1500)
    score = "AUC 0.9512 (95 % interval 0.9000 to 0.9900), accuracy undefined"
    assert text.startswith(f"{score}, covers 2 of {competition_facts().folds.k} folds, 1,000 of 1,500 samples")


def test_optimistic_score_says_so():
    text = describe_score(competition_facts(), replace(SCORE, is_optimistic=True), 1000)
    assert text.endswith(", OPTIMISTIC: epochs were chosen on the scored folds")
