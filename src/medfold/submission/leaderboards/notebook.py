"""Kaggle's leaderboard, for competitions that take notebooks: a notebook predicts there; its output is submitted."""

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
OUTPUT = "submission.csv"
TOLERANCE = 0.01  # largest difference between a local prediction and the same one from Kaggle that causes no warning

fetch_scores = kaggle.fetch_scores


def preflight(competition: Competition, paths: CompetitionPaths) -> None:
    """Checks with Kaggle that a submission would be accepted now.

    Raises:
        UserError: no credentials; not joined; closed; today's submissions used up.
    """
    kaggle.check_allowed(Competitions(KaggleSession.connect()), kaggle_slug(competition), notebooks=True)


def submit(competition: Competition, paths: CompetitionPaths, entry: SubmissionEntry) -> LeaderboardResult:
    """Packs the folds, runs a notebook on Kaggle that predicts with them, checks its output, and submits that version.

    Raises:
        UserError: what `preflight` and `run_at_kaggle` raise; a faulty submission; a refusal, with Kaggle's reason.
    """
    session, slug = KaggleSession.connect(), kaggle_slug(competition)
    competitions = Competitions(session)
    ref = None if entry.again else competitions.ref_of(slug, entry.content_id)
    if ref:
        say("submit", f"Kaggle has a submission of these folds already, as {ref}: not submitted again")
        return kaggle.wait_for_score(competitions, ref)
    kaggle.check_allowed(competitions, slug, notebooks=True)
    remote_run = entry.pack()
    output, log = remote_run.notebook.with_name(OUTPUT), remote_run.notebook.with_name("log.txt")
    finished = run_at_kaggle(session, remote_run, LONGEST, log, entry.again)
    entry.note({"kaggle": finished.facts})
    Kernels(session).fetch(finished.notebook, OUTPUT, output)
    try:
        _compare(competition, entry, output)
    except UserError as error:
        fix = "FORCE=1 runs the notebook again"
        raise UserError(f"the notebook's output was not submitted: {error}", finished.notebook.link, fix) from None
    pushed = finished.notebook
    ref = competitions.submit_notebook(slug, pushed.ref, pushed.version, OUTPUT, entry.message, entry.content_id)
    say("submit", f"version {pushed.version} of the notebook as {ref}: {entry.message}")
    return kaggle.wait_for_score(competitions, ref, {"kaggle": finished.facts})


def _compare(competition: Competition, entry: SubmissionEntry, output: Path) -> None:
    """Checks the notebook's output, and prints its largest difference from the local submission."""
    from_kaggle = read_submission(output)
    check_submission(competition, from_kaggle, entry.sample)
    local, remote = (
        table.read_predictions_back(competition, each, entry.sample)[0] for each in (entry.table, from_kaggle)
    )
    largest = float((local - remote.loc[local.index]).abs().max(axis=None)) if len(local) else 0.0
    line = f"{len(from_kaggle):,} rows, checked; they differ from the local predictions by at most {largest:.1g}"
    (warn if largest > TOLERANCE else say)("fetched", line)
