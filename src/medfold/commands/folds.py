"""`make folds`: builds the folds, and prints them with an audit of the data."""

from medfold.commands.shared.dataset_audit import audit_and_show
from medfold.competition import Competition, PreparationSettings
from medfold.data import Dataset, make_dataset


def make_folds(
    competition: Competition, force: bool = False, preparation: PreparationSettings | None = None
) -> Dataset:
    """Makes the folds, or checks the existing ones, and prints them with the results of the audit.

    Args:
        competition: the competition; its raw data is there.
        force: replace existing folds. Defaults to False.
        preparation: `preparation` of a recipe; if the images must be scanned, they are also prepared for its store.
            Defaults to no preparation.

    Returns:
        The dataset, with its folds and leaks.

    Raises:
        UserError: errors of `make_dataset`; a sample submission that does not fit the facts.
    """
    dataset = make_dataset(competition, preparation, with_near_duplicates=True, renew_folds=force)
    audit_and_show(competition, dataset)
    return dataset
