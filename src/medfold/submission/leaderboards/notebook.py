"""Kaggle's leaderboard, for competitions that take notebooks: one runs there, and what it wrote is submitted."""

from pathlib import Path

from medfold.competition import Competition, kaggle_slug
from medfold.console import say, warn
from medfold.errors import UserError
from medfold.kaggle import Competitions, KaggleSession, Kernels, run_at_kaggle
from medfold.paths import CompetitionPaths
from medfold.submission import table
from medfold.submission.check import check_submission
from medfold.submission.leaderboards import kaggle
from medfold.submission.leaderboards.entry import LeaderboardResult, SubmissionEntry
from medfold.submission.table import read_submission

__all__ = ["fetch_scores", "preflight", "submit"]
LONGEST = 10 * 3600  # seconds to wait for the notebook; Kaggle stops it after 9 hours
WROTE = "submission.csv"
FAR = 0.01  # between a prediction at home and the same one there

fetch_scores = kaggle.fetch_scores


def preflight(competition: Competition, paths: CompetitionPaths) -> None:
    """Asks Kaggle whether a submission would be taken now.

    Raises:
        UserError: no credentials; not joined; closed; today's submissions used up.
    """
    kaggle.check_allowed(Competitions(KaggleSession.connect()), kaggle_slug(competition), notebooks=True)


def submit(competition: Competition, paths: CompetitionPaths, entry: SubmissionEntry) -> LeaderboardResult:
    """Packs the folds, has a notebook predict with them at Kaggle, checks what it wrote, and submits that version.

    Raises:
        UserError: what `preflight` and `remote_run.run` raise; a faulty submission; a refusal, with Kaggle's reason.
    """
    session, slug = KaggleSession.connect(), kaggle_slug(competition)
    competitions = Competitions(session)
    ref = None if entry.again else competitions.ref_of(slug, entry.content_id)
    if ref:
        say("submit", f"Kaggle has a submission of these folds already, as {ref}: not submitted again")
        return kaggle.wait_for_score(competitions, ref)
    kaggle.check_allowed(competitions, slug, notebooks=True)
    sent = entry.pack()
    wrote, log = sent.notebook.with_name(WROTE), sent.notebook.with_name("log.txt")
    ran = run_at_kaggle(session, sent, LONGEST, log, entry.again)
    entry.note({"kaggle": ran.facts})
    Kernels(session).fetch(ran.notebook, WROTE, wrote)
    try:
        _compare(competition, entry, wrote)
    except UserError as error:
        fix = "FORCE=1 has the notebook run once more"
        raise UserError(f"what the notebook wrote is not to be submitted: {error}", ran.notebook.link, fix) from None
    pushed = ran.notebook
    ref = competitions.submit_notebook(slug, pushed.ref, pushed.version, WROTE, entry.message, entry.content_id)
    say("submit", f"version {pushed.version} of the notebook as {ref}: {entry.message}")
    return kaggle.wait_for_score(competitions, ref, {"kaggle": ran.facts})


def _compare(competition: Competition, entry: SubmissionEntry, wrote: Path) -> None:
    """Checks what the notebook wrote against the sample submission, and tells how far it is from that of home."""
    there = read_submission(wrote)
    check_submission(competition, there, entry.sample)
    here, told = (table.read_predictions_back(competition, each, entry.sample)[0] for each in (entry.table, there))
    far = float((here - told.loc[here.index]).abs().max(axis=None)) if len(here) else 0.0
    line = f"{len(there):,} rows, checked; from those at home they differ by {far:.1g} at most"
    (warn if far > FAR else say)("fetched", line)
