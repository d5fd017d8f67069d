"""OOF and leaderboard scores of submissions, compared by their ranks."""

import pytest

from medfold.submission import LedgerRow
from medfold.submission.score_comparison import SHOWN_COLUMNS, compare_scores


def rows(*pairs: tuple[float, float | None], metric: str = "auc") -> list[LedgerRow]:
    return [
        LedgerRow(runs=(f"run{number}",), metric=metric, oof=oof, public=public)
        for number, (oof, public) in enumerate(pairs)
    ]


def test_only_submissions_by_the_metric_are_compared():
    found = compare_scores("small", "auc", rows((0.9, None)) + rows((0.3, 0.2), (0.4, 0.1), metric="log_loss"))
    assert (found.competition, found.metric, found.num_not_comparable) == ("small", "auc", 2)
    (submission,) = found.submissions
    assert list(submission) == SHOWN_COLUMNS
    assert (submission["runs"], submission["oof"], submission["public"]) == ("run0", 0.9, None)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(0.1, 0.4), (0.2, 0.5), (0.3, 0.6)], 1),
        ([(0.1, 0.6), (0.2, 0.5), (0.3, 0.4), (0.9, None)], -1),
        ([(0.1, 0.4), (0.2, 0.5)], None),
        ([(0.1, 0.4), (0.1, 0.5), (0.1, 0.6)], None),
        ([], None),
    ],
    ids=["alike", "reversed", "two", "equal OOF scores", "no submission"],
)
def test_rank_correlation_needs_three_scores_that_differ(pairs, expected):
    assert compare_scores("small", "auc", rows(*pairs)).rank_correlation == (expected and pytest.approx(expected))
