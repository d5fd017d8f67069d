"""Submissions: what is uploaded, its checks, and what is recorded about it.

- `draft`: a submission before the upload, its content id and message;
- `table`: the table in the format of the sample submission; `cell_format`: decisions or probabilities, and the words;
- `check`: refuses what a leaderboard would refuse or score wrongly;
- `ledger`: a row for every submission; `record`: the JSON file beside each;
- `score_comparison`: OOF scores beside leaderboard scores;
- `leaderboards/`: a class per kind of upload.
"""

from medfold.submission.cell_format import explain_words
from medfold.submission.check import check_better_than_chance, check_sample_submission, check_submission
from medfold.submission.draft import SubmissionDraft, draft_submission, write_draft
from medfold.submission.leaderboards.entry import Leaderboard, LeaderboardResult, SubmissionEntry
from medfold.submission.leaderboards.kinds import leaderboard_of
from medfold.submission.ledger import LedgerRow, find_scored_row, find_unlisted_submission, read_ledger, read_rows
from medfold.submission.record import (
    add_to_record,
    content_id_of,
    find_same_submission,
    ledger_row,
    read_record,
    record_result,
    submission_record,
)
from medfold.submission.score_comparison import SHOWN_COLUMNS, CompetitionScores, compare_scores
from medfold.submission.table import align_sample, build_submission, describe_missing, fill_missing

__all__ = [
    "SHOWN_COLUMNS",
    "CompetitionScores",
    "Leaderboard",
    "LeaderboardResult",
    "LedgerRow",
    "SubmissionDraft",
    "SubmissionEntry",
    "add_to_record",
    "align_sample",
    "build_submission",
    "check_better_than_chance",
    "check_sample_submission",
    "check_submission",
    "compare_scores",
    "content_id_of",
    "describe_missing",
    "draft_submission",
    "explain_words",
    "fill_missing",
    "find_same_submission",
    "find_scored_row",
    "find_unlisted_submission",
    "leaderboard_of",
    "ledger_row",
    "read_ledger",
    "read_record",
    "read_rows",
    "record_result",
    "submission_record",
    "write_draft",
]
