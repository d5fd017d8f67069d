"""Submissions: table, form, check, ledger, leaderboards."""

from medfold.submission.check import check_submission, rehearse
from medfold.submission.form import class_words, explain_words, holds_decisions
from medfold.submission.leaderboards.entry import LeaderboardResult, SubmissionEntry, leaderboard_of
from medfold.submission.ledger import as_text, content_id_of, read_ledger, record_path, write_record
from medfold.submission.table import align_sample, build_submission, fill_missing, read_submission

__all__ = [
    "LeaderboardResult",
    "SubmissionEntry",
    "align_sample",
    "as_text",
    "build_submission",
    "check_submission",
    "class_words",
    "content_id_of",
    "explain_words",
    "fill_missing",
    "holds_decisions",
    "leaderboard_of",
    "read_ledger",
    "read_submission",
    "record_path",
    "rehearse",
    "write_record",
]
