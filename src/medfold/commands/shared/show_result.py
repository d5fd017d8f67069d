"""Prints the answer of a leaderboard for `make submit`."""

from medfold.competition import RESEARCH_NOTICE, Competition
from medfold.project_root import display_path
from medfold.submission import LeaderboardResult
from medfold.terminal.console import print_table, say


def show_result(competition: Competition, result: LeaderboardResult, num_scored_before: int) -> None:
    """Prints the answer of a leaderboard: its lines, the submission among published scores, and the ledger.

    Args:
        competition: the competition; its ledger is named.
        result: the answer of the leaderboard.
        num_scored_before: number of earlier submissions of the competition that were scored.
    """
    for heading, value in result.lines:
        say(heading, value)
    if result.ranking is not None:
        marked = [result.own_row] if result.own_row is not None else []
        rows = result.ranking.astype(object).where(result.ranking.notna(), "").to_numpy().tolist()
        cells = [[f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row] for row in rows]
        print_table(result.ranking.columns, cells, marked)
    count_text = f", scored submission {num_scored_before + 1} of this leaderboard" if result.status == "scored" else ""
    say("ledger", f"{display_path(competition.project_paths.ledger)}{count_text}")
    say("", RESEARCH_NOTICE)
