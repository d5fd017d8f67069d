"""Submissions: what is uploaded, its checks, and what is recorded about it.

- `draft`: a submission before the upload;
- `message`: the message of a submission on Kaggle, with its content id;
- `table`: the table in the format of the sample submission;
- `cell_format`: decisions or probabilities, and the words;
- `build`: the table, checked;
- `check`: refuses what a leaderboard would refuse or score wrongly;
- `submit`: records a draft before its upload, and never uploads the same predictions twice;
- `ledger`: a row for every submission;
- `record`: the JSON file beside each submission;
- `earlier_submissions`: searches in the ledger;
- `score_comparison`: OOF scores beside leaderboard scores;
- `leaderboards/`: a class per kind of upload;
- `leaderboard_result`: the answer of a leaderboard.
"""

from medfold.submission.build import check_sample_submission, checked_submission
from medfold.submission.cell_format import explain_class_words
from medfold.submission.draft import draft_submission
from medfold.submission.earlier_submissions import content_id_of, find_scored_row
from medfold.submission.leaderboard_result import LeaderboardResult
from medfold.submission.leaderboards.kinds import leaderboard_of
from medfold.submission.leaderboards.leaderboard import Leaderboard, ScoreQuery
from medfold.submission.ledger import LedgerRow, read_ledger, read_rows
from medfold.submission.record import RecordedSubmission, read_record, record_result
from medfold.submission.score_comparison import SHOWN_COLUMNS, CompetitionScores, compare_scores
from medfold.submission.submit import AlreadySubmitted, record_draft, submit_recorded
from medfold.submission.table import describe_missing

__all__ = [
    "SHOWN_COLUMNS",
    "AlreadySubmitted",
    "CompetitionScores",
    "Leaderboard",
    "LeaderboardResult",
    "LedgerRow",
    "RecordedSubmission",
    "ScoreQuery",
    "check_sample_submission",
    "checked_submission",
    "compare_scores",
    "content_id_of",
    "describe_missing",
    "draft_submission",
    "explain_class_words",
    "find_scored_row",
    "leaderboard_of",
    "read_ledger",
    "read_record",
    "read_rows",
    "record_draft",
    "record_result",
    "submit_recorded",
]
