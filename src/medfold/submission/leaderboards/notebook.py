"""Kaggle's leaderboard, for competitions that take notebooks: a notebook predicts there; its output is submitted."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from medfold.competition import CompetitionFacts, kaggle_slug
from medfold.errors import UserError
from medfold.kaggle import KaggleCompetitions, KaggleKernels, KaggleSession, NotebookJob, run_notebook_job
from medfold.runs import packing_lock
from medfold.submission.check import check_submission
from medfold.submission.leaderboard_result import LeaderboardResult
from medfold.submission.leaderboards.kaggle import KaggleLeaderboard, check_allowed, wait_for_score
from medfold.submission.record import RecordedSubmission, record_versions
from medfold.submission.table import read_predictions_back, read_submission
from medfold.terminal.command_text import variable
from medfold.terminal.console import say, warn
from medfold.text import count_of

MAX_WAIT_SECONDS = 10 * 3600  # for the notebook; Kaggle stops it after 9 hours
OUTPUT = "submission.csv"
MAX_DIFFERENCE = 0.01  # largest difference between local and Kaggle's predictions without a warning


class NotebookLeaderboard(KaggleLeaderboard):
    """Runs a notebook on Kaggle that predicts, and submits its output there."""

    def preflight(self) -> None:
        """Checks with Kaggle that a submission would be accepted now.

        Raises:
            UserError: no credentials; not joined; closed; today's submissions used up.
        """
        check_allowed(KaggleCompetitions(KaggleSession.connect()), kaggle_slug(self.facts), notebooks=True)

    def submission_lock(self, file: Path, run_names: list[str]) -> AbstractContextManager[None]:
        """Returns a lock like that of other leaderboards; a second process fails at once, since `submit` takes hours.

        Raises:
            UserError: in a `with` statement, if another process packs or submits these runs.
        """
        return packing_lock(self.paths, run_names)

    def submit(
        self, recorded: RecordedSubmission, pack: Callable[[], NotebookJob], resubmit: bool = False
    ) -> LeaderboardResult:
        """Packs the folds, runs a notebook on Kaggle that predicts with them, checks its output, submits that version.

        Raises:
            UserError: what `preflight` and `run_notebook_job` raise; a faulty submission; a refusal, with Kaggle's
                reason.
        """
        session = KaggleSession.connect()
        slug, draft = kaggle_slug(self.facts), recorded.draft
        competitions = KaggleCompetitions(session)
        ref = None if resubmit else competitions.find_submission(slug, draft.content_id)
        if ref:
            say("submit", f"these folds are submitted already, as {ref}: not submitted again")
            return wait_for_score(competitions, ref)
        check_allowed(competitions, slug, notebooks=True)
        job = pack()
        output, log = job.notebook.with_name(OUTPUT), job.notebook.with_name("log.txt")
        finished = run_notebook_job(session, job, MAX_WAIT_SECONDS, log, resubmit)
        record_versions(recorded.file, finished.versions)
        notebook = finished.notebook_version
        KaggleKernels(session).fetch(notebook, OUTPUT, output)
        try:
            _compare(self.facts, recorded, output)
        except UserError as error:
            fix = f"Run the notebook again with {variable('FORCE')}"
            raise UserError(f"the notebook's output was not submitted: {error}", notebook.link, fix) from None
        ref = competitions.submit_notebook(
            slug, notebook.full_name, notebook.version, OUTPUT, draft.message, draft.content_id
        )
        say("submit", f"version {notebook.version} of the notebook as {ref}: {draft.message}")
        return wait_for_score(competitions, ref)


def _compare(facts: CompetitionFacts, recorded: RecordedSubmission, output: Path) -> None:
    """Checks the notebook's output, and prints its largest difference from the local submission."""
    from_kaggle = read_submission(output)
    sample_submission = recorded.draft.sample_submission
    check_submission(facts, from_kaggle, sample_submission)
    local, remote = (
        read_predictions_back(facts, submission, sample_submission) for submission in (recorded.table, from_kaggle)
    )
    largest = float((local - remote.loc[local.index]).abs().max(axis=None)) if len(local) else 0.0
    line = (
        f"{count_of(len(from_kaggle), 'row')}, checked; they differ from the local predictions by at most {largest:.1g}"
    )
    (warn if largest > MAX_DIFFERENCE else say)("fetched", line)
