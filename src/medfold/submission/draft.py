"""A submission before it is uploaded: built, checked, written."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medfold.competition import Competition, CompetitionFacts
from medfold.data import read_sample_submission
from medfold.ensemble import Ensemble
from medfold.errors import UserError
from medfold.scoring import chance_score, metric_of
from medfold.submission.build import checked_submission
from medfold.submission.check import check_submission
from medfold.submission.message import describe_submission, make_content_id
from medfold.submission.table import fill_missing, read_submission
from medfold.system import files
from medfold.system.hashes import sha256, sha256_of_text
from medfold.tables import csv_text
from medfold.terminal.command_text import variable


@dataclass(frozen=True)
class SubmissionDraft:
    """A checked submission that is not written yet.

    Args:
        text: content of the file.
        sha256: hash of the text.
        content_id: short text in the message, by which the submission is found again.
        message: description for the leaderboard: runs, OOF score, folds, commit, content id.
        sample_submission: the sample submission with a row for each test unit.
        test_probabilities: a row per unit.
        test_groups: group of each unit of the test set, indexed by unit.
    """

    text: str
    sha256: str
    content_id: str
    message: str
    sample_submission: pd.DataFrame
    test_probabilities: pd.DataFrame
    test_groups: pd.Series


def draft_submission(competition: Competition, ensemble: Ensemble, test_groups: pd.Series) -> SubmissionDraft:
    """Builds and checks a submission, without writing it.

    Args:
        competition: the competition, with its sample submission.
        ensemble: the combined runs.
        test_groups: group of each unit of the test set, indexed by unit, in the order of the sample table.

    Raises:
        UserError: the sample submission does not fit the competition, or the submission is faulty.
    """
    facts, units = competition.facts, test_groups.index.tolist()
    sample_submission = read_sample_submission(facts, competition.paths)
    table, sample_submission = checked_submission(
        facts, ensemble.test_predictions, sample_submission, units, ensemble.fallback
    )
    probabilities = fill_missing(facts, ensemble.test_probabilities, units, ensemble.prior)
    text = csv_text(table)
    text_hash = sha256_of_text(text)
    content_id = make_content_id(facts, text_hash, ensemble)
    message = describe_submission(competition, ensemble, content_id)
    return SubmissionDraft(text, text_hash, content_id, message, sample_submission, probabilities, test_groups)


def check_better_than_chance(facts: CompetitionFacts, ensemble: Ensemble) -> None:
    """Refuses an OOF score no better than chance, the score of a constant prediction that uses no image.

    Raises:
        UserError: the score is no better than chance. An undefined score is accepted.
    """
    metric = metric_of(facts)
    oof = ensemble.oof
    chance, value = chance_score(facts, oof.targets, ensemble.prior), metric(oof.targets, oof.predictions)
    if metric.sign * (value - chance) <= 0:  # False if undefined
        problem = f"the OOF score, {metric.title} {value:.4f}, is no better than chance, {chance:.4f}"
        raise UserError(
            problem, " ".join(ensemble.run_names), f"Check labels and training; {variable('FORCE')} submits it anyway"
        )


def write_draft(facts: CompetitionFacts, draft: SubmissionDraft, file: Path) -> pd.DataFrame:
    """Writes a submission, unless the file holds it already, and checks what is read back.

    Returns:
        The table as it was read back from the file, all columns as text.
    """
    if not file.is_file() or sha256(file) != draft.sha256:
        files.write_text(draft.text, file)
    written = read_submission(file)
    check_submission(facts, written, draft.sample_submission)
    return written
