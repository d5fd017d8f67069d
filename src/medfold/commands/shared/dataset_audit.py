"""Audit of a dataset for `make folds` and `make train`: checks it, and prints what was found."""

from medfold.audit import audit_dataset, write_near_duplicates_sheet
from medfold.commands.shared.show_dataset import show_contact_sheet, show_dataset
from medfold.competition import Competition
from medfold.data import Dataset, read_sample_submission
from medfold.errors import UserError
from medfold.images import read_appearance
from medfold.submission import check_sample_submission


def audit_and_show(competition: Competition, dataset: Dataset) -> None:
    """Checks the sample submission, audits a dataset, and prints its folds and the results.

    Writes the contact sheet of the near-duplicates.

    Args:
        competition: the competition of the dataset.
        dataset: the dataset, with near-duplicates.

    Raises:
        UserError: a sample submission that does not fit the facts; or near-duplicates were not searched for.
    """
    sample = read_sample_submission(competition.facts, competition.paths)
    check_sample_submission(competition.facts, sample, dataset.test_groups.index.tolist())
    appearance = read_appearance(competition)
    if appearance is None:
        fix = f"Run: {competition.command('folds')}"
        raise UserError("missing, or made from other images: the audit needs it", competition.paths.appearance, fix)
    show_dataset(competition, dataset, audit_dataset(competition, dataset, appearance))
    show_contact_sheet(competition, write_near_duplicates_sheet(competition, dataset))
