"""Kaggle's leaderboard, for competitions that take a file."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from medfold.competition import Competition, kaggle_slug
from medfold.console import minutes, say, spinner, warn
from medfold.errors import UserError
from medfold.kaggle import KaggleSession, KaggleSubmission
from medfold.paths import CompetitionPaths
from medfold.submission.leaderboards.entry import LeaderboardResult, SubmissionEntry

LONGEST = 600  # seconds to wait for a score
LATER = "not there yet; make scores fetches it"
MOST = 1000  # of one's submissions that are listed, when old ones are looked up

wait = time.sleep


def preflight(competition: Competition, paths: CompetitionPaths) -> None:
    """Asks Kaggle whether a submission would be taken now.

    Raises:
        UserError: no credentials; not joined; notebooks only; closed; today's submissions used up.
    """
    allowed(KaggleSession.connect(), kaggle_slug(competition))


def place(competition: Competition, paths: CompetitionPaths, entry: SubmissionEntry) -> LeaderboardResult:
    """Uploads a submission, unless Kaggle has this very file, and waits for its score.

    Raises:
        UserError: what `preflight` raises; a failed upload; a refusal, with Kaggle's reason.
    """
    kaggle, name = KaggleSession.connect(), kaggle_slug(competition)
    ref = None if entry.again else kaggle.ref_of(name, entry.mark)
    if ref:
        say("submit", f"Kaggle has this file already, as {ref}: not uploaded again")
    else:
        allowed(kaggle, name)
        ref = kaggle.submit(name, entry.file, entry.message, entry.mark)
        say("submit", f"uploaded as {ref}: {entry.message}")
    return scored(kaggle, ref)


def look_up(competition: Competition, sought: list[tuple[str, str, str]]) -> dict[str, LeaderboardResult]:
    """What Kaggle knows by now of submissions: by number, by the mark in their message, or by their file's name."""
    listed = KaggleSession.connect().submissions(kaggle_slug(competition), MOST)
    found = {}
    for ref, mark, file in sought:
        for each in listed:
            same = str(each.ref) == ref if ref else mark in each.message or each.file == Path(file).name
            if same:
                found[file] = _placed(each)
                break
    return found


def allowed(kaggle: KaggleSession, name: str, notebooks: bool = False) -> None:
    """Sees whether a submission would be taken now, and tells how many are left.

    Args:
        name: the slug.
        notebooks: whether a notebook is to be submitted, rather than a file. Defaults to a file.

    Raises:
        UserError: what `preflight` raises.
    """
    facts = kaggle.joined(name)
    if facts.notebooks_only and not notebooks:
        fix = "Set 'upload: notebook' in competition.yaml"
        raise UserError("this competition takes notebooks only, no files; nothing was uploaded", name, fix)
    if facts.submissions_disabled:
        raise UserError("this competition takes no more submissions; nothing was uploaded", name)
    limits = kaggle.limits(name)
    if limits.left == 0 and limits.by_total:
        raise UserError("all submissions that this competition allows are used up; nothing was uploaded", name)
    if limits.left == 0:
        now = datetime.now(UTC)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        fix = f"There are new ones at midnight UTC, in {minutes((midnight - now).total_seconds())}; the file is kept"
        raise UserError("today's submissions are used up; nothing was uploaded", name, fix)
    until = "ended: a late submission" if facts.over else f"until {facts.deadline:%Y-%m-%d %H:%M} UTC"
    until = until if facts.deadline else "no deadline"
    left = "submissions left today: not told" if limits.left is None else f"{limits.left} left today"
    say("kaggle", f"as {kaggle.credentials.user}, by the {kaggle.credentials.source}; {until}, {left}")


def scored(kaggle: KaggleSession, ref: int, facts: dict[str, Any] | None = None) -> LeaderboardResult:
    """What becomes of a submission, waited for; pending if that takes too long.

    Args:
        facts: for the record. Defaults to none.
    """
    found = _seen(kaggle, ref)
    if found is None or found.status == "pending":
        return LeaderboardResult(status="pending", ref=str(ref), lines=[("score", LATER)], facts=facts or {})
    return replace(_placed(found), facts=facts or {})


def _seen(kaggle: KaggleSession, ref: int) -> KaggleSubmission | None:
    """The submission once it is scored or refused; None if that takes too long."""
    began, delay = time.monotonic(), 2.0
    with spinner(f"waiting for the score of {ref}"):
        while True:
            try:
                found = kaggle.submission(ref)
            except UserError as error:
                warn("submit", f"it is there, but the score cannot be asked for now: {error}")
                return None
            if found.status != "pending":
                return found
            if time.monotonic() - began + delay > LONGEST:
                return None
            wait(delay)
            delay = min(1.5 * delay, 30)


def _placed(found: KaggleSubmission) -> LeaderboardResult:
    ref = str(found.ref)
    if found.status == "error":
        return LeaderboardResult(status="error", ref=ref, problem=found.error or "Kaggle gives no reason")
    if found.status == "pending":
        return LeaderboardResult(status="pending", ref=ref)
    shown = [("public", found.public), ("private", found.private)]
    lines = [(part, f"{value:.5f}") for part, value in shown if value is not None]
    return LeaderboardResult(status="scored", public=found.public, private=found.private, ref=ref, lines=lines)
