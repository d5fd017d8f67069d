"""Kaggle's leaderboard, for competitions that take files."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from medfold.competition import kaggle_slug
from medfold.errors import UserError
from medfold.kaggle import KaggleCompetitions, KaggleSession, KaggleSubmission, NotebookJob
from medfold.submission.leaderboard_result import LeaderboardResult
from medfold.submission.leaderboards.leaderboard import Leaderboard, ScoreQuery
from medfold.submission.record import RecordedSubmission
from medfold.system.waiting import GrowingPause
from medfold.terminal.command_text import command
from medfold.terminal.console import format_duration, say, warn
from medfold.terminal.progress import spinner

MAX_WAIT_SECONDS = 600  # for a score
MAX_LISTED = 1000  # submissions in which earlier ones are searched


class KaggleLeaderboard(Leaderboard):
    """Uploads the file to Kaggle, which scores it."""

    has_late_scores = True

    def preflight(self) -> None:
        """Checks with Kaggle that a submission would be accepted now.

        Raises:
            UserError: no credentials; not joined; notebooks only; no more submissions; today's submissions used up.
        """
        check_allowed(KaggleCompetitions(KaggleSession.connect()), kaggle_slug(self.facts))

    def submit(
        self, recorded: RecordedSubmission, pack: Callable[[], NotebookJob], resubmit: bool = False
    ) -> LeaderboardResult:
        """Uploads a submission, unless this file is on Kaggle already, and waits for its score.

        Raises:
            UserError: what `preflight` raises; a failed upload; a refusal, with Kaggle's reason.
        """
        competitions = KaggleCompetitions(KaggleSession.connect())
        slug, draft = kaggle_slug(self.facts), recorded.draft
        ref = None if resubmit else competitions.find_submission(slug, draft.content_id)
        if ref:
            say("submit", f"this file is on Kaggle already, as {ref}: not uploaded again")
        else:
            check_allowed(competitions, slug)
            ref = competitions.submit(slug, recorded.file, draft.message, draft.content_id)
            say("submit", f"uploaded as {ref}: {draft.message}")
        return wait_for_score(competitions, ref)

    def fetch_scores(self, queries: list[ScoreQuery]) -> dict[str, LeaderboardResult]:
        """Fetches the scores of earlier submissions.

        Args:
            queries: each is found by its number; without one, by the content id in its message, or the name of its
                file.

        Returns:
            Results by file, of the submissions that Kaggle lists.
        """
        listed = KaggleCompetitions(KaggleSession.connect()).submissions(kaggle_slug(self.facts), MAX_LISTED)
        results = {}
        for query in queries:
            for submission in listed:
                by_content = query.content_id in submission.message or submission.file == Path(query.file).name
                if (str(submission.ref) == query.ref) if query.ref else by_content:
                    results[query.file] = _result(submission)
                    break
        return results


def check_allowed(competitions: KaggleCompetitions, slug: str, notebooks: bool = False) -> None:
    """Checks that Kaggle would accept a submission now, and prints how many are left.

    Args:
        competitions: signed in as a user who takes part.
        slug: name of the competition on Kaggle.
        notebooks: True to submit a notebook instead of a file. Defaults to False.

    Raises:
        UserError: what `preflight` raises.
    """
    info = competitions.joined(slug)
    if info.notebooks_only and not notebooks:
        fix = "Set 'upload: notebook' in competition.yaml"
        raise UserError("this competition accepts notebooks only, no files; nothing was uploaded", slug, fix)
    if info.submissions_disabled:
        raise UserError("this competition accepts no more submissions; nothing was uploaded", slug, f"See {info.rules}")
    limits = competitions.limits(slug)
    if limits.num_left == 0 and limits.counts_all_time:
        what = "all submissions that this competition allows are used up; nothing was uploaded"
        raise UserError(what, slug, f"See {info.rules}")
    if limits.num_left == 0:
        now = datetime.now(UTC)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        left = format_duration((midnight - now).total_seconds())
        fix = f"New ones are available at midnight UTC, in {left}; the file is kept"
        raise UserError("today's submissions are used up; nothing was uploaded", slug, fix)
    if info.deadline is None:
        until = "no deadline"
    else:
        until = "ended: a late submission" if info.has_ended else f"until {info.deadline:%Y-%m-%d %H:%M} UTC"
    left = "submissions left today: unknown" if limits.num_left is None else f"{limits.num_left} left today"
    say("kaggle", f"as {competitions.session.account}; {until}, {left}")


def wait_for_score(competitions: KaggleCompetitions, ref: int) -> LeaderboardResult:
    """Waits for the score of a submission; the result is pending if that takes too long.

    Args:
        competitions: signed in as the user who submitted it.
        ref: number of the submission.
    """
    submission = _wait(competitions, ref)
    if submission is None or submission.kaggle_status == "pending":
        message = f"not available yet; run {command('scores')} later"
        return LeaderboardResult(status="pending", ref=str(ref), lines=[("score", message)])
    return _result(submission)


def _wait(competitions: KaggleCompetitions, ref: int) -> KaggleSubmission | None:
    """Returns the submission once it is scored or refused; None if that takes too long."""
    began = time.monotonic()
    growing = GrowingPause(first=2, factor=1.5, longest=30)
    with spinner(f"waiting for the score of {ref}"):
        while True:
            try:
                submission = competitions.submission(ref)
            except UserError as error:
                warn("submit", f"submitted, but its score could not be fetched: {error}")
                return None
            if submission.kaggle_status != "pending":
                return submission
            if time.monotonic() - began + growing.seconds > MAX_WAIT_SECONDS:
                return None
            growing.pause()


def _result(submission: KaggleSubmission) -> LeaderboardResult:
    """Converts Kaggle's submission into a result."""
    ref = str(submission.ref)
    if submission.kaggle_status == "error":
        return LeaderboardResult(status="error", ref=ref, problem=submission.error or "reason unknown")
    if submission.kaggle_status == "pending":
        return LeaderboardResult(status="pending", ref=ref)
    scores = [("public", submission.public), ("private", submission.private)]
    lines = [(leaderboard_part, f"{value:.5f}") for leaderboard_part, value in scores if value is not None]
    return LeaderboardResult(
        status="scored", public=submission.public, private=submission.private, ref=ref, lines=lines
    )
