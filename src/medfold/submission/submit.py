"""Submission of a draft: it is in the ledger before its upload, so that no predictions are uploaded twice.

A command may be killed at any moment. What is in the ledger with the status "written" may have been uploaded: the same
file is then submitted again, and the leaderboard finds an earlier upload by the content id.
"""

from collections.abc import Callable
from dataclasses import dataclass

from medfold.competition import Competition
from medfold.ensemble import Ensemble, save_fitted_ensemble, write_recheck_files
from medfold.kaggle import NotebookJob
from medfold.submission.draft import SubmissionDraft, check_better_than_chance, write_draft
from medfold.submission.earlier_submissions import find_same_submission, find_unlisted_submission
from medfold.submission.leaderboard_result import LeaderboardResult
from medfold.submission.leaderboards.leaderboard import Leaderboard
from medfold.submission.ledger import LedgerRow, read_rows
from medfold.submission.record import RecordedSubmission, ledger_row, record_result, submission_record
from medfold.system import locks
from medfold.terminal.console import warn


@dataclass(frozen=True)
class AlreadySubmitted:
    """An earlier submission of the same predictions.

    Args:
        row: its row of the ledger.
    """

    row: LedgerRow


def record_draft(
    competition: Competition, ensemble: Ensemble, draft: SubmissionDraft, force: bool
) -> RecordedSubmission | AlreadySubmitted:
    """Writes a draft with all that `make recheck` needs, checks the file, and adds it to the ledger.

    Args:
        competition: the competition of the submission.
        ensemble: the combined runs.
        draft: the checked submission.
        force: record it even if the same predictions were submitted before, or the OOF score is no better than chance.

    Returns:
        The recorded submission; or the earlier one of the same predictions, if there is one: then nothing is written.

    Raises:
        UserError: an OOF score no better than chance, or a damaged ledger.
    """
    with locks.lock(competition.paths.submissions):
        _warn_of_lost_ledger(competition)
        earlier = read_rows(competition.project_paths, competition.paths.name)
        same = None if force else find_same_submission(competition, earlier, draft.content_id)
        if same is not None and same.status != "written":
            return AlreadySubmitted(same)
        if not force:
            check_better_than_chance(competition.facts, ensemble)
        row = ledger_row(competition, ensemble, draft, same)
        record = submission_record(competition.facts, ensemble, draft)
        file = competition.project_paths.root / row.file
        table = write_draft(competition.facts, draft, file)
        save_fitted_ensemble(competition, ensemble)
        write_recheck_files(competition, ensemble, file)
        row = record_result(competition, row, LeaderboardResult(status="written"), record)
    num_scored = sum(earlier_row.status == "scored" for earlier_row in earlier)
    return RecordedSubmission(file, table, draft, row, record, num_scored)


def _warn_of_lost_ledger(competition: Competition) -> None:
    if submitted := find_unlisted_submission(competition.project_paths):
        text = f"{competition.project_paths.ledger.name} is missing, although {submitted.name} was submitted"
        warn("ledger", f"{text}: a new one is started. Restore the old one from a backup, if you can")


def submit_recorded(
    competition: Competition,
    recorded: RecordedSubmission,
    leaderboard: Leaderboard,
    pack: Callable[[], NotebookJob],
    resubmit: bool,
) -> LeaderboardResult:
    """Submits to the leaderboard, and records the result in the ledger and beside the file.

    It holds the leaderboard's lock meanwhile, so that no other process submits the same file.

    Args:
        competition: the competition of the submission.
        recorded: the submission.
        leaderboard: where it is scored.
        pack: packs the folds and a notebook that predicts with them; called if the leaderboard takes notebooks.
        resubmit: submit it even if it is on the leaderboard already.

    Raises:
        UserError: the leaderboard refused it, or another process submits these runs as a notebook.
    """
    with leaderboard.submission_lock(recorded.file, list(recorded.row.runs)):
        result = leaderboard.submit(recorded, pack, resubmit)
        record_result(competition, recorded.row, result, recorded.record)
    return result
