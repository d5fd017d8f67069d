"""The answer of a leaderboard on the terminal."""

import numpy as np
import pandas as pd
import pytest

from medfold.commands.shared.show_result import show_result
from medfold.submission import LeaderboardResult


@pytest.mark.parametrize(
    ("status", "text"), [("scored", ", scored submission 3 of this leaderboard"), ("pending", ""), ("error", "")]
)
def test_scored_submissions_are_counted(small, capsys, status, text):
    outcome = LeaderboardResult(status, lines=[("public", "0.91234")])
    show_result(small, outcome, num_scored_before=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["public     0.91234", f"ledger     submissions/ledger.csv{text}"]
    assert lines[2].strip() == "For research and competitions, not for the diagnosis of patients."


def test_own_row_of_the_ranking_is_shown_with_three_digits(small, capsys):
    ranking = pd.DataFrame({"net": ["ResNet", "this submission"], "AUC": [0.91237, np.nan]})
    show_result(small, LeaderboardResult("scored", ranking=ranking, own_row=1), num_scored_before=0)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[:3]]
    assert lines == [["net", "AUC"], ["ResNet", "0.912"], ["this", "submission"]]
