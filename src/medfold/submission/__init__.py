"""Submissions: table, form, check, ledger, leaderboards."""

from medfold.submission.check import check_submission, rehearse
from medfold.submission.form import explain_words, holds_decisions, words_of
from medfold.submission.leaderboards.entry import LeaderboardResult, SubmissionEntry, leaderboard_of
from medfold.submission.ledger import as_text, content_id_of, read_ledger, record_of, write_record
from medfold.submission.table import build_submission, fill_missing, fit_sample, read_submission

__all__ = [
    "LeaderboardResult",
    "SubmissionEntry",
    "as_text",
    "build_submission",
    "check_submission",
    "content_id_of",
    "explain_words",
    "fill_missing",
    "fit_sample",
    "holds_decisions",
    "leaderboard_of",
    "read_ledger",
    "read_submission",
    "record_of",
    "rehearse",
    "words_of",
    "write_record",
]
