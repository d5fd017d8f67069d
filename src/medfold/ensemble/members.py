"""The OOF predictions of the members of an ensemble, and how far their errors are alike."""

from dataclasses import dataclass

import numpy as np

from medfold.scoring import targets_as_columns


@dataclass(frozen=True)
class MemberPredictions:
    """OOF predictions of several runs for the same units.

    Args:
        run_names: names of the runs, one per member.
        predictions: float64 (members, units, columns), out of fold.
        targets: int (units,) or (units, labels).
        folds: number of the fold of each unit, int (units,).
        groups: number of the group of each unit, int (units,).
    """

    run_names: list[str]
    predictions: np.ndarray
    targets: np.ndarray
    folds: np.ndarray
    groups: np.ndarray

    @property
    def can_be_cross_fitted(self) -> bool:
        """True if at least two folds are trained."""
        return len(np.unique(self.folds)) > 1


def error_correlation(members: MemberPredictions) -> np.ndarray:
    """Returns the correlation of the members' errors (prediction - label).

    Returns:
        float64 (members, members), 1 on the diagonal.
    """
    num_members, _, num_columns = members.predictions.shape
    errors = members.predictions - targets_as_columns(members.targets, num_columns)
    return np.corrcoef(errors.reshape(num_members, -1)).reshape(num_members, -1)
