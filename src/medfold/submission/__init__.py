"""Submissions: the table and its format, the checks, the ledger and the leaderboards."""

from medfold.submission.cell_format import class_words, explain_words, holds_decisions
from medfold.submission.check import check_sample_submission, check_submission
from medfold.submission.leaderboards.entry import LeaderboardResult, SubmissionEntry, leaderboard_of
from medfold.submission.ledger import content_id_of, format_ledger_score, read_ledger, record_path, write_record
from medfold.submission.table import align_sample, build_submission, fill_missing, read_submission

__all__ = [
    "LeaderboardResult",
    "SubmissionEntry",
    "align_sample",
    "build_submission",
    "check_sample_submission",
    "check_submission",
    "class_words",
    "content_id_of",
    "explain_words",
    "fill_missing",
    "format_ledger_score",
    "holds_decisions",
    "leaderboard_of",
    "read_ledger",
    "read_submission",
    "record_path",
    "write_record",
]
