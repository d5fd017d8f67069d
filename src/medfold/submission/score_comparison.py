"""OOF scores of the submissions of a competition, compared with their leaderboard scores."""

from dataclasses import dataclass

import pandas as pd

from medfold.submission.ledger import SCORE_COLUMNS, LedgerRow

# Columns of the ledger.
SHOWN_COLUMNS = ["time", "runs", "trained_folds", "oof", "oof_low", "oof_high", "public", "private", "status"]
MIN_SCORES = 3  # submissions with both scores that a rank correlation needs


@dataclass(frozen=True)
class CompetitionScores:
    """Scores of the submissions of one competition.

    Args:
        competition: name of the competition.
        metric: name of its metric.
        submissions: rows of the ledger that were scored by this metric: `time`, `runs`, `trained_folds`, `oof`,
            `oof_low`, `oof_high`, `public`, `private`, `status`; scores are None while unknown.
        num_not_comparable: number of submissions that were scored by a different metric.
        rank_correlation: Spearman's, of OOF and public scores; None with fewer than three different scores.
    """

    competition: str
    metric: str
    submissions: list[dict[str, str | float | None]]
    num_not_comparable: int
    rank_correlation: float | None


def compare_scores(competition: str, metric: str, rows: list[LedgerRow]) -> CompetitionScores:
    """Compares the OOF and leaderboard scores of the submissions of a competition that one metric scored.

    Args:
        competition: name of the competition.
        metric: name of its metric.
        rows: its submissions, by any metric.
    """
    compared = [row for row in rows if row.metric == metric]
    submissions = []
    for row in compared:
        values = {**row.cells(), **{column: getattr(row, column) for column in SCORE_COLUMNS}}
        submissions.append({column: values[column] for column in SHOWN_COLUMNS})
    pairs = pd.DataFrame(submissions, columns=SHOWN_COLUMNS)[["oof", "public"]].astype(float).dropna()
    is_defined = len(pairs) >= MIN_SCORES and not (pairs.nunique() < 2).any()
    correlation = float(pairs["oof"].corr(pairs["public"], method="spearman")) if is_defined else None
    return CompetitionScores(competition, metric, submissions, len(rows) - len(compared), correlation)
